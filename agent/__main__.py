"""`sonde agent`, or `python -m agent`: one agent in a process of its own, enrolling it, looking at what it does."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from agent import service
from agent.identity.state import IdentityError
from agent.spool.files import SpoolInUse
from infra.cli.process import describe, stop_on_signals
from infra.log import set_up_logging
from infra.settings import AgentSettings, SettingError, load_settings

logger = logging.getLogger(__name__)

USAGE = """usage: sonde agent [check | status] [--once] [--json]
       sonde agent enrol --gateway URL --token-file FILE [--ca-fingerprint HEX] [--name ID] [--again]
       sonde agent wait [--timeout S]

  (nothing)  sample this machine and publish to the bus until SIGINT or SIGTERM
  check      read every collector once; print value, unit, duration and source
  status     print the state of the agent that runs on this data directory
  enrol      make this machine a host of the fleet; see `sonde agent enrol --help`
  wait       wait until the first sample of this host has been stored
  --once     the same as check
  --json     print check or status as one JSON object

Settings: SONDE_* variables, see docs/settings.md."""


ENROLLING = ("enrol", "wait")


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` says; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ENROLLING:
        return _enrolling(words)
    options = {word for word in words if word.startswith("-")}
    actions = [word for word in words if not word.startswith("-")]
    if "-h" in options or "--help" in options:
        print(USAGE)
        return 0
    if options - {"--once", "--json"} or len(actions) > 1 or not set(actions) <= {"run", "check", "status"}:
        print(f"agent: {' '.join(words)!r}: unknown arguments; see `sonde agent --help`", file=sys.stderr)
        return 2
    action = actions[0] if actions else "check" if "--once" in options else "run"
    try:
        settings = load_settings(AgentSettings)
    except SettingError as error:
        print(f"agent: {error}", file=sys.stderr)
        return 2
    if action == "check":
        return _check(settings, "--json" in options)
    if action == "status":
        return _status(settings, "--json" in options)
    return _run(settings)


def _enrolling(words: list[str]) -> int:
    from agent import enrolling

    try:
        settings = load_settings(AgentSettings)
    except SettingError as error:
        print(f"agent: {error}", file=sys.stderr)
        return 2
    return (enrolling.enrol if words[0] == "enrol" else enrolling.wait)(settings, words[1:])


def _run(settings: AgentSettings) -> int:
    """Run until a signal: the first ends it in order, the second at once."""
    set_up_logging(settings.log_format, light=True)
    # What is there now stays for good: collecting garbage need not look at it again and again.
    gc.collect()
    gc.freeze()
    try:
        Path(settings.data).mkdir(parents=True, exist_ok=True)
        # asyncio's own loop, even where uvloop is installed: for one timer a second it needs 5 MiB less.
        asyncio.run(_until_signal(settings))
    except asyncio.CancelledError:
        return 130
    except (SpoolInUse, IdentityError) as error:
        print(f"agent: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        place = error.filename or settings.data
        print(f"agent: {place}: {reason}; set SONDE_DATA to a directory that this user may write", file=sys.stderr)
        return 2
    except Exception as error:
        logger.critical("crashed", exc_info=error)
        print(f"agent: {describe(error)}", file=sys.stderr)
        return 1
    return 0


async def _until_signal(settings: AgentSettings) -> None:
    stop = asyncio.Event()
    with stop_on_signals(stop):
        await service.run(settings, stop)


def _check(settings: AgentSettings, as_json: bool) -> int:
    """Show what would be sent; status 1 when a collector failed."""
    from agent.selfreport import check

    set_up_logging("pretty", logging.CRITICAL, light=True)
    found = asyncio.run(check.check_once(settings))
    if as_json:
        print(check.as_json(settings, found, time.time()))
    else:
        print("\n".join(check.as_table(found)))
    return 1 if any(checked.state == "failed" for checked in found) else 0


def _status(settings: AgentSettings, as_json: bool) -> int:
    """Show what the running agent tells; status 1 when none answers."""
    import json

    from agent.selfreport import local

    try:
        told = asyncio.run(local.ask_locally(settings.data))
    except local.NoAnswer as error:
        print(f"agent: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(local.as_lines(told)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
