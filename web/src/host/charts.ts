// Which charts a host's page shows and what is on them. Pure.
import { CATALOGUE } from "../api/catalogue.gen.ts";
import type { Values } from "../api/types.gen.ts";

export interface Part {
  /** Metric path. */
  metric: string;
  word: string;
  /** Drawn below the axis, such as what is sent against what is received. */
  mirrored?: boolean;
  /** Drawn with its area filled. */
  filled?: boolean;
}

export interface ChartSpec {
  id: string;
  title: string;
  /** What the chart shows, for people who hover its title. */
  meaning: string;
  family: string;
  unit: string;
  /** `stack` adds the parts up; `lines` draws each from the axis. */
  kind: "lines" | "stack";
  /** What one legend line stands for: a part, or an instance with all its parts. */
  legend: "part" | "instance";
  parts: Part[];
  /** Metric drawn as a line over a stack. */
  total?: string;
  /** The axis reaches at least this far, so that an idle chart does not magnify noise. */
  floor: number;
  /** Metric whose latest value is the top of the axis. */
  ceiling?: string;
  /** Metric whose rules' thresholds are drawn. */
  thresholds?: string;
}

const part = (metric: string, word: string, more: Partial<Part> = {}): Part => ({ metric, word, ...more });

function single(id: string, title: string, meaning: string, metric: string, unit: string, floor: number): ChartSpec {
  const family = metric.slice(0, metric.indexOf("."));
  const instances = CATALOGUE.find((one) => one.name === family)?.instance !== "";
  return {
    id,
    title,
    meaning,
    family,
    unit,
    kind: "lines",
    legend: instances ? "instance" : "part",
    parts: [part(metric, title)],
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
    unit: "%",
    kind: "stack",
    legend: "part",
    parts: [
      part("cpu.user", "user"),
      part("cpu.nice", "nice"),
      part("cpu.system", "system"),
      part("cpu.irq", "irq"),
      part("cpu.softirq", "softirq"),
      part("cpu.steal", "steal"),
      part("cpu.iowait", "iowait"),
    ],
    total: "cpu.total",
    floor: 10,
    thresholds: "cpu.total",
  },
  {
    id: "memory",
    title: "Memory",
    meaning: "Memory that programs hold, and what the kernel keeps in it and can give back. The top is what there is.",
    family: "memory",
    unit: "B",
    kind: "lines",
    legend: "part",
    parts: [
      part("memory.used", "used", { filled: true }),
      part("memory.cached", "cached"),
      part("memory.buffers", "buffers"),
      part("memory.swap_used", "swap"),
    ],
    floor: 0,
    ceiling: "memory.total",
  },
  {
    id: "network",
    title: "Network",
    meaning: "Received above the axis, sent below it.",
    family: "network",
    unit: "B/s",
    kind: "lines",
    legend: "instance",
    parts: [
      part("network.received", "in", { filled: true }),
      part("network.sent", "out", { mirrored: true, filled: true }),
    ],
    floor: 1024,
  },
  {
    id: "disk",
    title: "Disk traffic",
    meaning: "Read above the axis, written below it.",
    family: "disk",
    unit: "B/s",
    kind: "lines",
    legend: "instance",
    parts: [part("disk.read", "read", { filled: true }), part("disk.write", "write", { mirrored: true, filled: true })],
    floor: 1024,
  },
  {
    id: "load",
    title: "Load",
    meaning: "Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes.",
    family: "cpu",
    unit: "",
    kind: "lines",
    legend: "part",
    parts: [part("cpu.load1", "1 min"), part("cpu.load5", "5 min"), part("cpu.load15", "15 min")],
    floor: 1,
  },
  single("busy", "Disk busy", "Share of time with at least one request in flight.", "disk.busy", "%", 10),
  single("space", "File systems", "Space used, as df shows it.", "filesystem.used_percent", "%", 100),
  single("inodes", "Inodes", "Share of inodes in use.", "filesystem.inodes_percent", "%", 10),
  single("gpu", "GPU", "Time with at least one kernel running.", "gpu.utilisation", "%", 100),
  single("gpu-memory", "GPU memory", "Device memory in use.", "gpu.memory_percent", "%", 100),
  single("gpu-temperature", "GPU temperature", "Core temperature.", "gpu.temperature", "°C", 50),
  single("gpu-power", "GPU power", "Board power draw.", "gpu.power", "W", 50),
  single("directory", "Directories", "Size on disk, from the agent's own walk.", "directory.size", "B", 0),
  single("agent-cpu", "Agent CPU", "What watching costs: share of one core.", "agent.cpu", "%", 1),
  single("agent-memory", "Agent memory", "What watching costs: resident memory.", "agent.rss", "B", 0),
];

/** The charts for which a host has anything to show. */
export function chartsFor(latest: Values): ChartSpec[] {
  return CHARTS.filter((spec) => {
    const metrics = metricsOf(spec).map((path) => path.slice(path.indexOf(".") + 1));
    return Object.values(latest[spec.family] ?? {}).some((values) =>
      metrics.some((name) => values[name] !== null && values[name] !== undefined),
    );
  });
}

export const metricsOf = (spec: ChartSpec): string[] => [
  ...spec.parts.map((one) => one.metric),
  ...(spec.total ? [spec.total] : []),
];

/** Every metric that the charts of a family draw, to fetch them in one request. */
export function metricsOfFamily(family: string): string[] {
  return [...new Set(CHARTS.filter((spec) => spec.family === family).flatMap(metricsOf))];
}

export const periodOf = (family: string): number =>
  (CATALOGUE.find((one) => one.name === family)?.period_s ?? 1) * 1000;
