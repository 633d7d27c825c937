"""Which incidents somebody asks for, and in which order."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from infra.clock import now_ms, to_time
from schemas.matching import NO_NUL, TEXT, Tag
from schemas.messages import Severity
from schemas.rules import InvalidField, RuleId
from schemas.subjects import HostId
from services.gateway.http.paging import MOST_MICROSECONDS, Cursor, Limit, Number, Page
from services.gateway.http.ranges import Time, parse_time

Sort = Literal["newest", "oldest", "changed", "severity"]
Search = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL, description=TEXT)]


class Filter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Query parameters that say which incidents; all that are given must fit."""

    state: Literal["open", "closed", "all"] = "all"
    severity: Severity | None = None
    """Now, or when it ended."""
    host: HostId | None = None
    tag: Tag | None = None
    """On the host."""
    rule: RuleId | None = None
    acknowledged: bool | None = None
    past: bool | None = None
    """Found in samples that came late."""
    from_: Time | None = field(default=None, name="from")
    """Those that were open then or later."""
    to: Time | None = None
    """Those that began before."""
    q: Search | None = None
    """In the name of the rule, of the host or of the instance, or in the metric."""

    def arguments(self) -> list[Any]:
        """What the statements call $1 to $10. Raises InvalidField."""
        now = now_ms()
        from_ms = None if self.from_ is None else parse_time("from", self.from_, now)
        to_ms = None if self.to is None else parse_time("to", self.to, now)
        if from_ms is not None and to_ms is not None and from_ms >= to_ms:
            raise InvalidField("from", self.from_, "must be earlier than to")
        return [
            {"open": True, "closed": False, "all": None}[self.state],
            self.severity,
            self.host,
            self.tag,
            self.rule,
            self.acknowledged,
            self.past,
            None if from_ms is None else to_time(from_ms),
            None if to_ms is None else to_time(to_ms),
            None if self.q is None else escaped(self.q),
        ]


class IncidentsQuery(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sort: Sort = "newest"
    limit: Limit = 100
    cursor: Cursor | None = None

    @property
    def page(self) -> Page:
        return Page(limit=self.limit, cursor=self.cursor)

    def after(self) -> Position | None:
        """Where the page before this one ended; None for the first page. Raises InvalidField."""
        position = self.page.after(Position)
        if position is None:
            return None
        if position.sort != self.sort:
            raise InvalidField("cursor", self.cursor, "must be of a page in the same order")
        if self.sort != "severity" and position.position > MOST_MICROSECONDS:
            raise InvalidField("cursor", self.cursor, "must be what `next` of the page before has")
        return position


class Position(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page of incidents ended."""

    sort: Sort
    position: Number
    id: Number


def escaped(text: str) -> str:
    """`text` for LIKE, which is to find it as it is."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
