// One line to paste: a token that is made when somebody wants to add a machine, followed until a machine comes by it, and
// withdrawn when it was of no use. A line that was copied stays good: it may be on its way into a terminal.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { reasonOf } from "../api/client.ts";
import { type Loading, loader } from "../api/loading.ts";
import type { EnrolmentToken, MadeToken } from "../api/types.gen.ts";

/** What the gateway does with tokens. */
export interface Tokens {
  make: () => Promise<MadeToken>;
  read: (id: number, signal: AbortSignal) => Promise<EnrolmentToken>;
  /** Must work while the page is being left; whether it did is of no interest: a token ends by itself. */
  withdraw: (id: number) => void;
}

export interface Invitation {
  /** The line with its token; null before it is there. */
  readonly made: ReadonlySignal<MadeToken | null>;
  /** Why there is no line; null when there is, or while it is made. */
  readonly refusal: ReadonlySignal<string | null>;
  /** The token as it was read last. */
  readonly token: ReadonlySignal<Loading<EnrolmentToken>>;
  /** Makes the line, after a refusal once more. */
  make: () => Promise<void>;
  /** Reads the token now. */
  look: () => void;
  /** Somebody has the line: it is not withdrawn any more. */
  copied: () => void;
  close: () => void;
}

const LOOK_MS = 2000;

export function openInvitation(tokens: Tokens): Invitation {
  const made = signal<MadeToken | null>(null);
  const refusal = signal<string | null>(null);
  const followed = loader((signal) => tokens.read((made.peek() as MadeToken).token.id, signal));
  let timer: ReturnType<typeof setInterval> | undefined;
  let kept = false;
  let closed = false;

  async function make(): Promise<void> {
    refusal.value = null;
    try {
      const answer = await tokens.make();
      if (closed) return tokens.withdraw(answer.token.id);
      made.value = answer;
      followed.put(answer.token);
      timer = setInterval(follow, LOOK_MS);
    } catch (error) {
      if (!closed) refusal.value = reasonOf(error);
    }
  }
  function follow(): void {
    const { value, error } = followed.state.peek();
    if (value?.state !== "open") clearInterval(timer);
    // After a failure the loader asks again by itself, at a slower pace.
    else if (error === null) followed.refresh();
  }
  function close(): void {
    if (closed) return;
    closed = true;
    clearInterval(timer);
    followed.close();
    const token = followed.state.peek().value;
    if (token?.state === "open" && token.used === 0 && !kept) tokens.withdraw(token.id);
  }
  return {
    made: computed(() => made.value),
    refusal: computed(() => refusal.value),
    token: followed.state,
    make,
    look: followed.load,
    copied: () => {
      kept = true;
    },
    close,
  };
}
