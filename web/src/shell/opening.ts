// Forms that an address opens, such as `/alerts?new=silence`.
import { useEffect } from "preact/hooks";
import { query, setQuery } from "../router.ts";

/** Entries of an address that say what a form begins with. */
const GIVEN = ["host"];

/**
 * Calls `open` when the address asks for the form (`name=value`), with the address's query, and takes that out of the address:
 * going back then leaves the page, which asks before what was typed is lost. `may` is false for those who cannot use the form.
 */
export function useOpening(name: string, value: string, may: boolean, open: (asked: URLSearchParams) => void): void {
  const asked = may && query.value.get(name) === value ? query.value : null;
  useEffect(() => {
    if (asked === null) return;
    open(asked);
    setQuery(Object.fromEntries([name, ...GIVEN].map((one) => [one, null])), { replace: true });
  }, [asked]);
}
