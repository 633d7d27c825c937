"""Which hosts a list shows, in which order, and where its next page begins. Pure.

A cursor names the last host of a page with the value it was sorted by, so pages stay put while hosts come and go; a
host whose value changes between two pages may be on both or on none. Hosts without a value are last in either
direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from schemas.api import AlertCounts, Host, HostState
from schemas.catalogue import Family, metric_named
from schemas.enrolment import Tag
from schemas.hosts import MOST_TAGS, Group, HostFilter
from schemas.rules import InvalidField
from services.gateway.fleet.selection import MetricsShown
from services.gateway.http import paging

MOST_LISTED = 10_000
_STATES: tuple[HostState, ...] = ("up", "late", "offline", "archived")

Value = float | str | None
"""What a host is sorted by."""


class HostsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query of GET /hosts."""

    metrics: MetricsShown = ""
    q: Annotated[str, Meta(max_length=200, description="words that id, label, host name or tags contain")] = ""
    state: Annotated[str, Meta(max_length=60, description="states separated by commas, such as late,offline")] = ""
    tags: Annotated[str, Meta(max_length=900, description="tags separated by commas, of which a host has all")] = ""
    sort: Annotated[
        str,
        Meta(
            max_length=80,
            description="name, label, state, last_sample or a metric such as cpu.total; - in front: descending",
        ),
    ] = "name"
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED)] | None = None
    """None: all."""
    cursor: Annotated[str, Meta(min_length=1, max_length=4000, description="`next` of the page before")] | None = None


class Page(Struct, frozen=True):
    hosts: list[Host]
    next: str | None
    matched: int


class _Cursor(Struct, frozen=True, array_like=True):
    sort: str
    value: Value
    host: str


def filter_of(query: HostsQuery) -> HostFilter:
    """What a query asks for. Raises InvalidField."""
    states, tags = query.state.split(",") if query.state else [], query.tags.split(",") if query.tags else []
    try:
        return msgspec.convert({"q": query.q, "state": states, "tags": tags}, HostFilter)
    except msgspec.ValidationError:
        pass
    try:
        msgspec.convert(tags, list[Tag])
    except msgspec.ValidationError:
        raise InvalidField("tags", query.tags[:100], "must be tags separated by commas, without spaces") from None
    if len(tags) > MOST_TAGS:
        raise InvalidField("tags", len(tags), f"must name at most {MOST_TAGS} tags")
    raise InvalidField("state", query.state, f"must be some of {', '.join(_STATES)}, separated by commas")


def matches(host: Host, wanted: HostFilter) -> bool:
    """Whether a host fits everything that is wanted."""
    if wanted.state and host.state not in wanted.state:
        return False
    if not set(wanted.tags) <= set(host.tags):
        return False
    words = wanted.q.casefold().split()
    if not words:
        return True
    texts = [text.casefold() for text in (host.id, host.label, host.facts.hostname, *host.tags)]
    return all(any(word in text for text in texts) for word in words)


def page(hosts: Iterable[Host], query: HostsQuery, catalogue: tuple[Family, ...]) -> Page:
    """The hosts that a query asks for, and where the next page begins. Raises InvalidField."""
    wanted, value_of = filter_of(query), sorted_by(query.sort, catalogue)
    after = _read_cursor(query)
    fitting = [(value_of(host), host) for host in hosts if matches(host, wanted)]
    down = query.sort.startswith("-")
    fitting.sort(key=lambda pair: pair[1].id)
    known = [pair for pair in fitting if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=down)  # type: ignore[arg-type,return-value] # all of one type
    ordered = [*known, *(pair for pair in fitting if pair[0] is None)]
    if after is not None:
        ordered = [pair for pair in ordered if _is_after(pair[0], pair[1].id, after, down)]
    shown = ordered[: query.limit]
    end = None
    if shown and len(shown) < len(ordered):
        value, host = shown[-1]
        end = paging.cursor(_Cursor(query.sort, value, host.id))
    return Page([host for _, host in shown], end, len(fitting))


def sorted_by(sort: str, catalogue: tuple[Family, ...]) -> Callable[[Host], Value]:
    """What a host is sorted by; of a metric with instances the largest. Raises InvalidField."""
    name = sort.removeprefix("-")
    match name:
        case "name":
            return lambda host: host.id
        case "label":
            return lambda host: (host.label or host.id).casefold()
        case "state":
            return lambda host: float(_STATES.index(host.state))
        case "last_sample":
            return lambda host: None if host.last_sample is None else float(host.last_sample)
    try:
        family, metric = metric_named(name, catalogue)
    except KeyError:
        remedy = "must be name, label, state, last_sample or a metric such as cpu.total, or one of them after -"
        raise InvalidField("sort", sort, remedy) from None

    def largest(host: Host) -> Value:
        rows = host.latest.get(family.name, {}).values()
        return max((value for row in rows if (value := row.get(metric.name)) is not None), default=None)

    return largest


def _is_after(value: Value, host: str, after: _Cursor, down: bool) -> bool:
    if value == after.value:
        return host > after.host
    if value is None or after.value is None:
        return value is None
    return (value < after.value) if down else (value > after.value)  # type: ignore[operator] # both of one type


def _read_cursor(query: HostsQuery) -> _Cursor | None:
    """Raises InvalidField."""
    read = paging.Page(cursor=query.cursor).after(_Cursor)
    kind = str if query.sort.removeprefix("-") in ("name", "label") else float | int | None
    if read is not None and (read.sort != query.sort or not isinstance(read.value, kind)):
        raise InvalidField("cursor", query.cursor, "must be `next` of a page in the same order")
    return read


def groups(hosts: Sequence[Host]) -> list[Group]:
    """The hosts by tag: how many there are, how they are, and what fires on them."""
    found: dict[str, Group] = {}
    for host in hosts:
        for tag in host.tags:
            group = found.setdefault(tag, Group(tag, 0, 0, 0, 0, 0, 0, AlertCounts()))
            group.hosts += 1
            setattr(group, host.state, getattr(group, host.state) + 1)
            group.muted += host.muted_until is not None
            group.alerts.warning += host.alerts.warning
            group.alerts.critical += host.alerts.critical
    return [found[tag] for tag in sorted(found)]
