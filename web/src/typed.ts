// Numbers as people type them. Pure.

/** The number that `text` is; NaN when it is none, which an empty text is not either. */
export function numberOf(text: string): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : Number.NaN;
}

/** Why `text` is no number, and what to type instead; null when it is one. */
export function numberFault(text: string): string | null {
  if (!Number.isNaN(numberOf(text))) return null;
  if (text.trim() === "") return "Type a number.";
  const pointed = text.trim().replace(",", ".");
  if (!Number.isNaN(numberOf(pointed))) return `Write ${numberOf(pointed)}, with a point instead of the comma.`;
  return `“${text.trim()}” is not a number. Type digits, such as 80 or 12.5.`;
}
