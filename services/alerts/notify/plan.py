"""What is to be sent now: `plan(world, now) -> messages, next look`. Pure.

It compares, it does not queue: of every incident and channel it knows what the channel was told last and what is true
now, and whatever differs is news until it was told. So an alert that ended before anybody was told is nothing to tell,
what is held by a silence, by quiet hours, by a dead channel or by a crash is still news afterwards, and nothing that
goes on can be forgotten. A message is made the moment before it is sent, out of what is true then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct

from schemas.routes import Route
from services.alerts.notice import Form, Kind
from services.alerts.notify.decide import decide, is_acknowledged, surroundings
from services.alerts.notify.world import (
    Decision,
    Destination,
    Draft,
    Incident,
    Item,
    Plan,
    Storm,
    Told,
    World,
)

ENDING_EXPIRES_S = 24 * 3600.0
"""That something ended so long ago is told to nobody any more."""
PAST_EXPIRES_S = 24 * 3600.0
PAST_WAIT_S = 30.0
"""What comes late comes in pieces: this long after the last of them they are told in one."""
STORM_INTERVAL_S = 60.0
STORM_INTERVAL_MOST_S = 600.0
BUDGET = 20
"""Most messages of a route in one channel within `BUDGET_S`; after that they are told in one, as in a storm."""
BUDGET_S = 600.0


class Pending(Struct):
    """News of one incident for one channel."""

    item: Item
    destination: Destination
    group: str
    ready_s: float
    """Not before."""


class _Later:
    """The earliest moment at which something changes by itself."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.at_s = math.inf

    def note(self, at_s: float | None) -> None:
        if at_s is not None and self.now_s < at_s < self.at_s:
            self.at_s = at_s


def plan(world: World, now_s: float) -> Plan:
    """The next message of each channel that can take one, and when to look again."""
    made = Plan()
    later = _Later(now_s)
    around = surroundings(world.incidents)
    for back_s in around.back_s.values():
        later.note(back_s)
    by_channel: dict[str, list[Pending]] = {}
    for incident in world.incidents:
        decision = made.decisions[incident.id] = decide(world, around, incident, now_s)
        _settle(world, incident, decision, now_s, made)
        _note_ends(decision, incident, later)
        if decision.hold is not None:
            continue
        for name, destination in decision.destinations.items():
            pending = _pending(world, incident, name, destination, now_s, later)
            if pending is not None:
                by_channel.setdefault(name, []).append(pending)
    for name, news in by_channel.items():
        channel = world.channels[name]
        if channel.held or channel.busy:
            continue
        if now_s < channel.next_s:
            later.note(channel.next_s)
            continue
        draft = _draft(world, name, news, now_s, later, made)
        if draft is not None:
            made.drafts.append(draft)
    made.wake_s = None if math.isinf(later.at_s) else later.at_s
    return made


def _settle(world: World, incident: Incident, decision: Decision, now_s: float, made: Plan) -> None:
    """Note which channels need not hear that `incident` is over."""
    for channel, told in world.told.get(incident.id, {}).items():
        if incident.level or not told.level:
            continue
        destination = decision.destinations.get(channel)
        if destination is None:
            made.settled.append((incident.id, channel, "the channel is not there any more"))
        elif not destination.route.send_resolved:
            made.settled.append((incident.id, channel, f"route {destination.route.id} does not tell of ends"))
        elif now_s - incident.noticed_s > ENDING_EXPIRES_S:
            made.settled.append((incident.id, channel, "it could not be told for a day"))


def _note_ends(decision: Decision, incident: Incident, later: _Later) -> None:
    for hold in (decision.hold, *(destination.hold for destination in decision.destinations.values())):
        if hold is not None:
            later.note(hold.until_s)
    if incident.acknowledged is not None:
        later.note(incident.acknowledged.until)


def _pending(
    world: World, incident: Incident, channel: str, destination: Destination, now_s: float, later: _Later
) -> Pending | None:
    """What `channel` has to hear of `incident`, though perhaps not yet; None for nothing."""
    told = world.told.get(incident.id, {}).get(channel)
    kind = _news(incident, told)
    route = destination.route
    if kind is None:
        if told is None or not route.repeat_s or not incident.level or is_acknowledged(incident, now_s):
            return None
        due_s = told.at_s + route.repeat_s
        if now_s < due_s:
            later.note(due_s)
            return None
        kind = "repeat"
    if destination.hold is not None or (not incident.level and not incident.past and not route.send_resolved):
        return None
    ready_s = incident.noticed_s + (PAST_WAIT_S if kind == "past" else route.group_wait_s)
    return Pending(Item(incident, kind, told), destination, _group(route, incident), ready_s)


def _news(incident: Incident, told: Told | None) -> Kind | None:
    """What is true of `incident` and was not told; None for nothing."""
    if incident.past:
        return "past" if not incident.level and told is None else None
    before = told.level if told is not None else 0
    if incident.level == before:
        return None
    if not incident.level:
        return "gone" if incident.facts.ending == "gone" else "resolve"
    if not before:
        return "fire"
    return "escalate" if incident.level > before else "deescalate"


def _group(route: Route, incident: Incident) -> str:
    match route.group_by:
        case "host":
            return incident.host
        case "rule":
            return incident.rule
        case "host and rule":
            return f"{incident.host}\0{incident.rule}"
        case "all":
            return ""


def _draft(world: World, channel: str, news: list[Pending], now_s: float, later: _Later, made: Plan) -> Draft | None:
    """The message that `channel` is to get first; None while all of it has to wait."""
    best: tuple[tuple[int, float], Draft] | None = None
    by_route: dict[str, list[Pending]] = {}
    for pending in news:
        by_route.setdefault(pending.destination.route.id, []).append(pending)
    for route_id, mine in by_route.items():
        route = mine[0].destination.route
        found = _of_route(world, channel, route, mine, now_s, later, made.storms)
        if found is None:
            continue
        form, chosen = found
        draft = Draft(
            channel, route_id, form, [pending.item for pending in chosen], _next_reminder(route, chosen, now_s)
        )
        rank = (-max(_gravity(pending) for pending in chosen), min(pending.ready_s for pending in chosen))
        if best is None or rank < best[0]:
            best = rank, draft
    return best[1] if best else None


def _gravity(pending: Pending) -> int:
    """What is told first: what is critical, then warnings, then what is over, then reminders and the past."""
    kind = pending.item.kind
    if kind in ("repeat", "past"):
        return 0
    return 1 + pending.item.incident.level


def _of_route(
    world: World,
    channel: str,
    route: Route,
    news: list[Pending],
    now_s: float,
    later: _Later,
    storms: dict[tuple[str, str], Storm | None],
) -> tuple[Form, list[Pending]] | None:
    """What of a route's news goes into its next message."""
    late = [pending for pending in news if pending.item.kind == "past"]
    news = [pending for pending in news if pending.item.kind != "past"]
    key = (channel, route.id)
    storm = world.storms.get(key)
    hosts = len({pending.item.incident.host for pending in news})
    recent = [at_s for at_s in world.sent_s.get(key, ()) if at_s > now_s - BUDGET_S]
    if news and (storm is not None or hosts > route.storm_hosts or len(recent) >= BUDGET):
        due_s = storm.next_s if storm else min(pending.ready_s for pending in news)
        if now_s >= due_s:
            goes_on = hosts > route.storm_hosts or len(recent) >= BUDGET
            interval_s = min(STORM_INTERVAL_MOST_S, 2 * storm.interval_s) if storm else STORM_INTERVAL_S
            storms[key] = Storm(now_s + interval_s, interval_s) if goes_on else None
            return "storm" if hosts > 1 else "alert", news
        later.note(due_s)
    elif found := _of_groups(world, channel, route, news, now_s, later):
        return found
    if late:
        due_s = max(pending.ready_s for pending in late)
        if now_s >= due_s:
            return "past", late
        later.note(due_s)
    if storm is not None and not news and now_s >= storm.next_s:
        storms[key] = None
    return None


def _of_groups(
    world: World, channel: str, route: Route, news: list[Pending], now_s: float, later: _Later
) -> tuple[Form, list[Pending]] | None:
    held = [
        pending
        for pending in news
        if pending.item.kind != "repeat" and pending.item.incident.noticed_s < (pending.destination.open_since_s or 0)
    ]
    if len({pending.group for pending in held}) > 1:
        return "digest", held
    groups: dict[str, list[Pending]] = {}
    for pending in news:
        groups.setdefault(pending.group, []).append(pending)
    told: dict[str, list[Told]] = {name: [] for name in groups}
    for incident in world.incidents:
        group = _group(route, incident)
        what = world.told.get(incident.id, {}).get(channel)
        if group in told and what is not None:
            told[group].append(what)
    ready: list[tuple[tuple[int, float], list[Pending]]] = []
    for name, mine in groups.items():
        due_s = min(pending.ready_s for pending in mine)
        gravest = max((what.level for what in told[name]), default=0)
        if all(pending.item.incident.level <= gravest for pending in mine) and told[name]:
            due_s = max(due_s, max(what.at_s for what in told[name]) + route.group_interval_s)
        if now_s >= due_s:
            ready.append(((-max(_gravity(pending) for pending in mine), due_s), mine))
        else:
            later.note(due_s)
    if not ready:
        return None
    chosen = min(ready, key=lambda pair: pair[0])[1]
    return ("reminder" if all(pending.item.kind == "repeat" for pending in chosen) else "alert"), chosen


def _next_reminder(route: Route, chosen: Iterable[Pending], now_s: float) -> float | None:
    """When people are reminded of what these say, Unix seconds; None: never."""
    goes_on = any(
        pending.item.incident.level and not is_acknowledged(pending.item.incident, now_s) for pending in chosen
    )
    return now_s + route.repeat_s if goes_on and route.repeat_s else None


def after_sending(draft: Draft, told: dict[int, dict[str, Told]], at_s: float, reference: dict[str, object]) -> None:
    """Note in `told` what `draft` has told its channel."""
    for item in draft.items:
        mine = told.setdefault(item.incident.id, {})
        before = mine.get(draft.channel)
        mine[draft.channel] = Told(
            item.incident.level,
            at_s,
            before.since_s if before is not None and before.level else at_s,
            before.times + 1 if before is not None else 1,
            dict(reference) or (before.reference if before is not None else {}),
        )
