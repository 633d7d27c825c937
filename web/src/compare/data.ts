// What is stored of each metric that is compared, and what was a day or a week before: asked for again when the window
// moves on, as charts of one host are.
import type { ReadonlySignal } from "@preact/signals";
import { instanceOf } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { type Loader, type Loading, loader } from "../api/loading.ts";
import type { FleetSeriesAnswer } from "../api/types.gen.ts";
import type { Stretch } from "../charts/stretches.ts";
import { bounds, refetchAfter, STORED_AFTER_MS, type Window } from "../charts/window.ts";
import { type Asked, BEHIND_MS } from "./asked.ts";

/** Most lines that an answer has. */
const MOST_COLUMNS = 100;
/** Who leads is asked for at most so often: that is work for the database. */
const RANKED_MS = 30_000;
/** What was before is known further than what is: so much of it is fetched beyond the window, until it is fetched again. */
const AHEAD_MS = 300_000;

export interface Loaded {
  answer: FleetSeriesAnswer;
  before: FleetSeriesAnswer | null;
  /** How much later what was before is drawn. */
  shift_ms: number;
  known: Stretch;
}

export interface Wanted {
  asked: Asked;
  window: Window;
  points: number;
  polled: boolean;
  edge: () => number;
  now: () => number;
}

export interface Series {
  of: (metric: string) => ReadonlySignal<Loading<Loaded>>;
  retry: (metric: string) => void;
  show: (wanted: Wanted) => void;
  close: () => void;
}

/** The query of `metric`; see `Asked` for what is asked without hosts. */
export function queryOf(metric: string, asked: Asked, from: number, to: number, points: number): URLSearchParams {
  const query = new URLSearchParams({ metric, from: String(Math.floor(from)), to: String(Math.ceil(to)) });
  query.set("points", String(points));
  const several = instanceOf(metric) !== "";
  if (several && asked.instances.length === 1) query.set("instance", asked.instances[0] as string);
  if (asked.hosts.length > 0) {
    query.set("hosts", asked.hosts.join());
    // Of hosts with more instances than an answer may have, the largest come.
    if (several) query.set("top", String(MOST_COLUMNS));
  } else {
    query.set("top", String(several && asked.instances.length > 1 ? MOST_COLUMNS : asked.top));
    query.set("by", asked.by);
  }
  return query;
}

export function openSeries(): Series {
  const loaders = new Map<string, Loader<Loaded>>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let wanted: Wanted | null = null;

  async function ask(metric: string, signal: AbortSignal): Promise<Loaded> {
    const { asked, window, points, polled, edge, now } = wanted as Wanted;
    clearTimeout(timers.get(metric));
    const { from, to } = bounds(window, edge());
    const present = now();
    const shift_ms = BEHIND_MS[asked.behind];
    const answerOf = (query: URLSearchParams) => get<FleetSeriesAnswer>(`/series?${query}`, signal);
    const answer = await answerOf(queryOf(metric, asked, from, to, points));
    const hosts = [...new Set(answer.series.map((column) => column.host))];
    const ahead_ms = window.kind === "live" ? AHEAD_MS : 0;
    const before =
      shift_ms > 0 && hosts.length > 0
        ? await answerOf(queryOf(metric, { ...asked, hosts }, from - shift_ms, to + ahead_ms - shift_ms, points))
        : null;
    const again_ms = refetchAfter(window, answer.step_ms, now(), polled);
    if (again_ms !== null && !signal.aborted) {
      const wait_ms = asked.hosts.length > 0 ? again_ms : Math.max(RANKED_MS, answer.step_ms / 2);
      timers.set(
        metric,
        setTimeout(() => loaders.get(metric)?.load(), wait_ms),
      );
    }
    // Without live samples nothing tells of the last seconds, which are stored only later.
    const told = polled || asked.hosts.length === 0 ? present - STORED_AFTER_MS : present;
    return { answer, before, shift_ms, known: { from: answer.from, to: Math.min(answer.to, told) } };
  }

  function loaderOf(metric: string): Loader<Loaded> {
    let found = loaders.get(metric);
    if (!found) {
      found = loader((signal) => ask(metric, signal));
      loaders.set(metric, found);
    }
    return found;
  }

  return {
    of: (metric) => loaderOf(metric).state,
    retry: (metric) => loaderOf(metric).load(),
    show(next) {
      wanted = next;
      for (const [metric, one] of loaders) if (!next.asked.metrics.includes(metric)) one.close();
      for (const metric of next.asked.metrics) loaderOf(metric).load();
    },
    close() {
      for (const one of loaders.values()) one.close();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
