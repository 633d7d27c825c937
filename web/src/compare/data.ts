// What is stored of each metric that is compared, and what was a day or a week before: asked for again when the window
// moves on, as charts of one host are. A hidden page asks for nothing: its clock stands still.
import { effect, type ReadonlySignal, untracked } from "@preact/signals-core";
import { instanceOf } from "../api/catalogue.ts";
import { type Loader, type Loading, loader } from "../api/loading.ts";
import type { FleetSeriesAnswer } from "../api/types.gen.ts";
import type { Stretch } from "../charts/stretches.ts";
import { bounds, refetchAfter, STORED_AFTER_MS, type Window, windowQuery } from "../charts/window.ts";
import { type Asked, BEHIND_MS } from "./asked.ts";
import { type Ask, gather } from "./asking.ts";
import { choose } from "./lines.ts";

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
  /** Every instance that is known of, whichever are chosen. */
  instances: readonly string[];
}

export interface Wanted {
  asked: Asked;
  window: Window;
  points: number;
  polled: boolean;
}

export interface Series {
  of: (metric: string) => ReadonlySignal<Loading<Loaded>>;
  retry: (metric: string) => void;
  /** Asks for what was not asked for already, and for nothing else any more. */
  show: (wanted: Wanted | null) => void;
  /** Asks for the same again: something was missed. */
  refresh: () => void;
  close: () => void;
}

interface Kept {
  loader: Loader<Loaded>;
  /** What it was asked for last, as text. */
  asked: string;
  /** When it is asked for again, by the clock; null: not by itself. */
  due: number | null;
  /** Instances that answers for these hosts told of. */
  offered: { hosts: string; instances: readonly string[] };
}

/** `clock`: Unix milliseconds, moving while the page is visible. `edge`: where a live window ends. */
export function openSeries(clock: ReadonlySignal<number>, edge: () => number, ask: Ask): Series {
  const series = new Map<string, Kept>();
  let wanted: Wanted | null = null;

  async function load(metric: string, kept: Kept, signal: AbortSignal): Promise<Loaded> {
    const { asked, window, points, polled } = wanted as Wanted;
    kept.due = null;
    const present = clock.peek();
    const shown = bounds(window, edge());
    // Beyond the last sample too: what comes after now the live stream tells, and nothing may lie between.
    const [from, to] = [shown.from, window.kind === "live" ? Math.max(shown.to, present) : shown.to];
    const shift_ms = BEHIND_MS[asked.behind];
    const askOnce = (query: URLSearchParams) => ask(query, signal);
    const hosts = asked.hosts.join();
    if (kept.offered.hosts !== hosts) kept.offered = { hosts, instances: [] };
    const { answer, instances } = await gather(metric, asked, { from, to, points }, kept.offered.instances, askOnce);
    if (!signal.aborted) kept.offered = { hosts, instances };
    const { lines } = choose(answer, asked);
    let before: FleetSeriesAnswer | null = null;
    if (shift_ms > 0 && lines.length > 0) {
      const ahead_ms = window.kind === "live" ? AHEAD_MS : 0;
      const drawn = {
        ...asked,
        hosts: [...new Set(lines.map((line) => line.host))],
        instances: [...new Set(lines.map((line) => line.instance))],
      };
      const span = { from: from - shift_ms, to: to + ahead_ms - shift_ms, points };
      before = (await gather(metric, drawn, span, [], askOnce)).answer;
    }
    // Not before the answers are there, so that a slow gateway is not asked more often than it answers.
    const again_ms = refetchAfter(window, answer.step_ms, clock.peek(), polled);
    if (again_ms !== null && !signal.aborted)
      kept.due = clock.peek() + (asked.hosts.length > 0 ? again_ms : Math.max(RANKED_MS, answer.step_ms / 2));
    // Without live samples nothing tells of the last seconds, which are stored only later.
    const told = polled || asked.hosts.length === 0 ? present - STORED_AFTER_MS : present;
    return { answer, before, shift_ms, known: { from: answer.from, to: Math.min(answer.to, told) }, instances };
  }

  function keptOf(metric: string): Kept {
    let found = series.get(metric);
    if (!found) {
      const made: Kept = {
        loader: loader((signal) => load(metric, made, signal)),
        asked: "",
        due: null,
        offered: { hosts: "", instances: [] },
      };
      found = made;
      series.set(metric, made);
    }
    return found;
  }

  function end(metric: string): void {
    series.get(metric)?.loader.close();
    series.delete(metric);
  }

  const stop = effect(() => {
    const time = clock.value;
    untracked(() => {
      for (const kept of series.values()) {
        if (kept.due === null || time < kept.due) continue;
        kept.due = null;
        kept.loader.load();
      }
    });
  });

  return {
    of: (metric) => keptOf(metric).loader.state,
    retry: (metric) => keptOf(metric).loader.load(),
    show(next) {
      wanted = next;
      const metrics = next?.asked.metrics ?? [];
      for (const metric of series.keys()) if (!metrics.includes(metric)) end(metric);
      for (const metric of metrics) {
        const kept = keptOf(metric);
        const asked = textOf(metric, next as Wanted);
        if (kept.asked === asked) continue;
        kept.asked = asked;
        kept.loader.load();
      }
    },
    refresh() {
      for (const kept of series.values()) if (kept.asked) kept.loader.refresh();
    },
    close() {
      stop();
      for (const metric of series.keys()) end(metric);
    },
  };
}

/** What of `wanted` decides what is asked for `metric`. */
function textOf(metric: string, { asked, window, points, polled }: Wanted): string {
  const { hosts, top, by, behind } = asked;
  const instances = instanceOf(metric) === "" ? [] : asked.instances;
  const who = hosts.length > 0 ? hosts : [top, by];
  return JSON.stringify([who, instances, behind, windowQuery(window), points, polled]);
}
