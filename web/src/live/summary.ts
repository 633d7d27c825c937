// What a card shows; the fleet's part of the stream carries no more.
export const SUMMARY: readonly string[] = [
  "cpu.total",
  "cpu.load1",
  "memory.used_percent",
  "filesystem.used_percent",
  "filesystem.inodes_percent",
  "gpu.utilisation",
  "network.received",
  "network.sent",
];
