"""Paging by cursor: an answer ends with `next`, which the request for the following page gives as `cursor`.

A cursor says where a page ended, in the order of its list, so rows that come and go in front of it neither repeat nor
hide others. Clients pass it on as it is; what is in it is checked like any other argument.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from schemas.matching import NO_NUL
from schemas.rules import InvalidField

MOST = 1000
_WORDS = "what `next` of the page before has"
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""In a position: the number of a row."""
MOST_MICROSECONDS = 2**53 - 1
Microseconds = Annotated[int, Meta(ge=0, le=MOST_MICROSECONDS)]
"""Unix time that PostgreSQL knows exactly, also when it multiplies it with an interval."""
Limit = Annotated[int, Meta(ge=1, le=MOST)]
Cursor = Annotated[str, Meta(min_length=1, max_length=4000, description=_WORDS)]
Text = Annotated[str, Meta(pattern=NO_NUL)]
P = TypeVar("P", bound=Struct)


class Page(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of a list."""

    limit: Limit = 100
    cursor: Cursor | None = None

    def after(self, position: type[P]) -> P | None:
        """Where the page before this one ended; None for the first page. Raises InvalidField."""
        if self.cursor is None:
            return None
        try:
            padded = self.cursor.encode() + b"=" * (-len(self.cursor) % 4)
            return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=position)
        except (binascii.Error, msgspec.DecodeError, UnicodeError, RecursionError):
            raise InvalidField("cursor", self.cursor[:100], f"must be {_WORDS}") from None

    def cut(self, rows: Sequence[Any], position: Callable[[Any], Struct]) -> tuple[Sequence[Any], str | None]:
        """The page's rows and its `next`, out of rows of which one more than `limit` was asked for."""
        page = rows[: self.limit]
        return page, cursor(position(page[-1])) if len(rows) > self.limit else None


def cursor(position: Struct) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()
