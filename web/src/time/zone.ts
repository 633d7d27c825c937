// The zone whose clocks all times on the page are told by. `choice.ts` sets it.
import { signal } from "@preact/signals-core";
import type { ZoneName } from "./zones.ts";

export const timeZone = signal<ZoneName>(undefined);
