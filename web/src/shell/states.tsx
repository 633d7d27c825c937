// What stands where something is not there (yet): loading, empty, failed, out of date. Each looks different from the
// others, and none of them like a gap in the data.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import "../style/states.css";

/** Waiting longer than this is worth a word. */
const SLOW_MS = 4000;

/** `what` is on its way: `the rules`. */
export function Waiting({ what }: { what: string }) {
  const slow = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      slow.value = true;
    }, SLOW_MS);
    return () => clearTimeout(timer);
  }, [slow]);
  return (
    <p class="waiting" role="status">
      <span class="shimmer" aria-hidden="true" />
      {slow.value ? `Still waiting for ${what}. The gateway is slow to answer.` : `Loading ${what} …`}
    </p>
  );
}

interface FailedProps {
  /** What could not be had: `The rules`. */
  what: string;
  error: string;
  /** True when what is shown beside this is from before. */
  stale?: boolean;
  /** False where it is not tried again by itself. */
  retried?: boolean;
  onRetry?: () => void;
}

export function Failed({ what, error, stale, retried = true, onRetry }: FailedProps) {
  return (
    <div class={`failed ${stale ? "outdated" : ""}`} role="alert">
      <p>
        <b>{stale ? `${what} may be out of date.` : `${what} could not be loaded.`}</b> {error}
        {retried && " It is tried again every 10 s."}
      </p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try now
        </button>
      )}
    </div>
  );
}

/** There is nothing, and that is known. */
export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing-here panel">{children}</p>;
}
