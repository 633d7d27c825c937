"""Items: what documents and tables say of each thing, as plain data by kind and name, in one form. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from schemas.configuration import Kind
from schemas.hosts import HostLabel, Note, Tags
from schemas.rules import InvalidField, InvalidFields

Items = dict[tuple[Kind, str], Any]


class Said(Struct, forbid_unknown_fields=True):
    """What the document says of a host."""

    label: HostLabel = ""
    tags: Tags = []
    note: Note = ""


ABSENT: Mapping[Kind, Any] = {"agent": {}, "host": msgspec.to_builtins(Said())}
"""What stands for nothing: agents' settings and hosts that nothing is said of need no entry."""


def absent(kind: Kind) -> Any:
    return ABSENT.get(kind)


def without_nulls(value: Any) -> Any:
    """Plain data without what is null, which TOML does not know: it is the default, or no field has it."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def below(path: str, check: Callable[[], None]) -> None:
    """Run a check whose faults name fields of the entry at `path`."""
    try:
        check()
    except InvalidFields as wrong:
        faults = [InvalidField(f"{path}.{fault.field}", fault.value, fault.remedy) for fault in wrong.faults]
        raise InvalidFields(faults) from None
