"""What one channel is sent next of all the news there is for it: by groups, or in one when there is too much. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from schemas.routes import Route
from services.alerts.notice import Form
from services.alerts.notify.decide import Moment, is_acknowledged
from services.alerts.notify.news import Pending, group_of
from services.alerts.notify.world import Draft, Storm, Told, World

STORM_INTERVAL_S = 60.0
STORM_INTERVAL_MOST_S = 600.0
BUDGET = 20
"""Most messages of a route in one channel within `BUDGET_S`; after that they are told in one, as in a storm."""
BUDGET_S = 600.0


class Later:
    """The earliest moment at which something changes by itself."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.at_s = math.inf

    def note(self, at_s: float) -> None:
        if self.now_s < at_s < self.at_s:
            self.at_s = at_s


def draft_of(now: Moment, channel: str, news: Sequence[Pending], later: Later) -> Draft | None:
    """The message that `channel` is to get first; None while all of it has to wait."""
    best: tuple[tuple[int, float], Draft] | None = None
    by_route: dict[str, list[Pending]] = {}
    for pending in news:
        by_route.setdefault(pending.destination.route.id, []).append(pending)
    for mine in by_route.values():
        route = mine[0].destination.route
        found = _of_route(now, channel, route, mine, later)
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    return best[1] if best else None


def _of_route(
    now: Moment, channel: str, route: Route, news: Sequence[Pending], later: Later
) -> tuple[tuple[int, float], Draft] | None:
    """A route's next message, and its rank."""
    present = [pending for pending in news if pending.item.kind != "past"]
    draft = Draft(channel, route.id, "alert", [])
    chosen = _of_present(now, draft, route, present, later) if present else None
    if chosen is None:
        chosen = [pending for pending in news if pending.item.kind == "past"]
        due_s = max((pending.ready_s for pending in chosen), default=math.inf)
        if now.now_s < due_s:
            later.note(due_s)
            return None
        draft.form = "past"
    draft.items = [pending.item for pending in chosen]
    draft.next_reminder_s = _next_reminder_s(now, route, chosen)
    return (-max(map(_gravity, chosen)), min(pending.ready_s for pending in chosen)), draft


def _of_present(now: Moment, draft: Draft, route: Route, news: list[Pending], later: Later) -> list[Pending] | None:
    """What of a route's news goes into its next message, whose form is noted in `draft`."""
    held = [pending for pending in news if pending.held]
    if len({pending.group for pending in held}) > 1:
        draft.form = "digest"
        return held
    key = (draft.channel, draft.route)
    hosts = _hosts(news)
    sent_s = [at_s for at_s in now.world.sent_s.get(key, ()) if at_s > now.now_s - BUDGET_S]
    spent = len(sent_s) >= BUDGET
    too_much = spent or hosts > route.storm_hosts
    storm = _storm(now, key, news)
    if storm is None and not too_much:
        return _of_groups(now, draft, route, news, later)
    due_s = storm.next_s if storm is not None else min(pending.ready_s for pending in news)
    if now.now_s < due_s:
        later.note(due_s)
        return _graver(now, draft, route, news, storm, spent, later) if storm is not None else None
    if too_much:
        interval_s = min(STORM_INTERVAL_MOST_S, 2 * storm.interval_s) if storm is not None else STORM_INTERVAL_S
        draft.storm = Storm(now.now_s + interval_s, interval_s, _gravest(news))
    else:
        draft.storm = None
    draft.form = _plain_form(news) if len({pending.group for pending in news}) == 1 else "storm"
    return news


def _graver(
    now: Moment, draft: Draft, route: Route, news: list[Pending], storm: Storm, spent: bool, later: Later
) -> list[Pending] | None:
    """What is worse than all that the storm has told: a few by their groups, many, or more than the budget, in one."""
    worse = [pending for pending in news if pending.item.incident.level > storm.level]
    if not worse:
        return None
    if not spent and _hosts(worse) <= route.storm_hosts:
        return _of_groups(now, draft, route, worse, later)
    due_s = min(pending.ready_s for pending in worse)
    if now.now_s < due_s:
        later.note(due_s)
        return None
    draft.storm = Storm(storm.next_s, storm.interval_s, _gravest(worse))
    draft.form = "storm"
    return worse


def _hosts(news: Iterable[Pending]) -> int:
    return len({pending.item.incident.host for pending in news})


def _gravest(news: Iterable[Pending]) -> int:
    return max(pending.item.incident.level for pending in news)


def _storm(now: Moment, key: tuple[str, str], news: Iterable[Pending]) -> Storm | None:
    """The storm that goes on; it is over when there is nothing to tell once its next message is due."""
    storm = now.world.storms.get(key)
    if storm is None or now.now_s > storm.next_s + STORM_INTERVAL_MOST_S:
        return None
    return storm if any(pending.ready_s <= storm.next_s for pending in news) or now.now_s < storm.next_s else None


def _of_groups(now: Moment, draft: Draft, route: Route, news: list[Pending], later: Later) -> list[Pending] | None:
    groups: dict[str, list[Pending]] = {}
    for pending in news:
        groups.setdefault(pending.group, []).append(pending)
    told = _told_of(now.world, draft.channel, route, groups)
    ready: list[tuple[tuple[int, float], list[Pending]]] = []
    for name, mine in groups.items():
        due_s = min(pending.ready_s for pending in mine)
        gravest = max((what.level for what in told[name]), default=0)
        if told[name] and all(pending.item.incident.level <= gravest for pending in mine):
            due_s = max(due_s, max(what.at_s for what in told[name]) + route.group_interval_s)
        if now.now_s >= due_s:
            ready.append(((-max(map(_gravity, mine)), due_s), mine))
        else:
            later.note(due_s)
    if not ready:
        return None
    chosen = min(ready, key=lambda pair: pair[0])[1]
    draft.form = _plain_form(chosen)
    return chosen


def _told_of(world: World, channel: str, route: Route, groups: Iterable[str]) -> dict[str, list[Told]]:
    """By group: what `channel` was told that, as far as it knows, goes on."""
    told: dict[str, list[Told]] = {name: [] for name in groups}
    for number, by_channel in world.told.items():
        what = by_channel.get(channel)
        if what is not None and what.level and not what.unsure and (incident := world.incidents.get(number)):
            group = group_of(route, incident)
            if group in told:
                told[group].append(what)
    return told


def _plain_form(chosen: Iterable[Pending]) -> Form:
    return "reminder" if all(pending.item.kind == "repeat" for pending in chosen) else "alert"


def _gravity(pending: Pending) -> int:
    """What is told first: what is critical, then warnings, then what is over, then reminders and the past."""
    if pending.item.kind in ("repeat", "past"):
        return 0
    return 1 + pending.item.incident.level


def _next_reminder_s(now: Moment, route: Route, chosen: Iterable[Pending]) -> float | None:
    """When people are reminded of what these say, Unix seconds; None: never."""
    incidents = [pending.item.incident for pending in chosen]
    goes_on = any(it.level and not it.past and not is_acknowledged(it, now.unix_s) for it in incidents)
    return now.unix_s + route.repeat_s if goes_on and route.repeat_s else None
