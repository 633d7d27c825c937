"""The configuration as a TOML document: written from what is stored, and read with everything that is wrong named.

Pure. In between are items: plain data by kind and name, in one form however they were written, so that equal ones are
equal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import tomli_w

from schemas.agentconfig import NewAgentConfig, check_agent_config
from schemas.catalogue import Family
from schemas.channels import Channel
from schemas.configuration import FLEET, FORMAT, Kind
from schemas.routes import Route, check_route
from schemas.rulechecks import check_change
from schemas.rules import InvalidField, InvalidFields, Rule
from schemas.settings import parse_setting, setting_fault, setting_keys
from schemas.subjects import valid_host
from schemas.validation import invalid_fields
from services.gateway.agents.api import MOST_BYTES
from services.gateway.configuration.bounds import cost_fault
from services.gateway.configuration.items import Items, Said, absent, below, without_nulls
from services.gateway.configuration.telling import plain_channel, plain_route

MOST_FAULTS = 50

HEAD = """\
# Configuration of Sonde, without secrets: `sonde config import FILE` shows what it would change, `--apply` changes it.
"""


def written(items: Items, remarks: Sequence[str] = ()) -> str:
    """The document; `remarks` are comments at its head."""
    tables: dict[str, Any] = {
        "version": FORMAT,
        "settings": {},
        "rules": {},
        "routes": {},
        "channels": {},
        "agents": {"hosts": {}},
        "hosts": {},
    }
    for (kind, name), value in sorted(items.items(), key=lambda item: item[0]):
        if value == absent(kind):
            continue
        if kind == "agent":
            (tables["agents"] if name == FLEET else tables["agents"]["hosts"])[_agent_key(name)] = value
        else:
            tables[f"{kind}s"][name] = value
    return HEAD + "".join(f"# {remark}\n" for remark in remarks) + "\n" + tomli_w.dumps(tables)


def _agent_key(name: str) -> str:
    return "fleet" if name == FLEET else name


def read(text: bytes, catalogue: tuple[Family, ...]) -> Items:
    """The items of a document. Raises InvalidFields, naming what is wrong by its path in the document.

    Whether a rule makes sense depends on what is stored: `rule_faults` says it of those that change.
    """
    document = _tables(text)
    items: Items = {}
    faults: list[InvalidField] = []
    for kind, name, path, value in _entries(document, faults):
        try:
            items[kind, name] = _READ[kind](name, value, path, catalogue)
        except InvalidField as fault:
            faults.append(fault)
        except InvalidFields as wrong:
            faults += wrong.faults
    if faults:
        raise InvalidFields(faults[:MOST_FAULTS])
    return items


def _tables(text: bytes) -> dict[str, Any]:
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise InvalidFields([InvalidField("body", None, "must be UTF-8")]) from None
    fault = cost_fault(decoded)
    if fault:
        raise InvalidFields([InvalidField("body", None, fault)])
    try:
        document = tomllib.loads(decoded)
    except (ValueError, RecursionError) as error:  # of a number, plain ValueError
        raise InvalidFields([InvalidField("body", None, f"must be TOML: {str(error)[:200]}")]) from None
    if document.get("version") != FORMAT or isinstance(document["version"], bool):
        remedy = f"must be {FORMAT}, the version of documents that this version reads"
        raise InvalidFields([InvalidField("version", str(document.get("version"))[:100], remedy)])
    return document


def _entries(document: dict[str, Any], faults: list[InvalidField]) -> Iterator[tuple[Kind, str, str, Any]]:
    """Kind, name, path and value of every entry; what is no table or has an unknown name goes to `faults`."""

    def table(parent: dict[str, Any], name: str, path: str) -> dict[str, Any]:
        found = parent.get(name, {})
        if isinstance(found, dict):
            return found
        faults.append(InvalidField(path, None, "must be a table"))
        return {}

    def unknown(parent: dict[str, Any], known: Sequence[str], path: str) -> None:
        remedy = f"unknown; there are {', '.join(known)}"
        faults.extend(InvalidField(f"{path}{name}"[:100], None, remedy) for name in parent.keys() - set(known))

    unknown(document, ("version", "settings", "rules", "routes", "channels", "agents", "hosts"), "")
    kinds: tuple[tuple[Kind, str], ...] = (
        ("setting", "settings"),
        ("rule", "rules"),
        ("route", "routes"),
        ("channel", "channels"),
        ("host", "hosts"),
    )
    for kind, name in kinds:
        for key, value in table(document, name, name).items():
            yield kind, key, f"{name}.{key}"[:100], value
    agents = table(document, "agents", "agents")
    unknown(agents, ("fleet", "hosts"), "agents.")
    if "fleet" in agents:
        yield "agent", FLEET, "agents.fleet", agents["fleet"]
    for key, value in table(agents, "hosts", "agents.hosts").items():
        yield "agent", key, f"agents.hosts.{key}"[:100], value


def setting_item(key: str, value: Any, path: str, _: tuple[Family, ...]) -> Any:
    if key not in setting_keys():
        raise InvalidField(path, None, "unknown setting; GET /api/v1/settings lists those that exist")
    try:
        return parse_setting(key, value)
    except msgspec.ValidationError:
        raise setting_fault(key, value, path) from None


def rule_item(name: str, value: Any, path: str, _: tuple[Family, ...]) -> Any:
    return plain_rule(_typed(_with_id(name, value, path), Rule, path))


def route_item(name: str, value: Any, path: str, _: tuple[Family, ...]) -> Any:
    route: Route = _typed(_with_id(name, value, path), Route, path)
    below(path, lambda: check_route(route))
    return plain_route(route)


def channel_item(name: str, value: Any, path: str, _: tuple[Family, ...]) -> Any:
    target = value.get("target") if isinstance(value, dict) else None
    for field, given in target.items() if isinstance(target, dict) else ():
        if isinstance(given, dict) and given.keys() == {"env"}:
            remedy = "must be the value itself: environment variables are looked up by `sonde config import`"
            raise InvalidField(f"{path}.target.{field}"[:200], None, remedy)
    return plain_channel(_typed(_with_id(name, value, path), Channel, path))


def _with_id(name: str, value: Any, path: str) -> Any:
    """What the table at `path` says, with its name as the id."""
    if isinstance(value, dict) and "id" in value:
        raise InvalidField(f"{path}.id", None, "remove this field; the name of the table is the id")
    return {**value, "id": name} if isinstance(value, dict) else value


def plain_rule(rule: Rule) -> Any:
    """A rule as the document has it: without what is null, which TOML does not know, and under its id."""
    plain = without_nulls(msgspec.to_builtins(rule))
    del plain["id"]
    return plain


def rule_faults(name: str, before: Any, after: Any, catalogue: tuple[Family, ...]) -> list[InvalidField]:
    """Why a rule, in the form that documents have, cannot become another one; `before` is None for a new one."""
    old = None if before is None else msgspec.convert({**before, "id": name}, Rule)
    new = msgspec.convert({**after, "id": name}, Rule)
    try:
        below(f"rules.{name}", lambda: check_change(old, new, catalogue))
    except InvalidFields as wrong:
        return list(wrong.faults)
    return []


def agent_item(name: str, value: Any, path: str, catalogue: tuple[Family, ...]) -> Any:
    if name != FLEET:
        _check_host(name, path)
    config = _typed(value, NewAgentConfig, path)
    below(path, lambda: check_agent_config(config, catalogue))
    if len(msgspec.json.encode(config)) > MOST_BYTES:
        raise InvalidField(path, None, f"must be at most {MOST_BYTES} bytes of JSON; remove or shorten patterns")
    return msgspec.to_builtins(config)


def host_item(name: str, value: Any, path: str, _: tuple[Family, ...]) -> Any:
    _check_host(name, path)
    said = _typed(value, Said, path)
    return {"label": said.label.strip(), "tags": list(dict.fromkeys(said.tags)), "note": said.note}


_READ: Mapping[Kind, Callable[[str, Any, str, tuple[Family, ...]], Any]] = {
    "setting": setting_item,
    "rule": rule_item,
    "route": route_item,
    "channel": channel_item,
    "agent": agent_item,
    "host": host_item,
}


def _typed(value: Any, kind: Any, path: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise InvalidFields(invalid_fields(value, kind, path)) from None


def _check_host(name: str, path: str) -> None:
    if not valid_host(name):
        raise InvalidField(path, None, "must be a host id: 1 to 40 characters, each a-z, 0-9 or -")
