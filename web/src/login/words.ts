// What is told of a login that did not succeed, and of a password that will not do. Pure.
import type { Failure } from "../api/client.ts";

const CODE_WANTED = "/problems/second-factor";

/** Whether name and password fit, and a code is still to be given. */
export const wantsCode = (failure: Failure | null): boolean => failure?.type === CODE_WANTED;

/** Unix milliseconds from which another try makes sense; null when it does already. */
export const lockedUntil = (failure: Failure | null, now: number): number | null =>
  failure?.status === 429 && failure.retry_s > 0 ? now + failure.retry_s * 1000 : null;

/** Fewest and most characters of a password. */
const LEAST = 12;
const MOST = 256;
export const PASSWORD_HINT = `At least ${LEAST} characters; several words are good.`;

/** Why `password` will not do; null when it will. */
export function passwordFault(password: string): string | null {
  const length = [...password].length;
  if (length === 0) return "Type a password.";
  if (length < LEAST) return `Too short: ${length} of at least ${LEAST} characters.`;
  if (length > MOST) return `Too long: ${length} characters, at most ${MOST}.`;
  return null;
}

/** Why what was typed the second time will not do. */
export const repeatFault = (password: string, repeated: string): string | null =>
  password === repeated ? null : "This differs from the one above.";
