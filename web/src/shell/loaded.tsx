// What a part of a page has asked for, in each of its states: on its way, there, out of date, or refused.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { type Loader, loader } from "../api/loading.ts";
import { Failed, Waiting } from "./states.tsx";

/** What `ask` answers, asked for once the page is there; `ask` must be the same function every time. */
export function useAsked<T>(ask: (signal: AbortSignal) => Promise<T>): Loader<T> {
  const asked = useMemo(() => loader(ask), [ask]);
  useEffect(() => {
    asked.load();
    return asked.close;
  }, [asked]);
  return asked;
}

interface LoadedProps<T> {
  from: Loader<T>;
  /** `The rules`. */
  what: string;
  children: (value: T) => ComponentChildren;
}

export function Loaded<T>({ from, what, children }: LoadedProps<T>) {
  const { value, error, refused } = from.state.value;
  return (
    <>
      {error !== null && (
        <Failed what={what} error={error} stale={value !== null} retried={!refused} onRetry={from.load} />
      )}
      {value === null && error === null && <Waiting what={what.charAt(0).toLowerCase() + what.slice(1)} />}
      {value !== null && children(value)}
    </>
  );
}
