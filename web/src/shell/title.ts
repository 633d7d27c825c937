// The tab's title begins with how many hosts are in trouble, or with a question mark while nobody knows: it can be read
// when the tab cannot. So can that all of it is simulated.
import { useSignalEffect } from "@preact/signals";
import { tally } from "../alerts/data.ts";
import { gate, me } from "../login/me.ts";

export function useTitle(name: string): void {
  useSignalEffect(() => {
    const { critical, offline, warning, unknown } = tally.value;
    const trouble = critical + offline + warning;
    const mark = unknown > 0 ? "(?) " : trouble > 0 ? `(${trouble}) ` : "";
    if (gate.value === "ended") document.title = "Log in · Sonde";
    else document.title = `${mark}${name} · ${me.value?.demonstration ? "Demonstration" : "Sonde"}`;
  });
}
