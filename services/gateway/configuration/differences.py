"""How a document differs from what is stored. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from schemas.configuration import FLEET, Difference, Kind, What
from schemas.settings import SECRETS
from services.gateway.configuration.items import Items, absent
from services.gateway.configuration.telling import OWNED, owner_of, shown_channel


def differences(
    stored: Items,
    wanted: Items,
    hosts: Collection[str],
    prune: bool = False,
    owner: str | None = None,
    adopt: bool = False,
) -> Iterator[Difference]:
    """What comes of each item of `wanted`, and with `prune` of what it lacks, by kind and name.

    `hosts` are those that there are; nothing can be said of others. Secrets, which no export has, are never pruned.
    What belongs to somebody else is left alone unless `adopt`, and never pruned; an import in the name of an `owner`
    prunes only what is theirs.
    """
    lacking = {key for key in stored if prune and key not in wanted and _may_go(*key, stored[key], owner)}
    for kind, name in sorted(wanted.keys() | lacking):
        before = stored.get((kind, name), absent(kind))
        after = wanted.get((kind, name), absent(kind))
        reason = _left_alone(kind, before, after, adopt)
        if _is_of_nobody(kind, name, hosts) or _is_about_nobody(kind, before, after, hosts):
            reason = "there is no such host here"
        yield _one(kind, name, before, after, reason)


def _may_go(kind: Kind, name: str, item: Any, owner: str | None) -> bool:
    """Whether a document that lacks it deletes it."""
    if kind in OWNED:
        return owner_of(kind, item) == (owner or "")
    return owner is None and name not in SECRETS


def _left_alone(kind: Kind, before: Any, after: Any, adopt: bool) -> str:
    """Why something stays as it is whatever the document says; empty: it does not."""
    if before is None or after is None or adopt or owner_of(kind, before) == owner_of(kind, after):
        return ""
    return f"it belongs to {owner_of(kind, before) or 'people'}; adopt it to take it over"


def _one(kind: Kind, name: str, before: Any, after: Any, reason: str) -> Difference:
    if before == after:
        return Difference(kind, name, "unchanged")
    if reason:
        return Difference(kind, name, "skipped", reason=reason)
    gone, new = after == absent(kind), before == absent(kind)
    what: What = "deleted" if gone else "created" if new else "changed"
    if kind == "setting" and name in SECRETS:
        before, after = {"set": bool(before)}, {"set": bool(after)}
    elif kind == "channel":
        before, after = shown_channel(name, before, None), shown_channel(name, after, before)
    return Difference(kind, name, what, before, after)


def _is_of_nobody(kind: Kind, name: str, hosts: Collection[str]) -> bool:
    return kind in ("agent", "host") and name != FLEET and name not in hosts


def _is_about_nobody(kind: Kind, before: Any, after: Any, hosts: Collection[str]) -> bool:
    """Whether it is a rule that from now on would be about one host alone, which is not there."""
    if kind != "rule" or after is None or (before is not None and before["host"] == after["host"]):
        return False
    return not ("*" in after["host"] or "?" in after["host"]) and after["host"] not in hosts
