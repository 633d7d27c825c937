// Which charts a host's page shows and what is on them. Pure.
import { CATALOGUE, familyOf, metricOf, pathWords } from "../api/catalogue.ts";
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
    thresholds: "memory.used",
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
  single("core", "core.total", 100),
  {
    id: "pressure",
    title: "Pressure",
    meaning: "Time in which some tasks, or all of them, waited for a core, for memory or for a disk.",
    family: "pressure",
    kind: "lines",
    legend: "part",
    parts: ["cpu_some", "memory_some", "memory_full", "io_some", "io_full"].map((name) => part(`pressure.${name}`)),
    floor: 5,
  },
  single("container-cpu", "container.cpu", 10),
  single("container-memory", "container.memory", 0),
  {
    id: "container-network",
    title: "Container network",
    meaning: "Received above the axis, sent below it.",
    family: "container",
    kind: "lines",
    legend: "instance",
    parts: [part("container.received"), part("container.sent", { mirrored: true })],
    floor: 1024,
  },
  {
    id: "container-disk",
    title: "Container disk traffic",
    meaning: "Read above the axis, written below it.",
    family: "container",
    kind: "lines",
    legend: "instance",
    parts: [part("container.read"), part("container.write", { mirrored: true })],
    floor: 1024,
  },
  {
    id: "processes",
    title: "Processes",
    meaning:
      "Processes that run or wait for a core, wait for a disk, are stopped, or ended without their parent noticing.",
    family: "process",
    kind: "lines",
    legend: "part",
    parts: ["running", "uninterruptible", "stopped", "zombie"].map((name) => part(`process.${name}`)),
    floor: 4,
  },
  {
    id: "connections",
    title: "TCP connections",
    meaning: "Connections that are open, and those that linger after their end.",
    family: "sockets",
    kind: "lines",
    legend: "part",
    parts: [part("sockets.tcp_established"), part("sockets.tcp_time_wait")],
    floor: 4,
    thresholds: "sockets.tcp_established",
  },
  single("sensors", "sensors.temperature", 50),
  single("units", "unit.failed", 4),
  {
    id: "agent-cost",
    title: "Agent CPU",
    meaning: metricOf("agent.cpu")?.metric.meaning ?? "",
    family: "agent",
    kind: "lines",
    legend: "part",
    parts: [part("agent.cpu", { filled: true })],
    floor: 1,
    thresholds: "agent.cpu",
  },
  single("agent-memory", "agent.rss", 0),
  single("agent-spool", "agent.buffered_batches", 4),
  single("agent-lost", "agent.dropped_total", 4),
  single("agent-clock", "agent.clock_offset", 10),
];

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

/** Families with pages of their own beside the overview. */
const APART: readonly string[] = ["agent"];

/** Families in the order in which people ask for them; what is not named here comes after, as the catalogue has it. */
const ORDER = ["cpu", "memory", "network", "disk", "filesystem", "gpu", "container", "process", "pressure", "core"];

/** The families of `paths`, of metrics or of families themselves, that have a view, in the order of their views. */
export function familiesIn(paths: readonly string[]): string[] {
  const there = new Set(paths.map((path) => path.split(".")[0] as string));
  const rest = CATALOGUE.map((family) => family.name).filter((name) => !ORDER.includes(name));
  return [...ORDER, ...rest].filter((name) => there.has(name) && !APART.includes(name));
}

/** What other programs told: a chart a name, with a line for each set of labels. `instances`: names with labels. */
function customCharts(instances: readonly string[]): ChartSpec[] {
  const names = [...new Set(instances.map((instance) => instance.split("{")[0] as string))].sort();
  return names.map((name) => ({
    ...single(`custom-${name}`, "custom.value", 0),
    title: name,
    meaning: `What other programs tell of ${name}`,
    only: name,
  }));
}

/** Charts of every metric of a family that no chart made by hand draws, in the catalogue's words. */
function restOf(family: string): ChartSpec[] {
  if (family === "custom") return [];
  const drawn = new Set(CHARTS.filter((spec) => spec.family === family).flatMap(metricsOf));
  return (familyOf(family)?.metrics ?? [])
    .map(({ name, unit }) => ({ path: `${family}.${name}`, unit }))
    .filter(({ path }) => !drawn.has(path))
    .map(({ path, unit }) => single(path.replace(".", "-"), path, unit === "%" ? 10 : 0));
}

/**
 * The charts to show where there are values of `metrics`: the most important ones of all families, or everything of one.
 * `custom`: the names of what other programs told.
 */
export function chartsFor(metrics: ReadonlySet<string>, family: string | null, custom: readonly string[]): ChartSpec[] {
  const made = CHARTS.filter((spec) => (family === null ? !APART.includes(spec.family) : spec.family === family));
  const found = [...made, ...(family ? restOf(family) : [])].filter((spec) =>
    metricsOf(spec).some((path) => metrics.has(path)),
  );
  return family === null || family === "custom" ? [...found, ...customCharts(custom)] : found;
}

export interface Request {
  name: string;
  metrics: string[];
}

/**
 * What a chart is fetched with: everything that is drawn of a family without instances, as there are few lines, on the
 * overview or on the `whole` view of the family. Everything of a hundred containers at once would take seconds.
 */
export function requestOf(spec: ChartSpec, whole: boolean): Request {
  const family = familyOf(spec.family);
  if (family?.instance !== "" && spec.only === undefined) return { name: spec.id, metrics: metricsOf(spec) };
  if (!whole || spec.only !== undefined) {
    const drawn = CHARTS.filter((one) => one.family === spec.family).flatMap(metricsOf);
    return { name: `${spec.family}.`, metrics: [...new Set([...drawn, ...metricsOf(spec)])] };
  }
  return { name: `${spec.family}.*`, metrics: family?.metrics.map((one) => `${spec.family}.${one.name}`) ?? [] };
}
