"""Routes and channels in the document, and who owns what. Pure.

A channel's secrets are in no export; a document that lacks one leaves what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct, structs

from schemas.channelchecks import check_channel
from schemas.channels import Channel, keeping_secrets, secrets_set, without_secrets
from schemas.configuration import Difference, Kind
from schemas.routes import Route
from schemas.rules import InvalidField, InvalidFields
from services.gateway.alerting.routes import channel_faults
from services.gateway.configuration.items import Items, below, without_nulls

OWNED: tuple[Kind, ...] = ("rule", "route", "channel")
"""What has an owner."""


def plain_route(route: Route) -> Any:
    """A route as the document has it: without nulls, and under its id."""
    return _plain(route)


def plain_channel(channel: Channel) -> Any:
    """The same of a channel, with its secrets."""
    return _plain(channel)


def _plain(item: Struct) -> Any:
    plain = without_nulls(msgspec.to_builtins(item))
    del plain["id"]
    return plain


def channel_of(name: str, item: Any) -> Channel:
    return msgspec.convert({**item, "id": name}, Channel)


def route_of(name: str, item: Any) -> Route:
    return msgspec.convert({**item, "id": name}, Route)


def bare_channel(name: str, item: Any) -> Any:
    """A channel's item without its secrets: not even their fields."""
    channel = channel_of(name, item)
    empty = without_secrets(channel)
    secrets = {each for each in structs.asdict(channel.target) if _is_secret(channel, each)}
    plain = plain_channel(empty)
    plain["target"] = {each: value for each, value in plain["target"].items() if each not in secrets}
    return plain


def _is_secret(channel: Channel, name: str) -> bool:
    marked = structs.replace(channel, target=structs.replace(channel.target, **{name: "x"}))
    return name in secrets_set(marked)


def shown_channel(name: str, item: Any, other: Any) -> Any:
    """A channel's item for people: of each secret whether it is set, or is another than that of `other`."""
    if item is None:
        return None
    channel = channel_of(name, item)
    before = None if other is None else channel_of(name, other)
    shown = bare_channel(name, item)
    shown["secrets"] = {each: _said(channel, before, each) for each in secrets_set(channel)}
    return shown


def _said(channel: Channel, before: Channel | None, name: str) -> str:
    same = before is None or getattr(before.target, name, "") in ("", getattr(channel.target, name))
    return "set" if same else "set to another"


def with_stored_secrets(stored: Items, wanted: Items) -> Items:
    """`wanted` with the secrets of the stored channels where it gives none."""
    kept = dict(wanted)
    for (kind, name), item in wanted.items():
        if kind == "channel" and ("channel", name) in stored:
            before = channel_of(name, stored["channel", name])
            kept[kind, name] = plain_channel(keeping_secrets(before, channel_of(name, item)))
    return kept


def owned(wanted: Items, owner: str | None) -> Items:
    """`wanted` as the things of `owner`; None: of whom each says. Raises InvalidFields."""
    if owner is None:
        return wanted
    taken, faults = dict(wanted), []
    for (kind, name), item in wanted.items():
        if kind not in OWNED:
            continue
        if item["owner"] not in ("", owner):
            faults.append(InvalidField(f"{kind}s.{name}.owner", item["owner"], f"must be {owner!r}, or left out"))
        taken[kind, name] = {**item, "owner": owner}
    if faults:
        raise InvalidFields(faults)
    return taken


def owner_of(kind: Kind, item: Any) -> str:
    """Who keeps something; empty: people."""
    return str(item.get("owner", "")) if kind in OWNED and item is not None else ""


def faults_of(stored: Items, changes: list[Difference], wanted: Items) -> Iterator[InvalidField]:
    """What of the channels and routes that change makes no sense, or would name what is not there any more."""
    after = dict(stored)
    for change in changes:
        key = (change.kind, change.name)
        if change.what == "deleted":
            after.pop(key, None)
        else:
            after[key] = wanted[key]
    there = {name for kind, name in after if kind == "channel"}
    changed = {(change.kind, change.name) for change in changes}
    gone = {name for kind, name in stored if kind == "channel"} - there
    for (kind, name), item in after.items():
        if kind == "channel":
            yield from _channel_faults(name, item, there, gone, (kind, name) in changed)
        elif kind == "route":
            for fault in channel_faults(route_of(name, item), there):
                if (kind, name) in changed or fault.value in gone:
                    yield InvalidField(f"routes.{name}.{fault.field}", fault.value, "there is no such channel then")


def _channel_faults(name: str, item: Any, there: set[str], gone: set[str], changed: bool) -> Iterator[InvalidField]:
    path, channel = f"channels.{name}", channel_of(name, item)
    if changed:
        try:
            below(path, lambda: check_channel(channel))
        except InvalidFields as wrong:
            yield from wrong.faults
    if channel.fallback and channel.fallback not in there and (changed or channel.fallback in gone):
        yield InvalidField(f"{path}.fallback", channel.fallback, "there is no such channel then")
