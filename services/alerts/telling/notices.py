"""A planned message with everything that is said in it. Pure."""

from __future__ import annotations

import msgspec

from schemas.rules import Rule
from services.alerts.notice import Extent, Kind, Notice, Said
from services.alerts.notify.world import Draft, Item, World
from services.alerts.telling.load import About, Tables


def notice_of(number: int, draft: Draft, tables: Tables, hosts: int, dashboard_url: str, now_s: float) -> Notice:
    """The message `number`, as it is now, among so many `hosts`."""
    items = [_said(item, tables.about.get(item.incident.id)) for item in draft.items]
    rules = {said.rule: said.facts.rule for said in items if said.host}
    firing = _firing(tables.world, rules)
    extents = {}
    for name, rule in rules.items():
        on = len(firing[name])
        extents[name] = Extent(on, max(on, _covered(rule, hosts, on)))
    made_s = now_s - tables.world.ahead_s
    beside = _beside(draft, items, tables)
    return Notice(number, draft.form, made_s, items, extents, draft.next_reminder_s, dashboard_url, beside)


def _beside(draft: Draft, items: list[Said], tables: Tables) -> list[Said]:
    """Other incidents that stand in the same messages of the channel."""
    world = tables.world
    messages = {msgspec.json.encode(said.reference) for said in items if said.reference}
    if not messages:
        return []
    news = {said.incident for said in items}
    found = []
    for number, incident in world.incidents.items():
        told = world.told.get(number, {}).get(draft.channel)
        if told is None or number in news or incident.past or not told.reference:
            continue
        if msgspec.json.encode(told.reference) not in messages:
            continue
        kind: Kind = "fire" if incident.level else incident.facts.ending or "resolve"
        found.append(_said(Item(incident, kind, told), tables.about.get(number)))
    return found


def _said(item: Item, about: About | None) -> Said:
    incident = item.incident
    seen = incident.acknowledged
    return Said(
        incident.id,
        item.kind,
        incident.host,
        (about.label if about is not None else "") or incident.host,
        incident.rule,
        incident.instance,
        about.opened_s if about is not None else incident.facts.since,
        about.closed_s if about is not None else None,
        incident.facts,
        sorted(incident.tags),
        seen.by if seen is not None else "",
        item.told.reference if item.told is not None else {},
    )


def _firing(world: World, rules: dict[str, Rule | None]) -> dict[str, set[str]]:
    """By rule: the hosts on which it is on."""
    firing: dict[str, set[str]] = {name: set() for name in rules}
    for incident in world.incidents.values():
        if incident.level and incident.host and not incident.past and incident.rule in firing:
            firing[incident.rule].add(incident.host)
    return firing


def _covered(rule: Rule | None, hosts: int, firing: int) -> int:
    """How many hosts a rule is about, as far as that can be said without looking at each."""
    if rule is None or (rule.host == "*" and not rule.tags and not rule.without_tags):
        return hosts
    return firing if any(character in rule.host for character in "*?") else 1
