"""What tables keep as JSON, read back; what this version cannot read is named with the reason, and has no effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from schemas.alerting import UnreadableItem
from schemas.validation import invalid_fields

T = TypeVar("T", bound=Struct)


class Stored(Generic[T]):
    """Rows of one table: those that can be read, with their versions, and those that cannot."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], kind: type[T]) -> None:
        self.items: dict[str, T] = {}
        self.versions: dict[str, int] = {}
        self.unreadable: list[UnreadableItem] = []
        for row in rows:
            self.versions[row["id"]] = row["version"]
            item, reason = read(row["body"], kind)
            if item is None:
                self.unreadable.append(UnreadableItem(row["id"], row["version"], reason))
            else:
                self.items[row["id"]] = item


def read(body: str, kind: type[T]) -> tuple[T | None, str]:
    """What `body` is, or None and why it cannot be read; the reason repeats no secret."""
    try:
        return msgspec.json.decode(body, type=kind), ""
    except msgspec.DecodeError:
        faults = invalid_fields(_plain(body), kind)
        return None, "; ".join(f"{fault.field} {fault.remedy}" for fault in faults[:5]) or "it is no JSON"


def written(item: Struct) -> str:
    return msgspec.json.encode(item).decode()


def _plain(body: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
