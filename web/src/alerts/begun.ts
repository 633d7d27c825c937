// The draft of a rule that begins with a line of a chart that is too high (`too_high.ts`). Pure.
import { instanceOf, metricOf, pathWords } from "../api/catalogue.ts";
import { niceStep } from "../charts/scale.ts";
import { type Draft, FRESH } from "./draft.ts";

const HOST = /^[a-z0-9-]{1,40}$/;

/** The draft that an address asks for; null when it asks for none, or for something that is not there. */
export function draftFrom(query: URLSearchParams): Draft | null {
  const metric = query.get("metric") ?? "";
  const host = query.get("host") ?? "";
  const value = Number(query.get("value") || Number.NaN);
  if (query.get("new") !== "rule" || !metricOf(metric) || !HOST.test(host)) return null;
  const instance = (instanceOf(metric) && query.get("instance")) || "";
  const raise = Number.isFinite(value) && value > 0 ? belowIt(value) : null;
  return {
    ...FRESH,
    name: `${pathWords(metric)} high on ${host}${instance ? ` ${instance}` : ""}`,
    metric,
    host,
    instance: instance || "*",
    // However short the peak was, it would have fired then.
    for_s: "0",
    warning_raise: raise === null ? "" : String(raise),
    warning_clear: raise === null ? "" : String(Number((0.9 * raise).toPrecision(3))),
    critical_raise: "",
    critical_clear: "",
  };
}

/** The next round value below one that is too high: it would have fired then. */
function belowIt(value: number): number {
  const step = niceStep(value / 20);
  const below = Math.ceil(value / step - 1e-9) * step - step;
  return Number(below.toPrecision(6));
}
