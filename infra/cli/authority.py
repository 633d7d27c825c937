"""`sonde authority` and `sonde operator`: the keys behind all identities, and people who read the bus."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from infra.authority import backup, operators, rotation
from infra.authority.adoption import adopt_open_streams
from infra.authority.authority import (
    ACCOUNTS,
    RESOLVER,
    SIGNING,
    SYSTEM_USER,
    Authority,
    AuthorityError,
    authority_directory,
    ensure_authority,
    hand_accounts,
    issued_in,
    revocations_in,
    server_access,
)
from infra.authority.resolver import held_account, push_account
from infra.authority.roles import ROLES, SERVICES
from infra.cli import process, reach
from infra.cli.process import CommandError
from infra.settings import ServerSettings

MARGIN_S = 86_400
SERVICES_KEEP_S = 3600
"""How long services signed by an old key may go on: they take their new file at the next connection."""


def _open(settings: ServerSettings) -> Authority:
    try:
        return Authority(authority_directory(settings))
    except AuthorityError as error:
        raise CommandError(str(error)) from None


def init(settings: ServerSettings, nats_data: str, server_conf: str) -> int:
    """Make the authority unless it is there, and get a stopped nats-server of one's own ready for it.

    `nats_data` is that server's `store_dir`: accounts go into `resolver` below it, streams of an open bus are adopted.
    """
    try:
        authority = ensure_authority(authority_directory(settings))
        access = server_access(authority, Path(nats_data) / RESOLVER)
        if nats_data:
            hand_accounts(authority, Path(nats_data) / RESOLVER)
            if adopt_open_streams(Path(nats_data), authority.account("services")):
                print("the streams of the open bus belong to the account of the services now")
        if server_conf:
            Path(server_conf).write_text(access)
    except AuthorityError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"authority: {error.filename}: {str(error.strerror).lower()}") from None
    print(f"authority in {authority.directory}")
    for of in ACCOUNTS:
        print(f"  account of {of}: {authority.account(of)}")
    for role in SERVICES:
        print(f"  {role:10} SONDE_NATS_CREDENTIALS={authority.credentials_path(role)}")
    if not server_conf:
        print(f"nats-server needs these lines in its configuration:\n\n{access}")
    return 0


async def status(settings: ServerSettings, as_json: bool) -> int:
    """Print the keys with their age, who was signed, and which account the servers hold."""
    authority = _open(settings)
    facts = authority.facts
    told = {
        "directory": str(authority.directory),
        "agents_account": authority.account("agents"),
        "services_account": authority.account("services"),
        "made": _date(facts.made_s),
        "operator_seed": "here" if (authority.directory / "operator.nk").exists() else "offline",
        "keys": {role: _age(authority.directory / "roles" / f"{role}.nk") for role in ROLES}
        | {"operator signing": _age(authority.directory / SIGNING)},
        "retiring": [f"{old.role} until {_date(old.until_s)}" for old in facts.retiring if old.until_s > time.time()],
        "operators": [f"{one.name}, {_end(one)}" for one in operators.read_operators(authority)],
        "revocations": sum(len(revocations_in(authority.saved_account(of))) for of in ACCOUNTS),
        "servers": await _servers(settings, authority),
    }
    if as_json:
        process.say(msgspec.json.encode(told).decode())
        return 0
    for name, value in told.items():
        if isinstance(value, dict):
            process.say(name.replace("_", " "))
            for key, age in value.items():
                process.say(f"  {key:18} {age}")
        else:
            process.say(
                f"{name.replace('_', ' '):20} {', '.join(value) or 'none' if isinstance(value, list) else value}"
            )
    return 0


async def _servers(settings: ServerSettings, authority: Authority) -> str:
    try:
        async with reach.bus(_as_system(settings, authority), "authority") as client:
            held = {of: await held_account(client, authority.account(of)) for of in ACCOUNTS}
    except reach.Unreachable as error:
        return f"not asked: {error.why}"
    stale = [of for of in ACCOUNTS if held[of] != authority.saved_account(of)]
    if not stale:
        return "hold these accounts"
    return "; ".join(
        f"hold the account of {of} of {_date(issued_in(held[of]))}, "
        f"saved is that of {_date(issued_in(authority.saved_account(of)))}"
        for of in stale
    )


async def rotate(settings: ServerSettings, what: str, at_once: bool) -> int:
    """Replace the signing keys of agents, of operators or of all services, or the key that signs accounts."""
    authority = _open(settings)
    try:
        if what == "account":
            _require_stopped(settings)
            rotation.rotate_operator(authority)
            print("new key for the account; servers follow it from their next start on")
            return 0
        roles = SERVICES if what == "services" else (what.removesuffix("s"),)
        keep_s = 0 if at_once else SERVICES_KEEP_S if what == "services" else settings.identity_days * 86400 + MARGIN_S
        for role in roles:
            rotation.rotate_role(authority, role, keep_s)
    except AuthorityError as error:
        raise CommandError(str(error)) from None
    print(f"new keys sign {what}; users of the old ones are taken until {_date(time.time() + keep_s)}")
    return await _tell(settings, authority)


def _require_stopped(settings: ServerSettings) -> None:
    try:
        running = process.read_running(settings.data)
    except process.Gone:
        return
    if running is not None:
        raise CommandError(f"`sonde up` (process {running.pid}) runs on {settings.data}; stop it first")


def add_operator(settings: ServerSettings, name: str, days: float, file: str) -> int:
    """Write the `.creds` file of a new operator."""
    path = Path(file or f"{name}.creds")
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        remedy = "choose another --file"
        raise CommandError(f"operator: {path}: {str(error.strerror).lower()}; {remedy}") from None
    with os.fdopen(fd, "w") as out:
        try:
            out.write(operators.add_operator(_open(settings), name, days))
        except (AuthorityError, CommandError) as error:
            path.unlink()
            raise CommandError(str(error)) from None
    print(f"{path}: reads every subject of Sonde, writes none; for any NATS client, such as")
    print(f"  nats --server {settings.nats_url} --creds {path} sub 'metrics.>'")
    return 0


def list_operators(settings: ServerSettings) -> int:
    for one in operators.read_operators(_open(settings)):
        print(f"{one.name:24} since {_date(one.made_s)}, {_end(one)}")
    return 0


async def revoke_operator(settings: ServerSettings, name: str) -> int:
    authority = _open(settings)
    try:
        operators.revoke_operator(authority, name)
    except AuthorityError as error:
        raise CommandError(str(error)) from None
    print(f"operator {name} revoked")
    return await _tell(settings, authority)


async def _tell(settings: ServerSettings, authority: Authority) -> int:
    """Push the accounts; a gateway would do so within its next round, too."""
    try:
        async with reach.bus(_as_system(settings, authority), "authority") as client:
            pushed = [await push_account(client, authority.saved_account(of)) for of in ACCOUNTS]
    except reach.Unreachable as error:
        print(f"servers not told ({error.why}): a running gateway tells them within 30 s, else their next start does")
        return 0
    refusals = sorted({why for one in pushed for why in one.refusals})
    took = min(one.took for one in pushed)
    print("; ".join([f"{took} of {pushed[0].servers} servers took it", *refusals]))
    return 0 if all(one.everywhere for one in pushed) else 1


def _as_system(settings: ServerSettings, authority: Authority) -> ServerSettings:
    return msgspec.structs.replace(settings, nats_credentials=str(authority.credentials_path(SYSTEM_USER)))


def back_up(settings: ServerSettings, file: str) -> int:
    try:
        size = backup.back_up(authority_directory(settings), Path(file))
    except AuthorityError as error:
        raise CommandError(str(error)) from None
    print(f"{file}: {size} bytes; whoever has it can admit anybody to the bus: keep it like a password")
    return 0


def restore(settings: ServerSettings, file: str) -> int:
    _require_stopped(settings)
    try:
        before = backup.restore(Path(file), authority_directory(settings))
    except AuthorityError as error:
        raise CommandError(str(error)) from None
    kept = f"; the one before is in {before}" if before else ""
    print(f"authority restored to {authority_directory(settings)}{kept}")
    return 0


def _end(operator: operators.Operator) -> str:
    return f"expires {_date(operator.expires_s)}" if operator.expires_s else "never expires"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _age(path: Path) -> str:
    try:
        return f"since {_date(path.stat().st_mtime)}"
    except OSError:
        return "missing"
