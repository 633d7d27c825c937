"""`/settings` and `/settings/{setting}`: runtime settings, typed, with versions; secrets go in and never out."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from infra.storage.database import Connection, Pool
from schemas.api import Setting, Settings
from schemas.rules import InvalidField
from schemas.settings import (
    DESCRIPTIONS,
    SECRETS,
    RuntimeSettings,
    check_settings,
    parse_setting,
    parse_stored,
    setting_fault,
    setting_keys,
)
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import conflict, unknown
from services.gateway.settings import sql
from services.gateway.settings.announce import Announce
from services.gateway.settings.runtime import Runtime

SettingKey = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}\Z", description="1 to 40 characters, each a-z, 0-9 or _")]
_PATH = "/settings/{setting}"


class NewValue(Struct, forbid_unknown_fields=True):
    """Body of PUT."""

    value: Any


def setting_operations(pool: Pool, runtime: Runtime, announce: Announce) -> list[Operation]:
    async def list_settings(_: Call[Nothing, None]) -> Settings:
        rows = await _read(pool)
        return Settings([_setting(key, rows, runtime.settings) for key in setting_keys()])

    async def get_setting(call: Call[Nothing, None]) -> Reply:
        key = _key(call)
        return _answer(_setting(key, await _read(pool), runtime.settings))

    async def put_setting(call: Call[Nothing, NewValue]) -> Reply:
        key, given = _key(call), call.body.value
        try:
            value = parse_setting(key, given)
        except msgspec.ValidationError:
            raise setting_fault(key, given, "value") from None
        return await change(call, json.dumps(value), value)

    async def reset_setting(call: Call[Nothing, None]) -> Reply:
        # Null rather than no row: a version never comes again, so nobody overwrites what they have not read.
        return await change(call, "null", getattr(RuntimeSettings(), _key(call)))

    async def change(call: Call[Nothing, Any], text: str, value: Any) -> Reply:
        key = _key(call)
        async with connected(pool) as database, database.transaction():
            await database.execute(sql.LOCK_SETTINGS)
            stored = await _stored(database)
            _check_together(stored, key, value)
            before = _setting(key, stored, runtime.settings)
            version = await database.fetchval(sql.PUT_SETTING, key, text, call.expected)
            if version is None:
                raise conflict("setting", key, before.version)
            after = _setting(key, {key: _row(key, text, version)}, runtime.settings)
            await record(database, call, key, _audited(before), _audited(after))
        await announce(key, version)
        return _answer(after)

    return [
        Operation(
            "GET",
            "/settings",
            list_settings,
            tag="settings",
            summary="Every runtime setting with its value, default and version",
            role="viewer",
            answers={200: Settings},
        ),
        Operation(
            "GET",
            _PATH,
            get_setting,
            tag="settings",
            summary="One runtime setting",
            role="viewer",
            answers={200: Setting},
            path_types={"setting": SettingKey},
        ),
        Operation(
            "PUT",
            _PATH,
            put_setting,
            tag="settings",
            summary="Change a runtime setting",
            role="admin",
            answers={200: Setting},
            path_types={"setting": SettingKey},
            body=NewValue,
            match="required",
        ),
        Operation(
            "DELETE",
            _PATH,
            reset_setting,
            tag="settings",
            summary="Put a runtime setting back to its default",
            role="admin",
            answers={200: Setting},
            path_types={"setting": SettingKey},
            match="required",
        ),
    ]


class Row(Struct, frozen=True):
    """What the table has of a key."""

    value: Any
    """None where it makes no sense."""
    version: int
    set: bool = True
    """Not once it was reset."""
    invalid: str = ""
    """Why it makes no sense; a secret is not repeated."""


Stored = dict[str, Row]


async def _read(pool: Pool) -> Stored:
    async with connected(pool) as database:
        return await _stored(database)


async def _stored(database: Connection) -> Stored:
    rows = await database.fetch(sql.SETTINGS)
    return {row["key"]: _row(row["key"], row["value"], row["version"]) for row in rows if row["key"] in setting_keys()}


def _row(key: str, text: str, version: int) -> Row:
    try:
        return Row(parse_stored(key, text), version, set=text != "null")
    except InvalidField as fault:
        shown = "the stored value" if key in SECRETS else text[:100]
        return Row(None, version, invalid=f"{shown}: {fault.remedy}")


def _check_together(stored: Stored, key: str, value: Any) -> None:
    """Raise InvalidField when `value` does not go with the settings in force.

    What they were at odds about before hinders nobody from changing something else, or from mending it in steps.
    """
    before = _in_force(stored)
    fault = _fault(structs.replace(before, **{key: value}))
    if fault is not None and str(fault) != str(_fault(before)):
        raise fault


def _in_force(stored: Stored) -> RuntimeSettings:
    """Settings of this version; one that no longer validates counts as its default, so that it can be changed."""
    return RuntimeSettings(**{key: row.value for key, row in stored.items() if not row.invalid})


def _fault(settings: RuntimeSettings) -> InvalidField | None:
    try:
        check_settings(settings)
    except InvalidField as fault:
        return fault
    return None


def _key(call: Call[Any, Any]) -> str:
    key: str = call.path["setting"]
    if key not in setting_keys():
        raise unknown("setting", key)
    return key


def _setting(key: str, stored: Stored, in_force: RuntimeSettings) -> Setting:
    """What the API shows; `set` is whether anything is stored, for a secret anything but nothing."""
    default = getattr(RuntimeSettings(), key)
    row = stored.get(key, Row(default, 0, set=False))
    value = getattr(in_force, key) if row.invalid else row.value
    secret = key in SECRETS
    return Setting(
        key,
        None if secret else value,
        default,
        row.version,
        DESCRIPTIONS.get(key, ""),
        secret,
        set=bool(value) if secret else row.set,
        invalid=row.invalid,
    )


def _audited(setting: Setting) -> dict[str, Any]:
    """What the audit log keeps of a setting: of a secret only whether there is one."""
    return {"set": setting.set} if setting.secret else {"value": setting.value}


def _answer(setting: Setting) -> Reply:
    return Reply.versioned(setting, setting.version)
