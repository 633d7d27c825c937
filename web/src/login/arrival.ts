// What the address says behind its #, which no server sees and no log keeps: the secret of a one-time link, or why single
// sign-on did not work. Pure.

/** Of words that anybody can put into an address, no more than these are shown. */
const MOST_WORDS = 300;

const after = (mark: string, hash: string): string | null => {
  if (!hash.startsWith(mark)) return null;
  try {
    return decodeURIComponent(hash.slice(mark.length)) || null;
  } catch {
    return null;
  }
};

/** The secret in the fragment of an address; null when there is none. */
export const secretIn = (hash: string): string | null => after("#link=", hash);

/** Why single sign-on did not work, as the fragment of an address has it; null when it says nothing of that. */
export const failureIn = (hash: string): string | null => after("#failed=", hash)?.slice(0, MOST_WORDS) ?? null;
