"""What one incident is news of, for each channel. Pure; kept until something of it can be another."""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec import Struct, field

from schemas.matching import misfit
from schemas.routes import Route, Silence
from schemas.virtual import HOST_DOWN
from services.alerts.notice import Kind
from services.alerts.notify.decide import SETTLE_S, Moment, decide, is_acknowledged
from services.alerts.notify.world import Decision, Destination, Incident, Item, Told, World

ENDING_EXPIRES_S = 24 * 3600.0
"""That something ended so long ago is told to nobody any more."""
PAST_EXPIRES_S = 7 * 24 * 3600.0
"""The same for what was found in samples that came late."""
PAST_WAIT_S = 30.0
"""What comes late comes in pieces: this long after the last of them they are told in one."""


class Pending(Struct):
    """News of one incident for one channel."""

    item: Item
    destination: Destination
    group: str
    ready_s: float
    """Not before."""
    held: bool
    """It had to wait for the end of the hours in which nobody is told."""


class News(Struct):
    """What one incident is news of."""

    incident: Incident
    told: dict[str, Told] | None
    around: tuple[bool, float | None, bool]
    until_s: float
    """It stays the same so long, unless something happens."""
    decision: Decision
    pending: list[tuple[str, Pending]] = []
    """By channel."""
    settled: list[tuple[int, str, str]] = []
    over: bool = False


class General(Struct):
    """What decides about every incident."""

    routes: list[Route]
    channels: list[tuple[str, str, bool, str]]
    catching_up: bool
    ahead_s: float


class Circumstances(Struct):
    """What decides about incidents, other than incidents."""

    general: General
    silences: dict[int, Silence]
    muted_until: dict[str, float]


class Memo(Struct):
    """What was found out before, so that only what is different has to be decided anew."""

    circumstances: Circumstances | None = None
    news: dict[int, News] = field(default_factory=dict)
    """By incident."""


def circumstances(world: World) -> Circumstances:
    # Whether a channel fails for the moment matters to escalations alone.
    escalates = any(route.escalation is not None for route in world.routes)
    channels = [(it.id, it.held, escalates and it.failures > 0, it.fallback) for it in world.channels.values()]
    general = General(list(world.routes), channels, world.catching_up_s is not None, world.ahead_s)
    return Circumstances(general, dict(world.silences), dict(world.muted_until))


def silences_differ(before: Circumstances, now: Circumstances) -> Callable[[Incident], bool]:
    """Says of an incident whether a silence that fits it, or the mute of its host, is not as it was `before`."""
    matchers = [
        silences[number].match
        for silences, others in ((before.silences, now.silences), (now.silences, before.silences))
        for number in silences
        if silences[number] != others.get(number)
    ]
    names = before.muted_until.keys() | now.muted_until.keys()
    hosts = {name for name in names if before.muted_until.get(name) != now.muted_until.get(name)}

    def differ_for(incident: Incident) -> bool:
        if incident.host in hosts:
            return True
        if not matchers:
            return False
        subject = incident.subject
        return any(not misfit(matcher, subject) for matcher in matchers)

    return differ_for


def news_of(now: Moment, incident: Incident) -> News:
    """What `incident` is news of."""
    told = now.world.told.get(incident.id)
    decision = decide(now, incident)
    news = News(incident, told, now.around.of(incident.host), decision.until_s, decision)
    if not incident.level:
        _end(now, incident, news)
    if decision.hold is None:
        settled = {name for _, name, _ in news.settled}
        for name, destination in decision.destinations.items():
            if name in settled:
                continue
            pending = _pending(now, incident, (told or {}).get(name), destination, news)
            if pending is not None:
                news.pending.append((name, pending))
    return news


def _end(now: Moment, incident: Incident, news: News) -> None:
    """Find out who need not hear that it is over, and whether nobody has to."""
    ended_s = now.unix_s - incident.facts.changed
    destinations = news.decision.destinations
    told = news.told or {}
    if incident.past:
        left = [name for name in destinations if name not in told]
        if ended_s > PAST_EXPIRES_S:
            news.settled = [(incident.id, name, "it was too long ago") for name in left]
            left = []
        news.over = not left
        return
    for name in [name for name, what in told.items() if what.level]:
        destination = destinations.get(name)
        if destination is None:
            news.settled.append((incident.id, name, "the channel is not there any more"))
        elif not destination.route.send_resolved:
            news.settled.append((incident.id, name, f"route {destination.route.id} does not tell of ends"))
        elif ended_s > ENDING_EXPIRES_S:
            news.settled.append((incident.id, name, "it was over for more than a day"))
        else:
            news.until_s = min(news.until_s, now.steady_s(incident.facts.changed) + ENDING_EXPIRES_S + 1)
    still = sum(1 for what in told.values() if what.level) - len(news.settled)
    # That a host is back matters to its other alerts for a moment.
    settled_s = incident.noticed_s + SETTLE_S if incident.facts.metric == HOST_DOWN else -math.inf
    if now.now_s < settled_s:
        news.until_s = min(news.until_s, settled_s)
    news.over = not still and now.now_s >= settled_s


def _pending(
    now: Moment, incident: Incident, told: Told | None, destination: Destination, news: News
) -> Pending | None:
    """What a channel has to hear of `incident`, though perhaps not yet; None for nothing."""
    kind = _kind(incident, told)
    route = destination.route
    noticed_s = incident.noticed_s
    if kind is None:
        if told is None or not route.repeat_s or not incident.level or is_acknowledged(incident, now.unix_s):
            return None
        noticed_s = told.at_s + route.repeat_s
        if now.now_s < noticed_s:
            news.until_s = min(news.until_s, noticed_s)
            return None
        kind = "repeat"
    hold = destination.hold
    if hold is not None and hold.reason != "channel":
        return None
    wait_s = PAST_WAIT_S if kind == "past" else 0 if kind == "repeat" else route.group_wait_s
    held = destination.open_since_s is not None and noticed_s < destination.open_since_s
    return Pending(Item(incident, kind, told), destination, group_of(route, incident), noticed_s + wait_s, held)


def _kind(incident: Incident, told: Told | None) -> Kind | None:
    """What is true of `incident` and was not told; None for nothing."""
    if incident.past:
        return "past" if not incident.level and told is None else None
    before = told.level if told is not None else 0
    if incident.level and told is not None and told.unsure:
        return "fire"
    if incident.level == before:
        return None
    if not incident.level:
        return "gone" if incident.facts.ending == "gone" else "resolve"
    if not before:
        return "fire"
    return "escalate" if incident.level > before else "deescalate"


def group_of(route: Route, incident: Incident) -> str:
    """What of `incident` decides with which others it is told."""
    match route.group_by:
        case "host":
            return incident.host
        case "rule":
            return incident.rule
        case "host and rule":
            return f"{incident.host}\0{incident.rule}"
        case "all":
            return ""
