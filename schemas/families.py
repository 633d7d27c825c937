"""Every family and metric that Sonde knows, declared once."""

from __future__ import annotations

from schemas.metric import Family, Metric, count, flag, number, percent, rate, size


def _load(code: int, minutes: int) -> Metric:
    meaning = f"Runnable and uninterruptible tasks, {minutes}-minute average."
    return Metric(code, f"load{minutes}", "", 0.01, "int4", meaning, f"load {minutes} min")


CPU = Family(
    "cpu",
    "Processor time of the whole host, as a share of all logical cores, and load averages.",
    1,
    (
        percent(1, "total", "Busy time: everything but idle and iowait."),
        percent(2, "user", "Time in user programs, nice excluded."),
        percent(3, "system", "Time in the kernel, interrupts excluded."),
        percent(4, "iowait", "Idle time while a local disk request was outstanding.", label="I/O wait"),
        percent(5, "steal", "Time the hypervisor gave to other guests."),
        percent(6, "nice", "Time in user programs of lowered priority."),
        percent(7, "irq", "Time in hardware interrupts.", label="hard interrupts"),
        percent(8, "softirq", "Time in software interrupts.", label="soft interrupts"),
        _load(9, 1),
        _load(10, 5),
        _load(11, 15),
        rate(12, "context_switches", "Context switches per second."),
        rate(13, "interrupts", "Hardware interrupts served per second."),
        Metric(14, "frequency", "MHz", 1, "int4", "Current clock, averaged over cores."),
        number(15, "procs_running", "Tasks running or waiting for a core, now.", label="tasks running"),
        number(16, "procs_blocked", "Tasks waiting for a disk or network file system, now.", label="tasks blocked"),
        rate(17, "forks", "Processes and threads created per second.", resolution=0.1),
    ),
    label="CPU",
)

MEMORY = Family(
    "memory",
    "Physical memory and swap.",
    1,
    (
        size(1, "total", "Physical memory the kernel manages."),
        size(2, "available", "Memory that programs can get without swapping."),
        size(3, "used", "total - available.", label="in use"),
        size(4, "free", "Memory used for nothing at all."),
        size(5, "cached", "Page cache and reclaimable slab."),
        size(6, "buffers", "Block device buffers."),
        percent(7, "used_percent", "(total - available) / total.", label="used"),
        size(8, "swap_total", "Swap space."),
        size(9, "swap_used", "Swap space in use.", label="swap in use"),
        percent(10, "swap_percent", "swap_used / swap_total; 0 without swap.", label="swap used"),
        rate(11, "swap_in", "Bytes read back from swap per second.", "B/s", label="swapped in"),
        rate(12, "swap_out", "Bytes written to swap per second.", "B/s", label="swapped out"),
        size(13, "dirty", "Memory waiting to be written to disk."),
        size(14, "slab", "Kernel data structures, reclaimable ones included."),
        size(15, "shared", "Shared memory and tmpfs."),
        number(16, "oom_kills", "Processes killed for lack of memory since boot.", label="OOM kills"),
        rate(17, "major_faults", "Page faults per second that had to wait for a disk.", resolution=0.1),
    ),
)

FILESYSTEM = Family(
    "filesystem",
    "Space and inodes of each mounted file system.",
    10,
    (
        size(1, "total", "Size of the file system."),
        size(2, "used", "Bytes in use, reserved blocks excluded.", label="in use"),
        size(3, "available", "Bytes an unprivileged program can still write."),
        percent(4, "used_percent", "used / (used + available), as df shows it.", label="used"),
        count(5, "inodes_total", "Inodes the file system can hold; null where it has no such limit."),
        count(6, "inodes_used", "Inodes in use.", label="inodes in use"),
        percent(7, "inodes_percent", "inodes_used / inodes_total.", label="inodes used"),
        flag(8, "read_only", "1 when mounted read-only.", label="read-only"),
        flag(9, "stuck", "1 when the file system did not answer within the deadline; its other values are null then."),
    ),
    instance="mount",
    label="File system",
)

DISK = Family(
    "disk",
    "Traffic of each whole disk.",
    1,
    (
        rate(1, "read", "Bytes read per second.", "B/s"),
        rate(2, "write", "Bytes written per second.", "B/s"),
        rate(3, "reads", "Read requests completed per second.", resolution=0.1, label="read requests"),
        rate(4, "writes", "Write requests completed per second.", resolution=0.1, label="write requests"),
        percent(5, "busy", "Time with at least one request in flight."),
        Metric(6, "read_wait", "ms", 0.01, "int4", "Mean time of a completed read, queueing included."),
        Metric(7, "write_wait", "ms", 0.01, "int4", "Mean time of a completed write, queueing included."),
        Metric(8, "queue", "", 0.01, "int4", "Mean number of requests in flight."),
    ),
    instance="disk",
)

NETWORK = Family(
    "network",
    "Traffic of each network interface.",
    1,
    (
        rate(1, "received", "Bytes received per second.", "B/s"),
        rate(2, "sent", "Bytes sent per second.", "B/s"),
        rate(3, "errors", "Receive and transmit errors per second."),
        rate(4, "drops", "Packets dropped on receive and transmit per second."),
        rate(5, "packets_received", "Packets received per second."),
        rate(6, "packets_sent", "Packets sent per second."),
        Metric(7, "speed", "Mbit/s", 1, "int4", "Negotiated speed of the link; null where there is none."),
        flag(8, "up", "1 while the interface is up and has a carrier.", label="link up"),
    ),
    instance="interface",
)

GPU = Family(
    "gpu",
    "NVIDIA GPUs, read through NVML.",
    1,
    (
        percent(1, "utilisation", "Time with at least one kernel running."),
        size(2, "memory_used", "Device memory in use.", label="memory in use"),
        size(3, "memory_total", "Device memory."),
        percent(4, "memory_percent", "memory_used / memory_total.", label="memory used"),
        Metric(5, "temperature", "°C", 0.1, "int2", "Core temperature."),
        Metric(6, "power", "W", 0.1, "int4", "Board power draw."),
        percent(7, "memory_utilisation", "Time the memory controller was busy."),
        percent(8, "fan", "Fan speed as a share of its maximum.", label="fan speed", most=None),
        Metric(9, "clock", "MHz", 1, "int4", "Graphics clock."),
        Metric(10, "memory_clock", "MHz", 1, "int4", "Memory clock."),
        Metric(11, "power_limit", "W", 0.1, "int4", "Enforced power limit."),
        percent(12, "encoder", "Time the video encoder was busy.", label="encoder busy"),
        percent(13, "decoder", "Time the video decoder was busy.", label="decoder busy"),
        count(14, "ecc_corrected", "Memory errors corrected since the driver was loaded.", label="ECC corrected"),
        count(
            15, "ecc_uncorrected", "Memory errors not corrected since the driver was loaded.", label="ECC uncorrected"
        ),
        count(16, "throttle_reasons", "Why clocks are held down, as NVML's bit mask; 1 is idleness."),
        flag(17, "throttled", "1 while heat, power or hardware holds the clocks down."),
    ),
    instance="gpu",
    label="GPU",
)

DIRECTORY = Family(
    "directory",
    "Size of configured directories, the Docker data directory by default, from the agent's own walk.",
    300,
    (
        size(1, "size", "Allocated blocks, hard links counted once, one file system."),
        count(2, "files", "Entries that are not directories."),
        Metric(3, "scan_seconds", "s", 0.01, "int4", "How long the last complete walk took.", label="scan time"),
        Metric(4, "scan_age", "s", 1, "int4", "Seconds since the last complete walk ended.", label="age of last scan"),
        count(5, "unreadable", "Entries the agent was not allowed to read.", label="unreadable entries"),
    ),
    instance="path",
)

AGENT = Family(
    "agent",
    "The agent's own cost and backlog.",
    10,
    (
        percent(1, "cpu", "Processor time of the agent as a share of one core.", label="CPU", most=None),
        size(2, "rss", "Resident memory of the agent's process.", label="resident memory"),
        Metric(3, "collect", "ms", 0.01, "int4", "Mean time one tick of all collectors took.", label="collection time"),
        count(4, "buffered_batches", "Batches on disk that the bus has not acknowledged."),
        size(5, "buffered_bytes", "Bytes of those batches."),
        Metric(6, "oldest_age", "s", 1, "int4", "Age of the oldest of those batches.", label="age of oldest batch"),
        count(
            7, "dropped_total", "Batches dropped since the spool was made, because it was full.", label="lost batches"
        ),
        Metric(8, "publish", "ms", 0.01, "int4", "Round trip of the last acknowledged publish.", label="publish time"),
        count(9, "reconnects", "Times the bus connection was re-established since start."),
        count(10, "late_ticks", "Ticks skipped since start because the previous one ran over."),
        Metric(
            11,
            "clock_offset",
            "ms",
            0.1,
            "int4",
            "How far this clock is ahead of the true time, as the system's time service knows it.",
        ),
        number(12, "config_revision", "Revision of the settings in force; 0: none were pushed."),
    ),
)

CORE = Family(
    "core",
    "Each logical core.",
    1,
    (percent(1, "total", "Busy time: everything but idle and iowait."),),
    instance="core",
    sampled="watched",
)

PRESSURE = Family(
    "pressure",
    "Pressure stall information: time that tasks lost waiting for a resource.",
    1,
    (
        percent(1, "cpu_some", "Time in which some task waited for a core.", label="CPU, some tasks"),
        percent(2, "memory_some", "Time in which some task waited for memory.", label="memory, some tasks"),
        percent(3, "memory_full", "Time in which every task waited for memory.", label="memory, all tasks"),
        percent(4, "io_some", "Time in which some task waited for a disk.", label="I/O, some tasks"),
        percent(5, "io_full", "Time in which every task waited for a disk.", label="I/O, all tasks"),
    ),
)

SOCKETS = Family(
    "sockets",
    "Sockets and connection tracking of the whole host.",
    10,
    (
        number(
            1,
            "tcp_established",
            "TCP connections established or waiting to be closed by this side.",
            label="TCP established",
        ),
        number(2, "tcp_time_wait", "TCP connections in TIME_WAIT.", label="TCP in TIME_WAIT"),
        rate(3, "tcp_retransmits", "TCP segments sent again per second.", resolution=0.1, label="TCP retransmits"),
        number(4, "conntrack_used", "Connections the firewall tracks.", label="tracked connections"),
        number(5, "conntrack_limit", "Connections the firewall can track.", label="tracked connections limit"),
        percent(
            6, "conntrack_percent", "conntrack_used / conntrack_limit.", label="tracked connections used", most=None
        ),
    ),
)

SENSORS = Family(
    "sensors",
    "Temperature, fan and battery sensors of the machine.",
    5,
    (
        Metric(1, "temperature", "°C", 0.1, "int2", "Temperature."),
        Metric(2, "temperature_high", "°C", 0.1, "int2", "Temperature the maker calls high."),
        Metric(3, "temperature_critical", "°C", 0.1, "int2", "Temperature the maker calls critical."),
        Metric(4, "fan", "rpm", 1, "int4", "Fan speed.", label="fan speed"),
        percent(5, "battery", "Charge of the battery.", label="battery charge"),
        flag(6, "plugged", "1 while the machine runs on mains.", label="on mains"),
    ),
    instance="sensor",
)

CONTAINER = Family(
    "container",
    "Containers of the Docker engine.",
    10,
    (
        Metric(1, "cpu", "%", 0.01, "int4", "Processor time as a share of one core.", label="CPU"),
        size(2, "memory", "Memory in use, reclaimable page cache excluded.", label="memory in use"),
        size(3, "memory_limit", "Most memory it may use; null without a limit."),
        percent(4, "memory_percent", "memory / memory_limit.", label="memory used"),
        rate(5, "received", "Bytes received per second.", "B/s"),
        rate(6, "sent", "Bytes sent per second.", "B/s"),
        rate(7, "read", "Bytes read from disks per second.", "B/s"),
        rate(8, "write", "Bytes written to disks per second.", "B/s"),
        number(9, "pids", "Processes and threads.", label="processes and threads"),
        flag(10, "running", "1 while it runs."),
        number(11, "restarts", "Times the engine restarted it."),
    ),
    instance="container",
    sampled="never",
)

PROCESS = Family(
    "process",
    "Processes of the host, counted by state.",
    10,
    (
        number(1, "total", "All processes."),
        number(2, "running", "Running or waiting for a core."),
        number(3, "sleeping", "Waiting for an event, idle kernel threads included."),
        number(4, "uninterruptible", "Waiting for a disk or network file system."),
        number(5, "stopped", "Stopped or traced."),
        number(6, "zombie", "Ended and not yet collected by their parent."),
        number(7, "threads", "Threads of all processes."),
    ),
    label="Processes",
)

UNIT = Family(
    "unit",
    "State of the system's services.",
    60,
    (
        number(1, "failed", "systemd units that failed.", label="failed units"),
        flag(2, "reboot_required", "1 when an update waits for a reboot."),
        flag(3, "clock_synchronised", "1 while the clock is kept by a time service."),
    ),
    label="System",
)

CUSTOM = Family(
    "custom",
    "Values that other programs leave in `*.prom` files, in the Prometheus text format.",
    10,
    (Metric(1, "value", "", 0.001, "int8", "The value as it was written."),),
    instance="metric",
)
