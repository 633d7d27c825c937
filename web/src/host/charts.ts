// Which charts a host's page shows and what is on them. Pure.
import { familyOf, metricOf, pathWords } from "../api/catalogue.ts";
import type { Values } from "../api/types.gen.ts";
import type { Answered } from "../charts/source.ts";
import { type ChartSpec, metricsOf, type Part } from "../charts/spec.ts";

const part = (metric: string, more: Partial<Part> = {}): Part => ({ metric, ...more });

/** A chart of one metric, in the catalogue's words, with a line an instance. */
function single(id: string, metric: string, floor: number): ChartSpec {
  const family = metric.slice(0, metric.indexOf("."));
  return {
    id,
    title: pathWords(metric),
    meaning: metricOf(metric)?.metric.meaning ?? "",
    family,
    kind: "lines",
    legend: familyOf(family)?.instance ? "instance" : "part",
    parts: [part(metric)],
    floor,
    thresholds: metric,
  };
}

export const CHARTS: readonly ChartSpec[] = [
  {
    id: "cpu",
    title: "CPU",
    meaning: "Busy time of all cores by kind, waiting for disks on top; the line is the busy total.",
    family: "cpu",
    kind: "stack",
    legend: "part",
    parts: ["user", "nice", "system", "irq", "softirq", "steal", "iowait"].map((name) => part(`cpu.${name}`)),
    total: "cpu.total",
    floor: 10,
    thresholds: "cpu.total",
  },
  {
    id: "memory",
    title: "Memory",
    meaning: "Memory that programs hold, and what the kernel keeps in it and can give back. The top is what there is.",
    family: "memory",
    kind: "lines",
    legend: "part",
    parts: [
      part("memory.used", { filled: true }),
      part("memory.cached"),
      part("memory.buffers"),
      part("memory.swap_used"),
    ],
    floor: 0,
    ceiling: "memory.total",
  },
  {
    id: "network",
    title: "Network",
    meaning: "Received above the axis, sent below it.",
    family: "network",
    kind: "lines",
    legend: "instance",
    parts: [part("network.received", { filled: true }), part("network.sent", { mirrored: true, filled: true })],
    floor: 1024,
  },
  {
    id: "disk",
    title: "Disk traffic",
    meaning: "Read above the axis, written below it.",
    family: "disk",
    kind: "lines",
    legend: "instance",
    parts: [part("disk.read", { filled: true }), part("disk.write", { mirrored: true, filled: true })],
    floor: 1024,
  },
  {
    id: "load",
    title: "Load",
    meaning: "Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes.",
    family: "cpu",
    kind: "lines",
    legend: "part",
    parts: [part("cpu.load1"), part("cpu.load5"), part("cpu.load15")],
    floor: 1,
  },
  single("busy", "disk.busy", 10),
  single("space", "filesystem.used_percent", 100),
  single("inodes", "filesystem.inodes_percent", 10),
  single("gpu", "gpu.utilisation", 100),
  single("gpu-memory", "gpu.memory_percent", 100),
  single("gpu-temperature", "gpu.temperature", 50),
  single("gpu-power", "gpu.power", 50),
  single("directory", "directory.size", 0),
  single("agent-cpu", "agent.cpu", 1),
  single("agent-memory", "agent.rss", 0),
];

/** What nearly every host has: asked for where nothing is known of a host's present. */
export const CORE_FAMILIES: readonly string[] = ["cpu", "memory", "network", "disk", "filesystem"];

/** Paths of the metrics that have a latest value. */
export function metricsIn(latest: Values): Set<string> {
  const paths = new Set<string>();
  for (const [family, instances] of Object.entries(latest))
    for (const values of Object.values(instances))
      for (const [name, value] of Object.entries(values)) if (value !== null) paths.add(`${family}.${name}`);
  return paths;
}

/** Paths of the metrics that an answer has any value of. */
export const metricsStored = (answer: Answered | null): string[] =>
  answer?.series.filter((one) => one.avg.some((value) => value !== null)).map((one) => one.metric) ?? [];

/** The charts that have something to show where there are values of `metrics`. */
export const chartsFor = (metrics: ReadonlySet<string>): ChartSpec[] =>
  CHARTS.filter((spec) => metricsOf(spec).some((path) => metrics.has(path)));

/** Every metric that the charts of a family draw, to fetch them in one request. */
export function metricsOfFamily(family: string): string[] {
  return [...new Set(CHARTS.filter((spec) => spec.family === family).flatMap(metricsOf))];
}
