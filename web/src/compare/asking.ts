// Which requests answer what is stored of one metric: one where that can be, otherwise one for each instance that is
// asked for. Pure but for `ask`.
import { instanceOf } from "../api/catalogue.ts";
import type { FleetSeriesAnswer } from "../api/types.gen.ts";
import type { Asked } from "./asked.ts";

/** Most lines that an answer has. */
export const MOST_COLUMNS = 100;

/** Asks the gateway for `/series`. */
export type Ask = (query: URLSearchParams, signal: AbortSignal) => Promise<FleetSeriesAnswer>;

export interface Span {
  /** Unix milliseconds. */
  from: number;
  to: number;
  points: number;
}

export interface Gathered {
  answer: FleetSeriesAnswer;
  /** Every instance that is known of: those that may be chosen. */
  instances: readonly string[];
}

/** The query of `metric`; `instance`: the only one to answer for. See `Asked` for what is asked without hosts. */
export function queryOf(
  metric: string,
  { hosts, top, by }: Asked,
  span: Span,
  instance: string | null,
): URLSearchParams {
  const query = new URLSearchParams({ metric, from: String(Math.floor(span.from)), to: String(Math.ceil(span.to)) });
  query.set("points", String(span.points));
  if (instance !== null) query.set("instance", instance);
  if (hosts.length > 0) {
    query.set("hosts", hosts.join());
    // Of hosts with more instances than an answer may have, the largest come.
    if (instanceOf(metric) !== "") query.set("top", String(MOST_COLUMNS));
  } else {
    query.set("top", String(top));
    query.set("by", by);
  }
  return query;
}

/** What is stored of `metric`. `offered`: instances that earlier answers told of. */
export async function gather(
  metric: string,
  asked: Asked,
  span: Span,
  offered: readonly string[],
  ask: (query: URLSearchParams) => Promise<FleetSeriesAnswer>,
): Promise<Gathered> {
  const named = asked.hosts.length > 0;
  const chosen = instanceOf(metric) === "" ? [] : asked.instances;
  const askAll = () => ask(queryOf(metric, asked, span, null));
  // The whole fleet is not ranked only to learn again what there is to choose from.
  const all = named || chosen.length === 0 || offered.length === 0 ? await askAll() : null;
  const instances = merged(offered, all);
  if (all && (chosen.length === 0 || (named && all.considered <= MOST_COLUMNS))) return { answer: all, instances };
  const some = joined(await Promise.all(chosen.map((instance) => ask(queryOf(metric, asked, span, instance)))));
  return { answer: some ?? all ?? (await askAll()), instances: merged(instances, some) };
}

const merged = (known: readonly string[], answer: FleetSeriesAnswer | null): string[] =>
  [...new Set([...known, ...(answer?.series ?? []).map(({ instance }) => instance)])].filter(Boolean).sort();

/** Answers for one instance each as one; null where none of them has a line. */
function joined(answers: readonly FleetSeriesAnswer[]): FleetSeriesAnswer | null {
  const [first] = answers;
  // Of another grid is only what was answered after data had moved to a coarser one: the next answers agree again.
  const fitting = answers.filter((one) => one.step_ms === first?.step_ms && one.from === first.from);
  const series = fitting.flatMap((one) => one.series);
  if (!first || series.length === 0) return null;
  return { ...first, considered: fitting.reduce((sum, one) => sum + one.considered, 0), series };
}
