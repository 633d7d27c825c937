"""How a document differs from what is stored. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from schemas.configuration import FLEET, Difference, Kind
from schemas.settings import SECRETS
from services.gateway.configuration.document import Items, absent


def differences(stored: Items, wanted: Items, hosts: Collection[str], prune: bool = False) -> Iterator[Difference]:
    """What comes of each item of `wanted`, and with `prune` of what it lacks, by kind and name.

    `hosts` are those that there are; nothing can be said of others. Secrets, which no export has, are never pruned.
    """
    lacking = {key for key in stored if prune and key not in wanted and key[1] not in SECRETS}
    for kind, name in sorted(wanted.keys() | lacking):
        before = stored.get((kind, name), absent(kind))
        after = wanted.get((kind, name), absent(kind))
        yield _one(kind, name, before, after, _is_of_nobody(kind, name, hosts))


def _one(kind: Kind, name: str, before: object, after: object, of_nobody: bool) -> Difference:
    if before == after:
        return Difference(kind, name, "unchanged")
    if of_nobody:
        return Difference(kind, name, "skipped", reason="there is no such host here")
    gone, new = after == absent(kind), before == absent(kind)
    if kind == "setting" and name in SECRETS:
        before, after = {"set": bool(before)}, {"set": bool(after)}
    return Difference(kind, name, "deleted" if gone else "created" if new else "changed", before, after)


def _is_of_nobody(kind: Kind, name: str, hosts: Collection[str]) -> bool:
    return kind in ("agent", "host") and name != FLEET and name not in hosts
