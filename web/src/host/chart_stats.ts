// Statistics of what one chart draws, asked for while its legend shows them.
import { computed, effect, untracked } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Stat, StatsAnswer } from "../api/types.gen.ts";
import type { Source } from "../charts/source.ts";
import { type ChartSpec, metricsOf } from "../charts/spec.ts";
import { bounds } from "../charts/window.ts";
import { now } from "../live/session.ts";
import { statsAfter } from "./exports.ts";
import type { View } from "./view.ts";

export type ChartStats = Required<Pick<Source, "stats" | "watchStats">>;

export function useChartStats(host: string, spec: ChartSpec, { window, edge }: View): ChartStats {
  return useMemo(() => {
    const stats = loader<readonly Stat[]>(async (signal) => {
      const { from, to } = bounds(window.peek(), edge.peek());
      const query = new URLSearchParams({
        metrics: metricsOf(spec).join(),
        from: String(Math.floor(from)),
        to: String(Math.ceil(to)),
      });
      return (await get<StatsAnswer>(`/hosts/${encodeURIComponent(host)}/stats?${query}`, signal)).stats;
    });
    function watchStats(): () => void {
      // Moves with the window: an effect of the chart calls this again then.
      const shown = window.value;
      // In a hidden tab time stands still.
      const turn = computed(() => (shown.kind === "live" ? Math.floor(now.value / statsAfter(shown.span_ms)) : 0));
      const stop = effect(() => {
        turn.value;
        untracked(stats.refresh);
      });
      return () => {
        stop();
        stats.close();
      };
    }
    return { stats: stats.state, watchStats };
  }, [host, spec, window, edge]);
}
