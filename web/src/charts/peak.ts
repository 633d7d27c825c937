// The highest point that a chart shows, for a rule that is to tell of it. Pure.
import type { LegendLine } from "./model.ts";
import type { ChartSpec } from "./spec.ts";

export interface Peak {
  metric: string;
  instance: string;
  value: number;
}

/**
 * The highest sample, also where steps are drawn with their averages. Of the one line that is shown alone, otherwise of the metric that the chart's thresholds are about, otherwise of all
 * lines. Null where nothing is known.
 */
export function peakOf(spec: ChartSpec, legend: readonly LegendLine[], solo: string | null): Peak | null {
  const alone = legend.filter((line) => line.key === solo);
  const readings = (alone.length > 0 ? alone : legend).flatMap((line) => line.readings);
  const judged = readings.filter((one) => one.metric === (spec.thresholds ?? spec.total));
  let peak: Peak | null = null;
  for (const { metric, instance, highest } of judged.length > 0 ? judged : readings)
    for (const value of highest)
      if (value !== null && (peak === null || value > peak.value)) peak = { metric, instance, value };
  return peak;
}
