// A request that a button or a form sends: one at a time, and its failure kept for where it is told.
import { useSignal } from "@preact/signals";
import { Failure } from "../api/client.ts";

export interface Sending {
  readonly busy: boolean;
  /** Why the last one failed; null when it did not, or while another one is on its way. */
  readonly failure: Failure | null;
  /** Whether `act` succeeded; false too while another one is on its way. */
  send: (act: () => Promise<unknown>) => Promise<boolean>;
  forget: () => void;
}

export function useSending(): Sending {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);

  async function send(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.peek()) return false;
    busy.value = true;
    failure.value = null;
    try {
      await act();
      return true;
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      failure.value = reason;
      return false;
    } finally {
      busy.value = false;
    }
  }
  return {
    busy: busy.value,
    failure: failure.value,
    send,
    forget: () => {
      failure.value = null;
    },
  };
}
