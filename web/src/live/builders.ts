// What tests of the live stores build.
import type { Host, LiveSample } from "../api/types.gen.ts";
import { createStore } from "./entries.ts";

export function host(id: string, change: Partial<Host> = {}): Host {
  return {
    id,
    state: "up",
    last_sample: null,
    facts: {} as Host["facts"],
    alerts: { warning: 0, critical: 0 },
    latest: {},
    labels: {},
    label: "",
    tags: [],
    proposed_tags: [],
    muted_until: null,
    version: 1,
    update: "current",
    ...change,
  };
}

export const cpu = (id: string, time: number, total: number): LiveSample => ({
  host: id,
  time,
  families: { cpu: { "": { total } } },
});

export function store() {
  const paints: (() => void)[] = [];
  const made = createStore(60_000, (paint) => paints.push(paint));
  const paint = () =>
    paints.splice(0).forEach((run) => {
      run();
    });
  return { made, paints, paint };
}
