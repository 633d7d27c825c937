// The tab's title begins with how many hosts are in trouble: it can be read when the tab cannot.
import { useSignalEffect } from "@preact/signals";
import { tally } from "../alerts/data.ts";

export function useTitle(name: string): void {
  useSignalEffect(() => {
    const { critical, offline, warning } = tally.value;
    const trouble = critical + offline + warning;
    document.title = `${trouble > 0 ? `(${trouble}) ` : ""}${name} · Sonde`;
  });
}
