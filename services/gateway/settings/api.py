"""`/settings` and `/settings/{key}`: runtime settings, typed, with a version each; secrets go in and never come out."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
from msgspec import Struct, structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.storage.database import Connection, Pool
from schemas.api import Setting, Settings
from schemas.rules import InvalidField
from schemas.settings import (
    DESCRIPTIONS,
    SECRETS,
    RuntimeSettings,
    check_settings,
    parse_setting,
    setting_fault,
    setting_keys,
)
from services.gateway.http.database import connected
from services.gateway.http.problems import conflict, unknown
from services.gateway.http.requests import Resource, answer, if_match, read_json
from services.gateway.settings import sql
from services.gateway.settings.announce import Announce


class NewValue(Struct, forbid_unknown_fields=True):
    """Body of PUT."""

    value: Any


def setting_routes(pool: Pool, announce: Announce) -> list[BaseRoute]:
    async def list_settings(request: Request) -> Response:
        rows = await _read(pool)
        return answer(Settings([_setting(key, rows) for key in setting_keys()]))

    async def get_setting(request: Request) -> Response:
        key = _key(request)
        return _answer(_setting(key, await _read(pool)))

    async def put_setting(request: Request) -> Response:
        key = _key(request)
        expected = if_match(request)
        given = (await read_json(request, NewValue)).value
        try:
            value = parse_setting(key, given)
        except msgspec.ValidationError:
            raise setting_fault(key, given, "value") from None
        text = json.dumps(value)
        async with connected(pool) as database, database.transaction():
            await database.execute(sql.LOCK_SETTINGS)
            stored = await _stored(database)
            _check_together(stored, key, value)
            version = await database.fetchval(sql.PUT_SETTING, key, text, expected)
            if version is None:
                raise conflict("setting", key, await database.fetchval(sql.SETTING_VERSION, key) or 0)
        await announce(key, version)
        return _answer(_setting(key, {key: (value, version)}))

    return [
        Resource("/settings", GET=list_settings),
        Resource("/settings/{key}", GET=get_setting, PUT=put_setting),
    ]


Stored = dict[str, tuple[Any, int]]
"""Key -> value and version."""


async def _read(pool: Pool) -> Stored:
    async with connected(pool) as database:
        return await _stored(database)


async def _stored(database: Connection) -> Stored:
    rows = await database.fetch(sql.SETTINGS)
    return {row["key"]: (json.loads(row["value"]), row["version"]) for row in rows}


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
    values = {}
    for key in stored.keys() & set(setting_keys()):
        with contextlib.suppress(msgspec.ValidationError):
            values[key] = parse_setting(key, stored[key][0])
    return RuntimeSettings(**values)


def _fault(settings: RuntimeSettings) -> InvalidField | None:
    try:
        check_settings(settings)
    except InvalidField as fault:
        return fault
    return None


def _key(request: Request) -> str:
    key: str = request.path_params["key"]
    if key not in setting_keys():
        raise unknown("setting", key)
    return key


def _setting(key: str, stored: Stored) -> Setting:
    """What the API shows; `set` is whether anything is stored, for a secret anything but nothing."""
    default = getattr(RuntimeSettings(), key)
    value, version = stored.get(key, (default, 0))
    secret = key in SECRETS
    is_set = bool(value) if secret else key in stored
    return Setting(key, None if secret else value, default, version, DESCRIPTIONS.get(key, ""), secret, is_set)


def _answer(setting: Setting) -> Response:
    return answer(setting, headers={"ETag": f'"{setting.version}"'})
