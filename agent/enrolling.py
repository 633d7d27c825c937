"""`sonde agent enrol` and `sonde agent wait`: making this machine a host of the fleet, and seeing that it is one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from agent.identity.enrol import Wish, enrol_patiently, read_token, read_token_file
from agent.identity.files import complete, key_of, only_one, promote
from agent.identity.gateway import NotNow, Refused
from agent.identity.renew import ask_state
from agent.identity.state import Identity, IdentityError, load, read_ca, wished_name
from agent.selfreport.local import NoAnswer, ask_locally
from agent.spool.aside import owner_of, set_aside
from agent.spool.files import SpoolInUse
from agent.spool.spool import Limits, open_spool
from infra.addresses import fingerprint_fault
from infra.settings import AgentSettings
from schemas.enrolment import name_fault

ENROL_WITHIN_S = 300.0
ASK_EVERY_S = 0.5


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def enrol(settings: AgentSettings, words: Sequence[str]) -> int:
    """Enrol this machine; status 0 when it is enrolled afterwards."""
    parser = _Parser(prog="sonde agent enrol", description="Make this machine a host of the fleet.")
    parser.add_argument("--gateway", default=settings.gateway, metavar="URL", help="default: SONDE_GATEWAY")
    parser.add_argument(
        "--token-file", default=settings.token_file, metavar="FILE", help="file with the enrolment token; - reads it"
    )
    parser.add_argument(
        "--ca-fingerprint",
        default=settings.ca_fingerprint,
        metavar="HEX",
        help="SHA-256 of the gateway's own authority",
    )
    parser.add_argument("--name", default="", metavar="ID", help="host id to ask for; default: made from the host name")
    parser.add_argument("--again", action="store_true", help="with a new key: splits a clone, replaces an identity")
    arguments = parser.parse_args(words)
    try:
        held = load(settings.data)
        if held is not None and not arguments.again:
            _become_owner(settings.data)
            with only_one(settings.data):  # an attempt that was killed may have left the last files to be made
                complete(settings.data, held, key_of(settings.data, held))
            print(
                f"already enrolled as {held.host} at {held.gateway}; --again makes a new identity; {held.page}".strip()
            )
            return 0
        for option in ("gateway", "token_file"):
            if not getattr(arguments, option):
                parser.error(f"--{option.replace('_', '-')} is needed, or SONDE_{option.upper()}")
        fault = name_fault(arguments.name) if arguments.name else ""
        if fault:
            parser.error(f"--name: {arguments.name!r} {fault}")
        fault = fingerprint_fault(arguments.ca_fingerprint)
        if fault:
            parser.error(f"--ca-fingerprint: {arguments.ca_fingerprint!r}: {fault}")
        token = _token(arguments.token_file)
        _become_owner(settings.data)
        if arguments.again:
            _refuse_while_running(settings)
        name = arguments.name or wished_name(settings)
        wish = Wish(arguments.gateway, token, name, arguments.ca_fingerprint, read_ca(settings.ca))
        identity = enrol_patiently(settings.data, wish, arguments.again, ENROL_WITHIN_S, _say)
        aside = _split_spool(settings, identity) if arguments.again else None
        promote(settings.data, identity)
    except (Refused, NotNow, IdentityError, SpoolInUse) as error:
        _say(str(error))
        return 1
    if aside is not None:
        print(f"what waited in the spool was sampled as another host, set aside in {aside}")
    print(f"enrolled as {identity.host}; {identity.page}".rstrip("; "))
    return 0


def _say(text: str) -> None:
    print(f"agent: {text}", file=sys.stderr, flush=True)


def _token(place: str) -> str:
    """The token in a file, or on standard input. Raises IdentityError."""
    if place == "-":
        return read_token(sys.stdin.read(10_000), "standard input")
    return read_token_file(place)


def _become_owner(data: str) -> None:
    """Run by root, go on as the owner of the data directory: what is written must be the agent's."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = Path(data).stat()
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)


def _spool(settings: AgentSettings) -> Path:
    return Path(settings.data) / "agent" / "spool"


def _refuse_while_running(settings: AgentSettings) -> None:
    """A running agent would go on as who it was. Raises SpoolInUse."""
    try:
        _owner(_spool(settings))
    except SpoolInUse:
        raise SpoolInUse(
            f"an agent runs on {settings.data}; stop it first (systemctl stop sonde-agent), and start it afterwards"
        ) from None


def _owner(directory: Path) -> str:
    """The host of what waits in the spool; empty when nothing does. Raises SpoolInUse."""
    if not directory.is_dir():
        return ""
    spool = open_spool(directory, Limits(spool_bytes=2**60, max_age_s=math.inf))  # nothing is dropped by a look
    try:
        waiting = spool.oldest()
    finally:
        spool.close()
    return "" if waiting is None else owner_of(waiting)


def _split_spool(settings: AgentSettings, identity: Identity) -> Path | None:
    """Begin a new spool, with an epoch of its own, unless what waits is of the same host; where it is now, if anything.

    Raises SpoolInUse, IdentityError.
    """
    directory = _spool(settings)
    owner = _owner(directory)
    if owner == identity.host:
        return None
    try:
        aside = set_aside(directory, owner or "before")
        return aside if owner else None
    except OSError as error:
        raise IdentityError(f"{directory}: {str(error.strerror).lower()}; move it away, then start the agent") from None


def wait(settings: AgentSettings, words: Sequence[str]) -> int:
    """Wait until a sample of this host is in the database; status 0 once one is."""
    parser = _Parser(prog="sonde agent wait", description="Wait until the first sample of this host has been stored.")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds to wait (default: 60)")
    arguments = parser.parse_args(words)
    until_s = time.monotonic() + arguments.timeout
    first: int | None = None
    while True:
        identity, newest, problem = _look(settings, first)
        if identity is not None and not problem:
            print(f"{identity.host}: samples are being stored; {identity.page}".rstrip("; "))
            return 0
        first = newest if first is None else first
        if time.monotonic() >= until_s:
            _say(problem)
            return 1
        time.sleep(min(ASK_EVERY_S, max(0.0, until_s - time.monotonic())))


def _look(settings: AgentSettings, before: int | None) -> tuple[Identity | None, int | None, str]:
    """The identity, the time of its newest stored sample, and what is still missing."""
    newest: int | None = None
    identity: Identity | None = None
    try:
        identity = load(settings.data)
        told = asyncio.run(_told(settings.data))
        if identity is None:
            why = (told or {}).get("identity", {}).get("error", "")
            return None, None, why or "not enrolled; run sonde agent enrol --gateway URL --token-file FILE"
        state = ask_state(settings.data, identity, settings.gateway, settings.ca)
        newest = state.last_sample or 0
    except (IdentityError, Refused, NotNow) as error:
        return identity, newest, str(error)
    if newest is not None and before is not None and newest > before:
        return identity, newest, ""
    problem = _missing(told, identity)
    if not problem and not newest:
        problem = "the bus has samples of this host, the database none yet; run `sonde doctor` where the gateway runs"
    return identity, newest, problem


def _missing(told: dict[str, Any] | None, identity: Identity) -> str:
    """Why the local agent does not bring samples to the bus; empty when it does."""
    if told is None:
        return "no agent runs on this data directory; start it: systemctl start sonde-agent, or sonde agent"
    if told.get("host") != identity.host:
        return f"the agent runs as {told.get('host')}, not as {identity.host}; restart it"
    bus = told.get("bus", {})
    if not bus.get("connected"):
        where = ", ".join(identity.bus)
        return f"the agent is not connected to the bus at {where}; see its log (journalctl -u sonde-agent)"
    return "" if bus.get("stored_at") else "the bus has not stored a sample yet; see the agent's log"


async def _told(data: str) -> dict[str, Any] | None:
    try:
        return await ask_locally(data)
    except NoAnswer:
        return None
