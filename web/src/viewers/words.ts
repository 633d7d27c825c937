// What a viewer looks at, in words. Pure.
import type { Watched } from "../api/types.gen.ts";

/** Names beyond these are counted. */
const NAMED = 2;

/** `all hosts`, `3 hosts tagged prod; web-1 in detail`. */
export function watchedWords({ hosts, tags, detail }: Watched): string {
  const which =
    hosts === null ? (tags.length > 0 ? "hosts" : "all hosts") : `${hosts} ${hosts === 1 ? "host" : "hosts"}`;
  const tagged = tags.length > 0 ? ` tagged ${listed(tags)}` : "";
  return `${which}${tagged}${detail.length > 0 ? `; ${listed(detail)} in detail` : ""}`;
}

const listed = (names: readonly string[]): string =>
  names.length > NAMED ? `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more` : names.join(", ");
