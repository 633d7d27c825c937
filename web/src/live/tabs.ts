// The tabs that share one connection: what each wants to be told, and telling them.
import { SUMMARY } from "../api/catalogue.gen.ts";
import { type FromRelay, HIDDEN_SILENT_MS, SILENT_MS, type ToRelay } from "./messages.ts";

/** One tab, as the relay sees it. */
export interface Client {
  post: (message: FromRelay) => void;
  visible: boolean;
  details: ReadonlySet<string>;
  metrics: readonly string[];
  heard: number;
  /** It came while a snapshot did, so it lacks the first part and gets the whole at the end. */
  late: boolean;
  /** Number of the last frame that it was told before it was hidden. */
  seen: number;
}

type Here = Extract<ToRelay, { kind: "here" }>;

export type Tabs = ReturnType<typeof createTabs>;

export function createTabs() {
  const clients = new Map<unknown, Client>();
  const all = () => [...clients.values()];
  return {
    all,
    /** Notes what a tab says of itself; `late`: a snapshot is on its way. Answers with what was known of it before. */
    note(tab: unknown, { visible, details, metrics }: Here, post: Client["post"], late: boolean) {
      const before = clients.get(tab);
      const client: Client = {
        post,
        visible,
        details: new Set(details),
        metrics,
        heard: Date.now(),
        late: before ? before.late : late,
        seen: before?.seen ?? 0,
      };
      clients.set(tab, client);
      return { client, before };
    },
    leave(tab: unknown): void {
      clients.delete(tab);
    },
    /** Forgets tabs that say nothing any more. */
    shedSilent(now: number): void {
      for (const [tab, client] of clients)
        if (now - client.heard > (client.visible ? 3 * SILENT_MS : HIDDEN_SILENT_MS)) clients.delete(tab);
    },
    tell(message: FromRelay, hiddenToo = true): void {
      for (const client of clients.values()) if (hiddenToo || client.visible) client.post(message);
    },
    anyVisible: () => all().some((client) => client.visible),
    /** Hosts that are wanted in detail, by all tabs or by those that are looked at. */
    wanted: (hiddenToo = true) =>
      new Set(all().flatMap((client) => (hiddenToo || client.visible ? [...client.details] : []))),
    /** Metrics of every host that tabs want, with those that are always told. */
    metrics: () => new Set([...SUMMARY, ...all().flatMap((client) => client.metrics)]),
  };
}
