"""Why people were told of an incident, or were not: rule, selectors, silence, route, delivery. Pure."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

from schemas.alerting import About, ChannelState, Incident, Notification, Reason, RouteCheck, ToldChannel, Why
from schemas.incidents import Step, is_seen
from schemas.matching import Subject, misfit
from schemas.routes import Silence
from schemas.rules import Rule

_ABOUT: Mapping[str, About] = {
    "held": "route",
    "released": "route",
    "routed": "route",
    "sent": "delivery",
    "failed": "delivery",
    "dropped": "delivery",
    "acknowledged": "people",
    "unacknowledged": "people",
    "noted": "people",
}
"""What each kind of step is about; the others are about the rule."""
_ORDER: tuple[About, ...] = ("rule", "selectors", "silence", "route", "delivery", "people")


class Known(Struct):
    """All that bears on one incident."""

    incident: Incident
    level: int
    settled: bool
    rule_then: Rule | None
    rule_now: Rule | None
    """None: there is none of that id any more, or it cannot be read."""
    steps: Sequence[Step]
    told: Sequence[ToldChannel]
    messages: Sequence[Notification]
    silences: Mapping[int, Silence]
    """Those that are in force."""
    muted_until_s: float
    """Of the host; 0: it is not."""
    routes: RouteCheck
    channels: Mapping[str, ChannelState]
    """Those that are on."""


def why(known: Known, now_s: float) -> Why:
    """The reasons in the order in which it is decided, and what they come to."""
    reasons = [*_rule(known), *_selectors(known), *_silence(known, now_s), *_route(known), *_delivery(known, now_s)]
    reasons += [Reason("people", step.text, step.at) for step in known.steps if _ABOUT.get(step.kind) == "people"]
    reasons.sort(key=lambda reason: _ORDER.index(reason.about))
    up_to_date = [told.channel for told in known.told if _knows(known, told)]
    return Why(known.incident.id, _conclusion(known, reasons, up_to_date, now_s), up_to_date, reasons)


def _knows(known: Known, told: ToldChannel) -> bool:
    """Whether a channel knows how the incident is now; not one that is spared to hear that it is over."""
    last = next((step for step in reversed(known.steps) if step.channel == told.channel), None)
    return told.level == known.level and (last is None or last.kind != "dropped")


def subject_of(incident: Incident) -> Subject:
    """What matchers look at."""
    return Subject(incident.host, frozenset(incident.tags), incident.rule, incident.instance, incident.severity)


def _rule(known: Known) -> list[Reason]:
    incident = known.incident
    reasons = [Reason("rule", step.text, step.at) for step in known.steps if step.kind not in _ABOUT]
    if not reasons:
        text = f"{incident.severity}: {incident.rule_name}, threshold {incident.threshold:g} {incident.unit}".rstrip()
        reasons = [Reason("rule", text, incident.opened)]
    if known.rule_now is None:
        reasons.append(Reason("rule", f"rule {incident.rule} is not there any more"))
    elif not known.rule_now.enabled:
        reasons.append(Reason("rule", f"rule {incident.rule} is off now"))
    elif known.rule_then is not None and known.rule_now != known.rule_then:
        reasons.append(Reason("rule", f"rule {incident.rule} was changed since"))
    return reasons


def _selectors(known: Known) -> list[Reason]:
    rule, incident = known.rule_then, known.incident
    if not incident.host:
        return [Reason("selectors", "it is about Sonde itself: rules select no hosts for it", incident.opened)]
    if rule is None:
        return [Reason("selectors", f"it is about host {incident.host}", incident.opened)]
    text = f"host {incident.host} fits {rule.host}"
    if rule.tags:
        text += f" and has {', '.join(rule.tags)}"
    if rule.without_tags:
        text += f" and has not {', '.join(rule.without_tags)}"
    if incident.instance:
        text += f"; instance {incident.instance} fits {rule.instance}"
    return [Reason("selectors", text, incident.opened)]


def _silence(known: Known, now_s: float) -> list[Reason]:
    subject = subject_of(known.incident)
    reasons = []
    for number, silence in known.silences.items():
        if misfit(silence.match, subject):
            continue
        because = f": {silence.reason}" if silence.reason else ""
        until = _moment(silence.ends)
        reasons.append(Reason("silence", f"silence {number} holds until {until}{because}", silence.starts, stops=True))
    if known.incident.host and known.muted_until_s > now_s:
        until = "for good" if math.isinf(known.muted_until_s) else f"until {_moment(known.muted_until_s)}"
        reasons.append(Reason("silence", f"host {known.incident.host} is muted {until}", stops=True))
    return reasons or [Reason("silence", "no silence fits now, and the host is not muted")]


def _route(known: Known) -> list[Reason]:
    reasons = [
        Reason("route", step.text, step.at, step.channel) for step in known.steps if _ABOUT.get(step.kind) == "route"
    ]
    last = next((step for step in reversed(known.steps) if _ABOUT.get(step.kind) == "route"), None)
    if last is not None and last.kind == "held" and not known.settled:
        reasons[-1].stops = True
    for step in known.routes.steps:
        text = f"route {step.route} fits: {step.why}" if step.fits else f"route {step.route} does not fit: {step.why}"
        reasons.append(Reason("route", text))
    if not known.routes.channels:
        reasons.append(Reason("route", "the routes that fit tell nobody", stops=not known.settled))
    return reasons


def _delivery(known: Known, now_s: float) -> list[Reason]:
    reasons = [
        Reason("delivery", step.text, step.at, step.channel)
        for step in known.steps
        if _ABOUT.get(step.kind) == "delivery"
    ]
    told = {each.channel: each for each in known.told}
    for name in sorted({*known.routes.channels, *told}):
        state = known.channels.get(name)
        if state is None:
            reasons.append(Reason("delivery", f"channel {name} is off or not there", channel=name))
        elif state.held_since is not None:
            text = f"channel {name} is held: {state.held_reason}"
            reasons.append(Reason("delivery", text, state.held_since, name, stops=True))
        elif state.failures:
            text = f"channel {name} failed {state.failures} times in a row: {state.last_answer}"
            if state.next_try is not None and state.next_try > now_s:
                text += f"; tried again at {_moment(state.next_try)}"
            reasons.append(Reason("delivery", text, None, name, stops=True))
        elif name in told and _knows(known, told[name]):
            what = "that it is over" if not known.level else "of it as it is now"
            reasons.append(Reason("delivery", f"channel {name} was told {what}", told[name].at, name))
    for message in known.messages:
        if message.status == "sending":
            text = f"a message to {message.channel} is on its way"
            reasons.append(Reason("delivery", text, message.made, message.channel))
    return reasons


def _conclusion(known: Known, reasons: Sequence[Reason], up_to_date: Sequence[str], now_s: float) -> str:
    if (up_to_date and any(told.level for told in known.told)) or (up_to_date and not known.level):
        newest = max(told.at for told in known.told if told.channel in up_to_date)
        what = "that it is over" if not known.level else "of it"
        return f"{', '.join(up_to_date)} was told {what}, last at {_moment(newest)}."
    stopped = next((reason for reason in reasons if reason.stops), None)
    if stopped is not None:
        return f"Nobody was told of how it is now: {stopped.text}."
    if known.settled:
        return "It is over, and nobody has to be told: nobody was told that it was on."
    seen = known.incident.acknowledged
    if seen is not None and is_seen(seen, known.level, now_s):
        return f"{seen.by} has acknowledged it."
    return "Nobody was told of how it is now; a message waits for its turn."


def _moment(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_s))
