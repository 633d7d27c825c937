"""A planned message with everything that is said in it. Pure."""

from __future__ import annotations

from schemas.matching import fits
from schemas.rules import Rule
from services.alerts.notice import Extent, Notice, Said
from services.alerts.notify.world import Draft, Item
from services.alerts.telling.load import Around, Loaded


def notice_of(number: int, draft: Draft, loaded: Loaded, dashboard_url: str, now_s: float) -> Notice:
    """The message `number`, as it is now."""
    items = [_said(item, loaded.around) for item in draft.items]
    extents = {said.rule: _extent(said, loaded) for said in items if said.host}
    return Notice(number, draft.form, now_s, items, extents, draft.next_reminder_s, dashboard_url)


def _said(item: Item, around: Around) -> Said:
    incident = item.incident
    seen = incident.acknowledged
    return Said(
        incident.id,
        item.kind,
        incident.host,
        around.label.get(incident.id, "") or incident.host,
        incident.rule,
        incident.instance,
        around.opened_s[incident.id],
        around.closed_s.get(incident.id),
        incident.facts,
        sorted(incident.tags),
        seen.by if seen is not None else "",
        item.told.reference if item.told is not None else {},
    )


def _extent(said: Said, loaded: Loaded) -> Extent:
    """On how many hosts the rule's trouble is now, of how many."""
    firing = {it.host for it in loaded.world.incidents if it.rule == said.rule and it.level and not it.past and it.host}
    return Extent(len(firing), max(len(firing), _covered(said.facts.rule, loaded.hosts, len(firing))))


def _covered(rule: Rule | None, hosts: int, firing: int) -> int:
    """How many hosts a rule is about, as far as that can be said without looking at each."""
    if rule is None or (rule.host == "*" and not rule.tags and not rule.without_tags):
        return hosts
    return 1 if not any(character in rule.host for character in "*?") and not fits(rule.host, "") else firing
