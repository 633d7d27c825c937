// What the gateway objects to in a field, as a sentence that stands beside the field. Pure.

/** `must be at most 100 %: it is never more` is `Type at most 100 %: it is never more.` */
export function refusalWords(reason: string): string {
  const words = reason
    .replace(/^must be (?=at or )/, "Type a value ")
    .replace(/^must be (?=at least |at most |from |more than |later |a |an )/, "Type ");
  const sentence = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(sentence) || sentence === "" ? sentence : `${sentence}.`;
}
