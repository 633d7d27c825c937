"""What a message and its answer make of the world: who has been told, and when its channel is sent to again. Pure."""

from __future__ import annotations

from msgspec import UNSET, Struct
from msgspec.structs import replace

from services.alerts.notice import Outcome
from services.alerts.notify.drafts import BUDGET_S
from services.alerts.notify.world import Channel, Draft, Item, Plan, Told, World

MOST_WAIT_S = 60.0
"""Between two attempts on a channel that fails."""
MOST_RETRY_AFTER_S = 3600.0
HELD_AFTER = 12
"""Attempts in a row that failed, after which a channel is called held: five minutes and more."""
PATIENT_S = 30.0
"""Who asks for less time than this is busy, and works."""
HELD_RETRY_S = 900.0
"""How often one that refused everything is tried again by itself."""


class Effect(Struct):
    """What an answer changed, to be kept."""

    told: dict[int, Told]
    """By incident: what its channel has been told of it now."""
    channel: Channel | None
    """Null: it was removed or switched off meanwhile."""
    wait_s: float


def note_sending(world: World, draft: Draft) -> None:
    """Note that `draft` is on its way."""
    world.under_way[draft.channel] = draft


def note_answer(world: World, draft: Draft, outcome: Outcome, at_s: float, pace_s: float, jitter: float) -> Effect:
    """Note what came of `draft` at `at_s`. `jitter`, from 0 to 1, spreads what is tried again."""
    world.under_way.pop(draft.channel, None)
    told: dict[int, Told] = {}
    if outcome.verdict in ("sent", "refused"):
        # What a channel will never take counts as told there, or it would be sent for ever; its reminders are tried.
        # What follows up one message knows where that goes on; what tells of several leaves each where it was.
        first = draft.items[0].told
        follows_up = all(item.told and first and item.told.reference == first.reference for item in draft.items)
        told = {item.incident.id: _told(world, draft.channel, item, at_s, outcome, follows_up) for item in draft.items}
    elif outcome.perhaps:
        told = _perhaps(world, draft, at_s)
    for number, what in told.items():
        world.told[number] = {**world.told.get(number, {}), draft.channel: what}
    channel = world.channels.get(draft.channel)
    if channel is None:
        return Effect(told, None, 0)
    key = (draft.channel, draft.route)
    if outcome.verdict == "sent":
        world.sent_s[key] = [at for at in world.sent_s.get(key, ()) if at > at_s - BUDGET_S] + [at_s]
    if outcome.verdict in ("sent", "refused"):
        if draft.storm is None:
            world.storms.pop(key, None)
        elif draft.storm is not UNSET:
            world.storms[key] = draft.storm
    wait_s = _wait_s(channel, outcome, pace_s, jitter)
    world.channels[draft.channel] = replace(
        channel, held=_held(channel, outcome), next_s=at_s + wait_s, failures=_failures(channel, outcome)
    )
    return Effect(told, world.channels[draft.channel], wait_s)


def note_unanswered(world: World, draft: Draft, at_s: float) -> dict[int, Told]:
    """Note that nobody will ever know whether `draft` arrived; what is different then."""
    world.under_way.pop(draft.channel, None)
    told = _perhaps(world, draft, at_s)
    for number, what in told.items():
        world.told[number] = {**world.told.get(number, {}), draft.channel: what}
    return told


def note_settled(world: World, made: Plan) -> None:
    """Forget what nobody has to hear of any more."""
    for number, name, _ in made.settled:
        before = world.told.get(number, {})
        if name in before:
            world.told[number] = {**before, name: replace(before[name], level=0, unsure=False)}
    for number in made.over:
        del world.incidents[number]
        world.told.pop(number, None)


def _told(world: World, channel: str, item: Item, at_s: float, outcome: Outcome, follows_up: bool) -> Told:
    before = world.told.get(item.incident.id, {}).get(channel)
    known = before is not None and before.level and not before.unsure
    reference = dict(outcome.reference)
    if before is not None and before.reference and (not reference or (known and not follows_up)):
        reference = before.reference
    return Told(
        item.incident.level,
        at_s,
        before.since_s if before is not None and known else at_s,
        before.times + 1 if before is not None else 1,
        reference,
    )


def _perhaps(world: World, draft: Draft, at_s: float) -> dict[int, Told]:
    """What was told for the first time, if it was: it is told anew, and if it ends first, that is told too."""
    told = {}
    for item in draft.items:
        before = world.told.get(item.incident.id, {}).get(draft.channel)
        if item.kind == "fire" and (before is None or not before.level):
            told[item.incident.id] = Told(item.incident.level, at_s, at_s, unsure=True)
    return told


def _failures(channel: Channel, outcome: Outcome) -> int:
    if outcome.verdict != "again":
        return 0
    busy = outcome.retry_after_s is not None and outcome.retry_after_s < PATIENT_S
    return max(1, channel.failures) if busy else channel.failures + 1


def _held(channel: Channel, outcome: Outcome) -> str:
    """Why nothing can be sent on the channel after `outcome`; empty: it can."""
    match outcome.verdict:
        case "dead" | "again" if channel.held:
            return channel.held  # each other reason would have all that it keeps back decided anew
        case "dead":
            return outcome.answer[:300] or "it refuses everything"
        case "again" if (failures := _failures(channel, outcome)) >= HELD_AFTER:
            return f"{failures} attempts in a row failed: {outcome.answer}"[:300]
        case _:
            return ""


def _wait_s(channel: Channel, outcome: Outcome, pace_s: float, jitter: float) -> float:
    """How long nothing is sent there: what the channel asks for, else doubling with jitter while it fails."""
    match outcome.verdict:
        case "dead":
            return HELD_RETRY_S
        case "again" if outcome.retry_after_s is not None:
            return min(outcome.retry_after_s, MOST_RETRY_AFTER_S) + jitter / 2
        case "again":
            return min(MOST_WAIT_S, 2.0 ** min(channel.failures, 10)) * (0.5 + jitter / 2)
        case _:
            return max(pace_s, min(outcome.retry_after_s or 0.0, MOST_RETRY_AFTER_S))
