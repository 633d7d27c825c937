"""The configuration in the tables: read as one, and changed as one, with an entry in the audit log for each change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import structs

from infra.storage.database import Connection
from schemas.agentconfig import NewAgentConfig
from schemas.catalogue import Family
from schemas.channels import Channel, secrets_set
from schemas.configuration import FLEET, Difference
from schemas.routes import Route
from schemas.rules import InvalidField, InvalidFields, Rule
from schemas.settings import SECRETS, RuntimeSettings, check_settings, parse_stored, setting_keys
from services.gateway.agents.tending import Tended, tend
from services.gateway.alerting.bodies import read
from services.gateway.alerting.sql_telling import RELEASE_CHANNEL
from services.gateway.configuration import sql
from services.gateway.configuration.document import MOST_FAULTS, plain_rule, rule_faults
from services.gateway.configuration.items import Items
from services.gateway.configuration.telling import bare_channel, faults_of, plain_channel, plain_route
from services.gateway.fleet.given import Given
from services.gateway.http.audit import record
from services.gateway.http.operations import Call


@dataclass
class Stored:
    """What the tables hold."""

    items: Items = field(default_factory=dict)
    """With secrets."""
    hosts: list[str] = field(default_factory=list)
    """All that there are."""
    remarks: list[str] = field(default_factory=list)
    """What an export leaves out, and why."""

    def shown(self) -> Items:
        """Without secrets."""
        return {
            (kind, name): bare_channel(name, value) if kind == "channel" else value
            for (kind, name), value in self.items.items()
            if not (kind == "setting" and name in SECRETS)
        }


async def load(database: Connection) -> Stored:
    """Everything, as of one moment if the transaction sees one."""
    stored = Stored()
    for row in await database.fetch(sql.SETTINGS):
        _load_setting(stored, row["key"], row["value"])
    for row in await database.fetch(sql.RULES):
        try:
            rule = msgspec.json.decode(row["body"], type=Rule)
        except msgspec.ValidationError:
            stored.remarks.append(f"The rule {row['id']} is left out: this version cannot read it.")
        else:
            stored.items["rule", row["id"]] = plain_rule(rule)
    _load_telling(stored, await database.fetch(sql.ROUTES), await database.fetch(sql.CHANNELS))
    for row in await database.fetch(sql.AGENT_CONFIGS):
        name = row["host"] or FLEET
        try:
            config = msgspec.json.decode(row["body"], type=NewAgentConfig)
        except msgspec.ValidationError:
            whose = f"agent of {row['host']}" if row["host"] else "agents of the fleet"
            stored.remarks.append(f"The settings of the {whose} are left out: this version cannot read them.")
        else:
            stored.items["agent", name] = msgspec.to_builtins(structs.replace(config, revision=0))
    for row in await database.fetch(sql.HOSTS):
        stored.hosts.append(row["name"])
        said = {"label": row["label"], "tags": row["tags"], "note": row["note"]}
        if any(said.values()):
            stored.items["host", row["name"]] = said
    return stored


def _load_telling(stored: Stored, routes: list[Any], channels: list[Any]) -> None:
    for row in routes:
        route = read(row["body"], Route)[0]
        if route is None:
            stored.remarks.append(f"The route {row['id']} is left out: this version cannot read it.")
        else:
            stored.items["route", row["id"]] = plain_route(route)
    for row in channels:
        channel = read(row["body"], Channel)[0]
        if channel is None:
            stored.remarks.append(f"The channel {row['id']} is left out: this version cannot read it.")
            continue
        stored.items["channel", row["id"]] = plain_channel(channel)
        if secrets := secrets_set(channel):
            named = " and ".join(secrets)
            remark = f"The {named} of the channel {row['id']}: set and left out, as secrets are."
            stored.remarks.append(f'{remark} To give one: {secrets[0]} = {{ env = "A_VARIABLE" }}')


def _load_setting(stored: Stored, key: str, text: str) -> None:
    if key not in setting_keys():
        return
    try:
        value = parse_stored(key, text)
    except InvalidField as fault:
        stored.remarks.append(f"The setting {key} is left out: what is stored {fault.remedy}.")
        return
    stored.items["setting", key] = value
    if key in SECRETS and value:
        stored.remarks.append(f"The setting {key} is set and left out: it is a secret.")


def check(stored: Items, changes: Sequence[Difference], wanted: Items, catalogue: tuple[Family, ...]) -> None:
    """Raise InvalidFields when a rule that changes makes no sense, or settings do not go together after the changes.

    What was so before is no fault.
    """
    faults: list[InvalidField] = []
    before = {name: value for (kind, name), value in stored.items() if kind == "setting"}
    after = dict(before)
    for change in changes:
        if change.kind == "rule" and change.what != "deleted":
            faults += rule_faults(change.name, change.before, change.after, catalogue)
        if change.kind == "setting":
            after.pop(change.name, None)
            if change.what != "deleted":
                after[change.name] = wanted["setting", change.name]
    faults += faults_of(stored, list(changes), wanted)
    fault = _fault(RuntimeSettings(**after))
    if fault is not None and str(fault) != str(_fault(RuntimeSettings(**before))):
        faults.append(InvalidField(f"settings.{fault.field}", fault.value, fault.remedy))
    if faults:
        raise InvalidFields(faults[:MOST_FAULTS])


def _fault(settings: RuntimeSettings) -> InvalidField | None:
    try:
        check_settings(settings)
    except InvalidField as fault:
        return fault
    return None


async def apply(database: Connection, call: Call[Any, Any], change: Difference, wanted: Items) -> Tended | None:
    """Make one change; the host as it is then, where it was about one."""
    name, value = change.name, wanted.get((change.kind, change.name))
    match change.kind:
        case "setting" if change.what == "deleted":
            await database.execute(sql.DELETE_SETTING, name)
        case "setting":
            await database.fetchval(sql.PUT_SETTING, name, json.dumps(value))
        case "agent":
            await database.execute(sql.PUT_AGENT_CONFIG, "" if name == FLEET else name, json.dumps(value or {}))
        case "host":
            return await tend(database, call, name, _said(value or {}))
        case "rule" | "route" | "channel":
            await _put_or_delete(database, change, value or {})
    await record(database, call, f"{change.kind} {name}", change.before, change.after)
    return None


_STATEMENTS = {
    "rule": (sql.PUT_RULE, sql.DELETE_RULE),
    "route": (sql.PUT_ROUTE, sql.DELETE_ROUTE),
    "channel": (sql.PUT_CHANNEL, sql.DELETE_CHANNEL),
}


async def _put_or_delete(database: Connection, change: Difference, value: dict[str, Any]) -> None:
    put, delete = _STATEMENTS[change.kind]
    if change.what == "deleted":
        await database.execute(delete, change.name)
        return
    await database.execute(put, change.name, json.dumps({**value, "id": change.name}))
    if change.kind == "channel":
        await database.execute(RELEASE_CHANNEL, change.name)


def _said(value: dict[str, Any]) -> Any:
    def change(given: Given) -> Given:
        tags = tuple(value.get("tags", ()))
        return structs.replace(given, label=value.get("label", ""), tags=tags, note=value.get("note", ""))

    return change
