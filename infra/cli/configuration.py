"""`sonde config`: the configuration as a file, over the gateway of this machine with a token lent for the moment."""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import tomli_w
from msgspec import Struct

from infra.certificates.listening import local_gateway, local_trust
from infra.cli.people import lent
from infra.cli.process import CommandError
from infra.files import write_private
from infra.settings import ServerSettings
from schemas.api import Problem
from schemas.configuration import Difference, Differences

WITHIN_S = 60.0
_PATH = "/api/v1/configuration"
_TYPE = {"Content-Type": "application/toml"}


async def export(settings: ServerSettings, file: str) -> int:
    """Write the configuration to `file`, or print it where that is `-`."""
    async with _gateway(settings) as http:
        text = (await _ask(http, "GET")).text
    if file == "-":
        print(text, end="")
        return 0
    try:
        write_private(Path(file), text)
    except OSError as error:
        raise CommandError(f"config export: {file}: {error.strerror}; give a path that can be written") from None
    print(f"wrote {file}")
    return 0


class Import(Struct, frozen=True):
    """How a document is imported."""

    apply: bool = False
    """Change what is stored, rather than say what would change."""
    prune: bool = False
    """The document is all there is to be."""
    owner: str = ""
    adopt: bool = False


async def load(settings: ServerSettings, file: str, asked: Import) -> int:
    """Show what the document in `file` would change, or has changed."""
    document = resolved(_read(file), os.environ)
    words = {True: "true", False: "false"}
    query = {"dry_run": words[not asked.apply], "prune": words[asked.prune], "adopt": words[asked.adopt]}
    if asked.owner:
        query["owner"] = asked.owner
    async with _gateway(settings) as http:
        answer = await _ask(http, "PUT", params=query, content=document, headers=_TYPE)
    found = msgspec.json.decode(answer.content, type=Differences)
    for difference in found.differences:
        print("\n".join(lines_of(difference)))
    print(_sum(found, asked.apply))
    return 0


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"config import: {file}: {error.strerror}; give the path of a readable file") from None


def resolved(document: bytes, environment: Mapping[str, str]) -> bytes:
    """`document` with the secrets of channels that it only names: `url = { env = "OPS_URL" }`. Raises CommandError.

    One that is no TOML is left as it is: the gateway says what is wrong with it.
    """
    try:
        read = tomllib.loads(document.decode())
    except (ValueError, RecursionError):
        return document
    found = False
    channels = read.get("channels")
    for name, channel in channels.items() if isinstance(channels, dict) else ():
        target = channel.get("target") if isinstance(channel, dict) else None
        if not isinstance(target, dict):
            continue
        for field, value in list(target.items()):
            if isinstance(value, dict) and value.keys() == {"env"} and isinstance(value["env"], str):
                found = True
                target[field] = _secret(f"channels.{name}.target.{field}", value["env"], environment)
    return tomli_w.dumps(read).encode() if found else document


def _secret(path: str, variable: str, environment: Mapping[str, str]) -> str:
    if variable not in environment:
        raise CommandError(
            f"config import: {path}: environment variable {variable} is not set; set it, or leave it out"
        )
    return environment[variable]


def lines_of(difference: Difference) -> Iterator[str]:
    """One difference in words: a line, and one more for each field that differs."""
    named = "agents of the fleet" if (difference.kind, difference.name) == ("agent", "*") else None
    subject = named or f"{difference.kind} {difference.name}"
    if difference.reason:
        yield f"{subject}: {difference.what}, {difference.reason}"
        return
    before, after = _flat(difference.before), _flat(difference.after)
    if before.keys() | after.keys() == {""}:
        yield f"{subject}: {_shown(before.get(''))} -> {_shown(after.get(''))}"
        return
    yield f"{subject}: {difference.what}"
    for field in sorted(before.keys() | after.keys()):
        old, new = before.get(field), after.get(field)
        if old != new:
            yield f"    {field}: {_shown(old)} -> {_shown(new)}"


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Fields by their dotted paths; that of a plain value is empty, and nothing has none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {path: value}
    return {
        inner: each
        for name, part in value.items()
        for inner, each in _flat(part, f"{path}.{name}" if path else name).items()
    }


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _sum(found: Differences, applied: bool) -> str:
    changes = sum(difference.what != "skipped" for difference in found.differences)
    if not changes:
        return f"nothing to change, {found.unchanged} as they are"
    words = f"{changes} {'change' if changes == 1 else 'changes'}, {found.unchanged} as they are"
    return f"{words}; done" if applied else f"{words}; nothing is changed yet: give --apply to do it"


async def _ask(http: httpx.AsyncClient, method: str, **request: Any) -> httpx.Response:
    """The answer, when it is a good one. Raises CommandError."""
    try:
        answer = await http.request(method, _PATH, **request)
    except httpx.HTTPError as error:
        why = f"no answer of the gateway at {http.base_url} ({type(error).__name__})"
        raise CommandError(f"config: {why}; start `sonde gateway`, or set SONDE_PORT") from None
    if answer.status_code == 200:
        return answer
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.MsgspecError:
        raise CommandError(f"config: the gateway answers {answer.status_code}; look at its log") from None
    faults = [f"{error.field}: {error.reason}" for error in problem.errors]
    raise CommandError(f"config: {'; '.join(faults) or problem.detail}")


@contextlib.asynccontextmanager
async def _gateway(settings: ServerSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this machine's gateway, as an administrator until the end of the block. Raises CommandError."""
    base, trusted = local_gateway(settings), _trust(settings)
    async with (
        lent(settings, "admin") as token,
        httpx.AsyncClient(base_url=base, headers=token, timeout=WITHIN_S, verify=trusted, trust_env=False) as http,
    ):
        yield http


def _trust(settings: ServerSettings) -> Any:
    """Raises CommandError."""
    try:
        return local_trust(settings)
    except OSError as error:
        remedy = "start `sonde gateway`, or run this as its user"
        raise CommandError(f"config: certificate of the gateway not readable: {error.strerror}; {remedy}") from None
