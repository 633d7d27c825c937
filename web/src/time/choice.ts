// Whose clocks: those of this browser, UTC, or the host's. The URL says it (`zone=`), otherwise what is preferred.
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Window } from "../charts/window.ts";
import { now } from "../live/session.ts";
import { type ZoneChoice, zonePreferred } from "../preferences.ts";
import { query, setQuery } from "../router.ts";
import { timeZone } from "./zone.ts";
import { isZone, offsetWord, type ZoneName } from "./zones.ts";

export const ZONE_WORDS: Record<ZoneChoice, string> = {
  local: "Browser’s time",
  utc: "UTC",
  host: "Host’s time",
};

/** The zone of the host that the page is about; empty: it is about none, or its zone is not known. */
export const hostZone = signal("");

const asked = (text: string | null): ZoneChoice | null =>
  text !== null && Object.hasOwn(ZONE_WORDS, text) ? (text as ZoneChoice) : null;

export const zoneChoice: ReadonlySignal<ZoneChoice> = computed(
  () => asked(query.value.get("zone")) ?? zonePreferred.value,
);

function nameOf(choice: ZoneChoice): ZoneName {
  if (choice === "utc") return "UTC";
  return choice === "host" && isZone(hostZone.value) ? hostZone.value : undefined;
}

/** The moment whose offset stands for a window's: clocks may have been set since. */
export const lastMoment = (window: Window): number => (window.kind === "fixed" ? window.to : now.peek());

/** What a choice means at a moment: `UTC+1`. */
export const choiceOffset = (choice: ZoneChoice, at: number): string => offsetWord(at, nameOf(choice));

export function chooseZone(choice: ZoneChoice): void {
  setQuery({ zone: choice === zonePreferred.peek() ? null : choice }, { replace: true });
}

/** Lets the page's times follow the choice. */
export function startZone(): void {
  effect(() => {
    timeZone.value = nameOf(zoneChoice.value);
  });
}
