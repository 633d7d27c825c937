// What the relay knows: the fleet, and the hosts that tabs follow in detail. Events change it and are passed on.
import type { Frame, Gone, Host, Processes, Snapshot } from "../api/types.gen.ts";
import {
  applyEvent,
  applyPolled,
  applySnapshot,
  createStore,
  imageOf,
  POLLED,
  PROCESSES,
  type Store,
} from "./store.ts";
import type { Client, Tabs } from "./tabs.ts";

/** What a new tab gets of the past; tabs themselves remember more. */
const KEEP_MS = 75_000;
/** A detail that no tab wants any more is kept so long, for those who come back. */
const SHED_MS = 15_000;
/** Most hosts that the gateway follows in detail for one viewer. */
const MOST_DETAILS = 32;
/** Frames are kept so long, for tabs that look again soon. */
const FRAMES_MS = 10_000;

const newStore = (): Store => createStore(KEEP_MS, (paint) => paint());

export function createKnown(tabs: Tabs) {
  const fleet = newStore();
  const details = new Map<string, Store>();
  /** Wanted by nobody since. */
  const idle = new Map<string, number>();
  /** The newest frames, and when they came; `told` is the number of the last one. */
  const frames: { text: string; at: number }[] = [];
  let told = 0;

  /** Brings details in line with what tabs want. */
  function arrange(now: number): void {
    const wants = tabs.wanted();
    for (const id of wants) {
      idle.delete(id);
      if (!details.has(id)) details.set(id, newStore());
    }
    for (const id of details.keys()) {
      if (wants.has(id)) continue;
      const since = idle.get(id) ?? now;
      idle.set(id, since);
      if (now - since < SHED_MS) continue;
      idle.delete(id);
      details.delete(id);
    }
  }

  /** Of the hosts to follow as many as the gateway allows, those that are looked at first. */
  function askedFor(): string {
    const seen = tabs.wanted(false);
    const first = [...details.keys()].sort((a, b) => Number(seen.has(b)) - Number(seen.has(a)));
    return first.slice(0, MOST_DETAILS).sort().join();
  }

  /** Shows a tab that is new, or looked at again, all that it wants; any other what it wants since now. */
  function show(client: Client, before: Client | undefined): void {
    const anew = !before || (client.visible && !before.visible);
    if (!client.visible && (before?.visible ?? true)) client.seen = told;
    if (anew && fleet.snapshots.peek() > 0) catchUp(client, before);
    for (const id of client.details) {
      const known = details.get(id);
      if (known && known.snapshots.peek() > 0 && (anew || !before.details.has(id)))
        client.post({ kind: "detail", id, image: imageOf(known) });
    }
  }

  /** What a tab missed of the fleet: some frames, where they are still here, else all that is known. */
  function catchUp(client: Client, before: Client | undefined): void {
    const missed = told - client.seen;
    if (!before || missed > frames.length) client.post({ kind: "fleet", image: imageOf(fleet) });
    else if (missed > 0)
      for (const { text } of frames.slice(-missed)) client.post({ kind: "event", name: "frame", text });
  }

  function keepFrame(text: string, now: number): void {
    told += 1;
    frames.push({ text, at: now });
    while ((frames[0]?.at ?? now) < now - FRAMES_MS) frames.shift();
  }

  function tellOfFleet(name: string, data: unknown, text: string, now: number): void {
    applyEvent(fleet, name, data, now);
    if (name === "frame") keepFrame(text, now);
    for (const client of tabs.all()) {
      if (client.late && name === "complete") {
        client.late = false;
        client.post({ kind: "fleet", image: imageOf(fleet) });
      } else if (client.visible || name !== "frame") client.post({ kind: "event", name, text });
    }
  }

  function tellOfDetail(name: string, data: unknown, text: string, now: number): void {
    const id = hostOf(name, data);
    const known = id === undefined ? undefined : details.get(id);
    if (id === undefined || !known) return;
    if (name === "snapshot") applySnapshot(known, data as Snapshot, now);
    else applyEvent(known, name, data, now);
    for (const client of tabs.all())
      if (client.visible && client.details.has(id)) client.post({ kind: "detail-event", id, name, text });
  }

  return {
    fleet,
    arrange,
    askedFor,
    show,
    /** Takes an event of the stream. */
    take(name: string, data: unknown, text: string, now: number): void {
      if (name.startsWith(DETAIL)) tellOfDetail(name.slice(DETAIL.length), data, text, now);
      else tellOfFleet(name, data, text, now);
    },
    isDetailed: (id: string) => details.has(id),
    /** Takes polled hosts: those of the fleet, or host `id` in detail. The stream's next snapshot replaces them. */
    deliver(hosts: Host[], id?: string): void {
      const store = id === undefined ? fleet : details.get(id);
      if (!store) return;
      applyPolled(store, hosts);
      const text = JSON.stringify(hosts);
      for (const client of tabs.all())
        if (id === undefined) client.post({ kind: "event", name: POLLED, text });
        else if (client.details.has(id)) client.post({ kind: "detail-event", id, name: POLLED, text });
    },
  };
}

/** What names of events of the detailed part begin with. */
const DETAIL = "detail-";

/** The host that an event of a detailed part is about; undefined for a snapshot of a host that is not there. */
function hostOf(name: string, data: unknown): string | undefined {
  if (name === "frame") return (data as Frame).samples[0]?.host;
  if (name === "gone" || name === PROCESSES) return (data as Gone | Processes).host;
  return name === "snapshot" ? (data as Snapshot).hosts[0]?.id : (data as Host).id;
}
