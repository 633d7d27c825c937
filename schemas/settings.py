"""Runtime settings: kept in the `settings` table, changed over REST, announced on `settings.changed`.

Each key is one field of `RuntimeSettings`; its type validates, its default applies while the table has no row. A secret
one is write-only over REST.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from schemas.rules import InvalidField
from schemas.validation import SECRET, invalid_fields
from schemas.webaddress import web_address_fault

SECRETS = frozenset({"heartbeat_url"})

DESCRIPTIONS: dict[str, str] = {
    "heartbeat_url": (
        "Address that gets a POST again and again while alerts are judged and people can be told: a dead man's switch, "
        "which raises the alarm when that ends; empty: none. Write-only."
    ),
    "heartbeat_every_s": "Seconds between two POSTs to the dead man's switch; let it wait for two or three of them.",
    "dashboard_url": "Address under which people open the dashboard, for links in messages; empty: no links.",
    "raw_days": (
        "Days of raw samples kept; older ones are dropped hourly, a whole day at a time. At most as long as minute "
        "values."
    ),
    "minute_days": (
        "Days of minute values kept, dropped a week at a time. At least as long as raw samples, at most as long as "
        "hour values."
    ),
    "hour_days": (
        "Days of hour values and of alert history kept, dropped four weeks at a time. At least as long as minute "
        "values."
    ),
    "disk_free_percent": (
        "When less of the database's disk is free, raw days are dropped early, oldest first, never today or yesterday; "
        "0 turns that off. Works where the database is on the machine of the retention service."
    ),
    "database_gib": (
        "When the database takes more GiB, raw days are dropped early, oldest first, never today or yesterday; 0: no "
        "limit. For a database on another machine, whose free disk space nobody here can see."
    ),
    "host_down_default_s": "Seconds without a sample after which the dashboard shows a host as offline.",
    "max_viewers": "Browsers that may watch the live stream at once.",
    "max_viewers_per_person": "Of these, how many one person may have open; whoever needs no login counts by address.",
    "max_selections_per_person": "Different selections that one person may watch at once.",
    "session_idle_s": "Seconds without use after which somebody who is logged in has to log in again.",
    "session_max_s": "Seconds after which everybody has to log in again, however much they use Sonde.",
    "anonymous_viewer": "Whether everybody who reaches the gateway may read everything without a login.",
    "audit_days": "Days for which the audit log keeps who changed what.",
}


_ADDRESS = r"^(https?://[^\s\x00]+)?\Z"
_ADDRESS_WORDS = "empty, or an address that starts with http:// or https:// and has no spaces"
_ADDRESSES = frozenset({"heartbeat_url", "dashboard_url"})


class RuntimeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All runtime settings with their defaults."""

    heartbeat_url: Annotated[
        str, Meta(max_length=500, pattern=_ADDRESS, description=_ADDRESS_WORDS, extra={SECRET: True})
    ] = ""
    heartbeat_every_s: Annotated[float, Meta(ge=10, le=86400)] = 60
    dashboard_url: Annotated[str, Meta(max_length=300, pattern=_ADDRESS, description=_ADDRESS_WORDS)] = ""
    raw_days: Annotated[int, Meta(ge=1, le=3650)] = 7
    minute_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    hour_days: Annotated[int, Meta(ge=1, le=36500)] = 730
    disk_free_percent: Annotated[float, Meta(ge=0, le=90)] = 10
    database_gib: Annotated[float, Meta(ge=0, le=1_000_000)] = 0
    host_down_default_s: Annotated[float, Meta(ge=5, le=86400)] = 30
    max_viewers: Annotated[int, Meta(ge=1, le=10000)] = 100
    max_viewers_per_person: Annotated[int, Meta(ge=1, le=10000)] = 10
    max_selections_per_person: Annotated[int, Meta(ge=1, le=1000)] = 5
    session_idle_s: Annotated[float, Meta(ge=60, le=366 * 86400)] = 7 * 86400
    session_max_s: Annotated[float, Meta(ge=60, le=366 * 86400)] = 30 * 86400
    anonymous_viewer: bool = False
    audit_days: Annotated[int, Meta(ge=1, le=36500)] = 730


HOSTS_KEY = "hosts"
"""What `settings.changed` names when hosts were removed or archived; its version is their generation."""

PEOPLE_KEY = "people"
"""What it names when sessions or tokens ended, for other gateways."""

TELLING_KEY = "telling"
"""What viewers are told when `telling.changed` was heard."""


class SettingChanged(Struct):
    """JSON on `settings.changed`."""

    key: str
    version: int


_TYPES: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(RuntimeSettings)}

_DEFAULTS = RuntimeSettings()


def setting_keys() -> list[str]:
    return list(_TYPES)


def parse_setting(key: str, value: object) -> Any:
    """`value`, given as plain JSON data, as the type of `key`. Raises KeyError or msgspec.ValidationError."""
    parsed = msgspec.convert(value, _TYPES[key])
    if key in _ADDRESSES and parsed and (fault := web_address_fault(parsed)):
        raise msgspec.ValidationError(fault)
    return parsed


def setting_fault(key: str, value: object, field: str) -> InvalidField:
    """Why `parse_setting` refused `value`, for people; `field` is what they call it. A secret is not repeated."""
    faults = invalid_fields(value, _TYPES[key], field)
    remedy = faults[0].remedy if faults else web_address_fault(str(value))
    return InvalidField(field, None if key in SECRETS else value, remedy)


def check_settings(settings: RuntimeSettings) -> None:
    """Raise InvalidField unless the settings make sense together: what replaces something lives as long as it."""
    order = ("raw_days", "minute_days", "hour_days")
    for shorter, longer in pairwise(order):
        least, most = getattr(settings, shorter), getattr(settings, longer)
        if least > most:
            raise InvalidField(
                shorter,
                least,
                f"must not exceed {longer}, which is {most}; raise {longer} to at least {least}, "
                f"or set {shorter} to at most {most}",
            )


def parse_stored(key: str, text: str) -> Any:
    """The value of `key` in a row's JSON text. Raises KeyError, or InvalidField for whatever else may be there.

    Null, which no setting allows, is what a reset leaves: the default, and a version that no earlier one was.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists without end
        remedy = setting_fault(key, None, key).remedy
        raise InvalidField(key, None if key in SECRETS else text[:100], remedy) from None
    if value is None:
        return getattr(_DEFAULTS, key)
    try:
        return parse_setting(key, value)
    except msgspec.ValidationError:
        raise setting_fault(key, value, key) from None


class StoredSettings:
    """The runtime settings in force in one process, as far as the table's rows make sense.

    A row that does not leaves what was in force before: at first the default. It never ends anything.
    """

    def __init__(self) -> None:
        self.settings = RuntimeSettings()
        self.invalid: dict[str, InvalidField] = {}
        """Key -> what is wrong with its row."""
        self._said: dict[str, str] = {}

    def take(self, rows: Mapping[str, str]) -> list[InvalidField]:
        """Take in the table's rows, key -> JSON text; returns what is wrong and was not so the last time.

        A key without a row is at its default; keys that this version does not know are passed over.
        """
        values: dict[str, Any] = {}
        self.invalid = {}
        for key in [key for key in _TYPES if key in rows]:
            try:
                values[key] = parse_stored(key, rows[key])
            except InvalidField as fault:
                values[key] = getattr(self.settings, key)
                self.invalid[key] = fault
        self.settings = RuntimeSettings(**values)
        news = [fault for key, fault in self.invalid.items() if self._said.get(key) != rows[key]]
        self._said = {key: rows[key] for key in self.invalid}
        return news
