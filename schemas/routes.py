"""Who is told of which alerts, when and how: routes, silences, and the hours of the week in which people are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from schemas.matching import NO_NUL, TEXT, Matcher
from schemas.rules import InvalidField, InvalidFields, Name, Owner

RouteId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z", description="1 to 40 characters, each a-z, 0-9 or -")]
ChannelId = RouteId

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z", description="a time of day, 00:00 to 24:00")
]
GroupBy = Literal["host", "rule", "host and rule", "all"]
STORM_HOSTS = 10
"""More hosts than these with news at once are told in one message."""


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of some days of the week; `until` before or at `from`: it ends on the day after."""

    days: Annotated[list[Day], Meta(min_length=1, max_length=7)]
    start: TimeOfDay
    until: TimeOfDay


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """When people are told: within the spans, or outside of them. The rest waits, and is told at the end in one."""

    spans: Annotated[list[Span], Meta(min_length=1, max_length=20)]
    kind: Literal["working", "quiet"] = "quiet"
    """`working`: people are told within the spans only; `quiet`: only outside of them."""
    zone: Annotated[str, Meta(max_length=60)] = "UTC"
    """Time zone, such as Europe/Berlin."""
    critical_passes: bool = False
    """Whether what is critical is told all the same."""


class Escalation(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom else to tell when nobody acknowledges."""

    after_s: Annotated[float, Meta(ge=10, le=7 * 86400)]
    """Since the first of the route's channels was told."""
    channels: Annotated[list[ChannelId], Meta(min_length=1, max_length=20)]
    critical_only: bool = False


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """Which alerts go where. Routes are tried in order of `position`, then id; the first that fits is taken."""

    id: RouteId
    name: Name
    channels: Annotated[list[ChannelId], Meta(max_length=20)]
    """None: nobody is told of what fits."""
    position: Annotated[int, Meta(ge=0, le=10_000)] = 100
    match: Matcher = Matcher()
    further: bool = False
    """Whether later routes are tried too."""
    group_by: GroupBy = "host"
    """What is told in one message when it happens at the same time."""
    group_wait_s: Annotated[float, Meta(ge=0, le=3600)] = 0.3
    """How long the first news of a group waits for company."""
    group_interval_s: Annotated[float, Meta(ge=0, le=86400)] = 60
    """How long further news of a group waits after a message, unless it is graver than what was told."""
    repeat_s: Annotated[float, Meta(ge=0, le=7 * 86400)] = 4 * 3600
    """After how long people are reminded of what still fires; 0: never."""
    send_resolved: bool = True
    storm_hosts: Annotated[int, Meta(ge=1, le=100_000)] = STORM_HOSTS
    """When more hosts than this have news at once, one message tells of all."""
    tell_past: bool = True
    """Whether people are told, in one message, of alerts found in samples that came late."""
    hours: Hours | None = None
    escalation: Escalation | None = None
    enabled: bool = True
    owner: Owner = ""


EVERYTHING = "everything"
"""Id of the route that takes what no other fits, while no route of that id is stored: to every channel."""


class Silence(Struct, frozen=True, forbid_unknown_fields=True):
    """For some time nobody is told of the alerts that fit. They go on; what still fires afterwards is told then."""

    match: Matcher
    starts: float
    """Unix seconds, as `ends`."""
    ends: float
    reason: Annotated[str, Meta(max_length=500, pattern=NO_NUL, description=TEXT)] = ""


LONGEST_SILENCE_S = 366 * 86400


def check_route(route: Route) -> None:
    """Raise InvalidFields unless `route` makes sense."""
    faults = list(_route_faults(route))
    if faults:
        raise InvalidFields(faults)


def _route_faults(route: Route) -> Iterator[InvalidField]:
    yield from matcher_faults(route.match, "match")
    if route.hours is not None and not is_zone(route.hours.zone):
        yield InvalidField("hours.zone", route.hours.zone, "unknown time zone; use a name such as Europe/Berlin")
    if route.hours is not None and is_never_told(route.hours):
        remedy = "must leave some time of the week in which people are told; a route without channels tells nobody"
        yield InvalidField("hours.spans", None, remedy)
    if 0 < route.repeat_s < 60:
        yield InvalidField("repeat_s", route.repeat_s, "must be 0 for never, or at least 60")
    if route.escalation is not None and set(route.escalation.channels) <= set(route.channels):
        yield InvalidField(
            "escalation.channels", list(route.escalation.channels), "must name a channel that is not told anyway"
        )


def is_never_told(hours: Hours) -> bool:
    """Whether quiet hours fill the week and nothing passes them."""
    if hours.kind == "working" or hours.critical_passes:
        return False
    day = minutes_of("24:00")
    quiet = bytearray(len(DAYS) * day)
    for span in hours.spans:
        start, until = minutes_of(span.start), minutes_of(span.until)
        for name in span.days:
            begin = DAYS.index(name) * day + start
            for minute in range(begin, begin + (until - start if until > start else until - start + day)):
                quiet[minute % len(quiet)] = 1
    return all(quiet)


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of that name; another one may."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def matcher_faults(matcher: Matcher, field: str) -> Iterator[InvalidField]:
    """What of `matcher` can never fit anything."""
    both = set(matcher.tags) & set(matcher.without_tags)
    if both:
        yield InvalidField(f"{field}.without_tags", min(both), "is asked for in tags, too: nothing fits both")
    if matcher.about == "sonde" and (matcher.hosts or matcher.tags):
        remedy = 'must be "all" or "hosts" where hosts or tags are given: alerts about Sonde itself have none'
        yield InvalidField(f"{field}.about", matcher.about, remedy)


def check_silence(silence: Silence, now_s: float) -> None:
    """Raise InvalidFields unless `silence` makes sense at `now_s`, Unix seconds."""
    faults = list(matcher_faults(silence.match, "match"))
    if silence.ends <= max(now_s, silence.starts):
        faults.append(InvalidField("ends", silence.ends, "must be later than starts and than now"))
    elif silence.ends - max(now_s, silence.starts) > LONGEST_SILENCE_S:
        faults.append(InvalidField("ends", silence.ends, f"must be within {LONGEST_SILENCE_S // 86400} days"))
    if faults:
        raise InvalidFields(faults)


def minutes_of(time: str) -> int:
    """Minutes since midnight of a `TimeOfDay`."""
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
