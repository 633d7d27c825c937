"""`/settings` and `/settings/{key}`: runtime settings, typed, with a version each; secrets go in and never come out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.database import Pool
from schemas.api import Setting, Settings
from schemas.settings import DESCRIPTIONS, SECRETS, RuntimeSettings, parse_setting, setting_keys
from services.gateway import sql
from services.gateway.announce import announce_change
from services.gateway.bus import Bus
from services.gateway.database import connected
from services.gateway.hub import Hub
from services.gateway.problems import conflict, invalid, unknown
from services.gateway.requests import Resource, answer, if_match, read_json


class NewValue(Struct, forbid_unknown_fields=True):
    """Body of PUT."""

    value: Any


def setting_routes(pool: Pool, bus: Bus, hub: Hub, stale: asyncio.Event) -> list[BaseRoute]:
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
        except msgspec.ValidationError as error:
            raise invalid("value", None if key in SECRETS else given, str(error)) from None
        text = json.dumps(value)
        async with connected(pool) as database:
            version = await database.fetchval(sql.PUT_SETTING, key, text, expected)
            if version is None:
                raise conflict("setting", key, await database.fetchval(sql.SETTING_VERSION, key) or 0)
        await announce_change(bus, hub, stale, key, version)
        return _answer(_setting(key, {key: (value, version)}))

    return [
        Resource("/settings", GET=list_settings),
        Resource("/settings/{key}", GET=get_setting, PUT=put_setting),
    ]


Stored = dict[str, tuple[Any, int]]
"""Key -> value and version."""


async def _read(pool: Pool) -> Stored:
    async with connected(pool) as database:
        rows = await database.fetch(sql.SETTINGS)
    return {row["key"]: (json.loads(row["value"]), row["version"]) for row in rows}


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
