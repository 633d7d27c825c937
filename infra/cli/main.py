"""`sonde`: parse the command line, run the command, turn its failure into one line and an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import msgspec

from infra.cli import process
from infra.settings import AgentSettings, ServerSettings, SettingError, load_settings
from schemas.version import VERSION


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv`; returns the exit status."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except (SettingError, process.CommandError) as error:
        print(f"sonde: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sonde",
        description="A fleet monitor over NATS.",
        epilog="Settings: SONDE_* variables, see docs/settings.md.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], does: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=does, description=does)
        command.set_defaults(command=run)
        return command

    add("up", _up, "Run everything on this machine: both servers, all services and a local agent.")
    agent = add("agent", _agent, "Sample this machine and publish to the bus; check what is read; show what it does.")
    agent.add_argument("action", nargs="?", choices=("run", "check", "status"), help="what to do (default: run)")
    agent.add_argument("--once", action="store_true", help="read every collector once, the same as check")
    agent.add_argument("--json", action="store_true", help="check and status as one JSON object, for scripts")
    for name, does in (
        ("ingest", "Write batches from the bus into the database."),
        ("alerts", "Judge batches by the rules and tell people."),
        ("gateway", "Serve REST, the live stream and the dashboard."),
    ):
        add(name, lambda _, name=name: process.run_service(name, _server_settings()), does)  # type: ignore[misc]
    retention = add("retention", _retention, "Roll up, make room for new data and drop what is old.")
    which = retention.add_mutually_exclusive_group()
    which.add_argument("--once", action="store_true", help="one run now, with a report")
    which.add_argument("--dry-run", action="store_true", help="show what a run would do; changes nothing")
    storage = add("storage", _storage, "Show what each family takes, how fast it grows and what that comes to.")
    storage.add_argument("--days", action="store_true", help="raw rows by day instead of by family")
    storage.add_argument("--json", action="store_true", help="everything as one JSON object")
    add("migrate", _migrate, "Bring the database and the streams up to date.")
    tail = add("tail", _tail, "Show decoded bus traffic.")
    tail.add_argument("subject", nargs="?", default=">", help="subject to follow, wildcards allowed (default: all)")
    tail.add_argument("--json", action="store_true", help="one JSON object a line")
    tail.add_argument("--count", type=int, default=0, metavar="N", help="end after N messages")
    add("hosts", _hosts, "List the hosts with their state.")
    add("doctor", _doctor, "Check every link from agent to browser and name the broken one.")
    bench = add("bench", _bench, "Measure, beside the limit in the same run.")
    bench.add_argument("name", help="agent, wire, ingest ...")
    bench.add_argument("rest", nargs=argparse.REMAINDER, help="options of the benchmark, such as --json")
    return parser


def _server_settings() -> ServerSettings:
    """Settings of a server process; where they name no servers, those of a `sonde up` on the same data directory."""
    settings = load_settings(ServerSettings)
    running = process.read_running(settings.data)
    if running is None:
        return settings
    defaults = ServerSettings()
    changes = {
        name: getattr(running, name)
        for name in ("nats_url", "database_url", "port")
        if getattr(settings, name) == getattr(defaults, name)
    }
    return msgspec.structs.replace(settings, **changes)


def _up(_: argparse.Namespace) -> int:
    from infra.cli.up import up

    return up(load_settings(ServerSettings), load_settings(AgentSettings))


def _agent(arguments: argparse.Namespace) -> int:
    from agent.__main__ import main

    options = [f"--{name}" for name in ("once", "json") if getattr(arguments, name)]
    return main([*filter(None, [arguments.action]), *options])


def _migrate(_: argparse.Namespace) -> int:
    from infra.cli.migrate import migrate_all

    return process.run(migrate_all(_server_settings()))


def _retention(arguments: argparse.Namespace) -> int:
    if not (arguments.once or arguments.dry_run):
        return process.run_service("retention", _server_settings())
    from infra.cli import retention

    return process.run((retention.once if arguments.once else retention.dry_run)(_server_settings()))


def _storage(arguments: argparse.Namespace) -> int:
    from infra.cli.storage import storage

    return process.run(storage(_server_settings(), arguments.days, arguments.json))


def _tail(arguments: argparse.Namespace) -> int:
    from infra.cli.tail import tail

    return process.run(tail(_server_settings().nats_url, arguments.subject, arguments.json, arguments.count))


def _hosts(_: argparse.Namespace) -> int:
    from infra.cli.hosts import hosts

    return process.run(hosts(_server_settings()))


def _doctor(_: argparse.Namespace) -> int:
    from infra.cli.doctor import doctor

    return process.run(doctor(_server_settings()))


def _bench(arguments: argparse.Namespace) -> int:
    from infra.cli.bench import bench

    return bench(arguments.name, arguments.rest)


if __name__ == "__main__":
    sys.exit(main())
