// What need not be on the screen at once: it comes when the page has come to rest, so that typing and scrolling wait for
// nothing that is not looked at yet.
import { useEffect, useState } from "preact/hooks";

/** The page rests when nothing was put off for so long. */
const REST_MS = 100;

const waiting = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Calls `act` once the page rests, together with all else that waits for that, unless the answer is called before. */
function later(act: () => void): () => void {
  waiting.add(act);
  clearTimeout(timer);
  timer = setTimeout(() => {
    const due = [...waiting];
    waiting.clear();
    for (const one of due) one();
  }, REST_MS);
  return () => waiting.delete(act);
}

/** Whether the page has rested since `of` was another value. */
export function useRested(of: unknown): boolean {
  const [rested, setRested] = useState<{ of: unknown } | null>(null);
  useEffect(() => later(() => setRested({ of })), [of]);
  return rested !== null && rested.of === of;
}
