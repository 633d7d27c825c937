// A one-time link: its secret travels behind the # of the address, which no server sees and no log keeps. Pure.

const MARK = "#link=";

/** The secret in the fragment of an address; null when there is none. */
export function secretIn(hash: string): string | null {
  if (!hash.startsWith(MARK)) return null;
  try {
    return decodeURIComponent(hash.slice(MARK.length)) || null;
  } catch {
    return null;
  }
}
