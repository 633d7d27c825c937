"""`sonde`: parse the command line, run the command, turn its failure into one line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from infra.cli import own_servers, process
from infra.settings import AgentSettings, ServerSettings, SettingError, load_settings
from schemas.version import VERSION

OURS = ("agent", "demo", "infra", "schemas", "services", "benchmarks")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv`; returns the exit status."""
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except (process.OutputClosed, BrokenPipeError):
        # The interpreter flushes its output once more when it ends, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _run(argv: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["agent"] and words[1:2] in (["enrol"], ["wait"]):
            from agent.__main__ import main as agent_main

            return agent_main(words[1:])  # it has options of its own
        arguments = _parser().parse_args(words)
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except (SettingError, process.CommandError) as error:
        print(f"sonde: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OURS:
            raise
        print(
            f"sonde: this command needs the Python package {error.name}; install sonde[server], "
            f"or sonde[server,embedded] for `sonde up`",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments; the usage is for `--help`."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
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
    own_servers.add_options(
        add("demo", _demo, "Run everything with a simulated fleet and days of its past, in a directory of its own."),
        _number,
    )
    agent = add(
        "agent",
        _agent,
        "Sample this machine and publish to the bus; check collectors; show an agent's state; enrol it.",
    )
    actions = ("run", "check", "status", "enrol", "wait")
    agent.add_argument("action", nargs="?", choices=actions, help="what to do (default: run)")
    agent.add_argument("--once", action="store_true", help="the same as check")
    agent.add_argument("--json", action="store_true", help="print check or status as one JSON object")
    for name, does in (
        ("ingest", "Write batches from the bus into the database."),
        ("alerts", "Evaluate the alert rules and send notifications."),
        ("gateway", "Serve REST, the live stream and the dashboard."),
    ):
        add(name, lambda _, name=name: process.run_service(name, _server_settings(name, service=True)), does)  # type: ignore[misc]
    retention = add("retention", _retention, "Roll up samples, create partitions and drop old data.")
    which = retention.add_mutually_exclusive_group()
    which.add_argument("--once", action="store_true", help="run once now and print a report")
    which.add_argument("--dry-run", action="store_true", help="show what a run would do, without changing anything")
    storage = add("storage", _storage, "Show the size and growth of each metric family, and the disk space needed.")
    storage.add_argument("--days", action="store_true", help="group by day instead of by family (raw rows only)")
    storage.add_argument("--json", action="store_true", help="print one JSON object")
    add("migrate", _migrate, "Create or update the tables and the streams.")
    tail = add("tail", _tail, "Show decoded bus traffic.")
    tail.add_argument("subject", nargs="?", default=">", help="subject to follow, may contain wildcards (default: all)")
    tail.add_argument("--json", action="store_true", help="print one JSON object per line")
    tail.add_argument("--count", type=_number, default=0, metavar="N", help="exit after N messages (default: 0, never)")
    add("hosts", _hosts, "List the hosts with their last sample.")
    add("doctor", _doctor, "Check every link from agent to browser and name the broken ones.")
    _add_config(add)
    _add_authority(add)
    _add_people(add)
    bench = add("bench", _bench, "Run a benchmark of this checkout.")
    bench.add_argument("name", help="agent, wire, ingest ...")
    bench.add_argument("rest", nargs=argparse.REMAINDER, help="options of the benchmark, such as --json")
    return parser


def _add_config(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of infra/cli/configuration.py."""
    config = add("config", _config, "The configuration as a TOML file: export it, or import one.")
    verbs = config.add_subparsers(dest="verb", metavar="VERB", required=True)
    out = verbs.add_parser("export", help="write settings, rules, agents' settings, labels and tags, without secrets")
    out.add_argument("file", nargs="?", default="-", help="where to (default: -, print it)")
    into = verbs.add_parser("import", help="show what FILE would change, and change it with --apply")
    into.add_argument("file")
    into.add_argument("--apply", action="store_true", help="change it, all or nothing")
    into.add_argument("--prune", action="store_true", help="also delete what FILE lacks, but secrets")
    into.add_argument("--owner", default="", help="in whose name: touch only their rules, routes and channels")
    into.add_argument("--adopt", action="store_true", help="take over what FILE names and others own")


def _add_authority(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of infra/cli/authority.py."""
    authority = add("authority", _authority, "The keys behind all identities: make, show, rotate, back up, restore.")
    verbs = authority.add_subparsers(dest="verb", metavar="VERB", required=True)
    init = verbs.add_parser("init", help="make the keys unless they exist; print what nats-server needs")
    init.add_argument("--nats-data", default="/data", help="store_dir of nats-server, stopped now (default: /data)")
    init.add_argument("--server-conf", default="", help="write what nats-server needs to this file")
    status = verbs.add_parser("status", help="show keys, operators, revocations, and what the servers hold")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    rotate = verbs.add_parser("rotate", help="replace signing keys")
    rotate.add_argument("what", choices=("agents", "services", "operators", "account"))
    rotate.add_argument("--now", action="store_true", help="old keys end at once; agents renew over HTTPS")
    for verb, does in (("backup", "write all keys to FILE"), ("restore", "take all keys from FILE")):
        verbs.add_parser(verb, help=does).add_argument("file")
    operator = add("operator", _operator, "People who read the bus with NATS clients of their own.")
    verbs = operator.add_subparsers(dest="verb", metavar="VERB", required=True)
    new = verbs.add_parser("add", help="write NAME.creds: reads every subject, writes none")
    new.add_argument("name")
    new.add_argument("--days", type=_number, default=0, help="days until it ends (default: 0, never)")
    new.add_argument("--file", default="", help="where to write it (default: NAME.creds)")
    verbs.add_parser("list", help="who there is")
    verbs.add_parser("revoke", help="end it at once, on all servers").add_argument("name")


def _add_people(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of infra/cli/people.py."""
    roles = ("viewer", "operator", "admin")
    verbs = add("user", _user, "People who log in at the dashboard.").add_subparsers(
        dest="verb", metavar="VERB", required=True
    )
    verbs.add_parser("list", help="who there is")
    for verb, does in (
        ("add", "add a user and print a one-time link to set a password"),
        ("link", "print a one-time link to set a password"),
        ("reset", "end all sessions, remove password and second factor, print a one-time link"),
        ("disable", "end all sessions; no login until enabled"),
        ("enable", "let a disabled user log in again"),
        ("role", "change what a user may"),
    ):
        parser = verbs.add_parser(verb, help=does)
        parser.add_argument("name")
        if verb == "add":
            parser.add_argument("--role", choices=roles, default="viewer")
        if verb == "role":
            parser.add_argument("role", choices=roles)
    verbs = add("token", _token, "API tokens, with which programs ask the gateway.").add_subparsers(
        dest="verb", metavar="VERB", required=True
    )
    new = verbs.add_parser("add", help="print a new token")
    new.add_argument("note", help="what it is for")
    new.add_argument("--user", required=True, help="whose it is; it may never more than they may")
    new.add_argument("--role", choices=roles, default="viewer", help="the most it may (default: viewer)")
    new.add_argument(
        "--scope",
        action="append",
        default=[],
        metavar="PART",
        help="the part of the API that it may use, such as metrics; may be given again (default: all)",
    )
    new.add_argument("--expires", type=_number, default=90, metavar="DAYS", help="0: never (default: 90 days)")
    verbs.add_parser("list", help="those of everybody")
    verbs.add_parser("revoke", help="end it at once").add_argument("id", type=_number)


def _server_settings(role: str = "tools", service: bool = False) -> ServerSettings:
    """Settings of a command; where they name no servers, those of a `sonde up` on the same data directory.

    There it is the user `role` of the bus. A `service` goes on by the defaults where that `sonde up` is gone: it may
    have given way to servers of their own.
    """
    settings = load_settings(ServerSettings)
    defaults = ServerSettings()
    told = ("nats_url", "database_url", "port")
    open_ = [name for name in told if getattr(settings, name) == getattr(defaults, name)]
    try:
        running = process.read_running(settings.data)
    except process.CommandError as error:
        needed = "nats_url" in open_ or "database_url" in open_
        if needed and not (service and isinstance(error, process.Gone)):
            raise
        return settings
    if running is None:
        return settings
    changes = {name: getattr(running, name) for name in open_}
    if "nats_url" in open_ and running.users and not settings.nats_credentials:
        changes |= {name: getattr(running, name) for name in ("nats_ca", "nats_server_name")}
        changes["nats_credentials"] = str(Path(running.users) / f"{role}.creds")
    if "port" in open_ and settings.tls == defaults.tls:
        changes |= {name: getattr(running, name) for name in ("http_host", "tls")}
    return msgspec.structs.replace(settings, **changes)


def _up(_: argparse.Namespace) -> int:
    from infra.cli.up import up

    return up(own_servers.settings("up"), load_settings(AgentSettings))


def _demo(arguments: argparse.Namespace) -> int:
    from infra.cli.demo import demo

    server = own_servers.demonstration_settings(arguments)
    return demo(server, arguments.hosts, arguments.days, arguments.seed, arguments.every)


def _agent(arguments: argparse.Namespace) -> int:
    from agent.__main__ import main

    options = [f"--{name}" for name in ("once", "json") if getattr(arguments, name)]
    return main([*filter(None, [arguments.action]), *options])


def _migrate(_: argparse.Namespace) -> int:
    from infra.cli.migrate import migrate_all

    return process.run(migrate_all(_server_settings("migrate")))


def _retention(arguments: argparse.Namespace) -> int:
    if not (arguments.once or arguments.dry_run):
        return process.run_service("retention", _server_settings("retention", service=True))
    from infra.cli import retention

    return process.run((retention.once if arguments.once else retention.dry_run)(_server_settings()))


def _storage(arguments: argparse.Namespace) -> int:
    from infra.cli.storage import storage

    return process.run(storage(_server_settings(), arguments.days, arguments.json))


def _tail(arguments: argparse.Namespace) -> int:
    from infra.cli.tail import tail

    return process.run(tail(_server_settings(), arguments.subject, arguments.json, arguments.count))


def _hosts(_: argparse.Namespace) -> int:
    from infra.cli.hosts import hosts

    return process.run(hosts(_server_settings()))


def _doctor(_: argparse.Namespace) -> int:
    from infra.cli.doctor import doctor

    return process.run(doctor(_server_settings()))


def _config(arguments: argparse.Namespace) -> int:
    from infra.cli import configuration

    if arguments.verb == "export":
        return process.run(configuration.export(_server_settings(), arguments.file))
    asked = configuration.Import(arguments.apply, arguments.prune, arguments.owner, arguments.adopt)
    return process.run(configuration.load(_server_settings(), arguments.file, asked))


def _authority(arguments: argparse.Namespace) -> int:
    from infra.cli import authority

    settings = _authority_settings()
    match arguments.verb:
        case "init":
            return authority.init(settings, arguments.nats_data, arguments.server_conf)
        case "status":
            return process.run(authority.status(settings, arguments.json))
        case "rotate":
            return process.run(authority.rotate(settings, arguments.what, arguments.now))
        case "backup":
            return authority.back_up(settings, arguments.file)
        case _:
            return authority.restore(settings, arguments.file)


def _operator(arguments: argparse.Namespace) -> int:
    from infra.cli import authority

    settings = _authority_settings()
    match arguments.verb:
        case "add":
            return authority.add_operator(settings, arguments.name, arguments.days, arguments.file)
        case "list":
            return authority.list_operators(settings)
        case _:
            return process.run(authority.revoke_operator(settings, arguments.name))


def _user(arguments: argparse.Namespace) -> int:
    from infra.cli import people

    settings = _server_settings()
    match arguments.verb:
        case "list":
            return process.run(people.list_users(settings))
        case "add":
            return process.run(people.add_user(settings, arguments.name, arguments.role))
        case "link":
            return process.run(people.link(settings, arguments.name))
        case "reset":
            return process.run(people.reset(settings, arguments.name))
        case "role":
            return process.run(people.change(settings, arguments.name, role=arguments.role))
        case verb:
            return process.run(people.change(settings, arguments.name, disabled=verb == "disable"))


def _token(arguments: argparse.Namespace) -> int:
    from infra.cli import people

    settings = _server_settings()
    match arguments.verb:
        case "add":
            days = min(arguments.expires, 3660)
            what = (arguments.note, arguments.user, arguments.role, days, arguments.scope)
            return process.run(people.add_token(settings, *what))
        case "list":
            return process.run(people.list_tokens(settings))
        case _:
            return process.run(people.revoke_token(settings, arguments.id))


def _authority_settings() -> ServerSettings:
    """Keys are made and shown with or without servers."""
    try:
        return _server_settings()
    except process.Gone:
        return load_settings(ServerSettings)


def _bench(arguments: argparse.Namespace) -> int:
    from infra.cli.bench import bench

    return bench(arguments.name, arguments.rest)


if __name__ == "__main__":
    sys.exit(main())
