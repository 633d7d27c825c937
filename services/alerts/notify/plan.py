"""What is to be sent now: `plan(world, now) -> messages, next look`. Pure.

It compares, it does not queue: of every incident and channel it knows what the channel was told last and what is true
now, and whatever differs is news until it was told. So an alert that ended before anybody was told is nothing to tell,
what is held by a silence, by quiet hours, by a dead channel or by a crash is still news afterwards, and nothing that
goes on can be forgotten. A message is made the moment before it is sent, out of what is true then.

Most of what goes on is known already, and stays as it is for hours: a `Memo` from one look to the next keeps what was
found out, and makes no difference to what comes out.
"""

from __future__ import annotations

import math

from services.alerts.notify.decide import Moment, moment
from services.alerts.notify.drafts import Later, draft_of
from services.alerts.notify.news import Memo, News, Pending, circumstances, news_of, silences_differ
from services.alerts.notify.world import Incident, Plan, World


def plan(world: World, now_s: float, memo: Memo | None = None) -> Plan:
    """The next message of each channel that can take one, and when to look again."""
    made = Plan()
    later = Later(now_s)
    now = moment(world, now_s)
    memo = memo if memo is not None else Memo()
    _refresh(world, memo)
    sending = {item.incident.id for draft in world.under_way.values() for item in draft.items}
    by_channel: dict[str, list[Pending]] = {}
    for number, incident in world.incidents.items():
        news = memo.news.get(number)
        if news is None or not _holds(now, incident, news):
            news = memo.news[number] = news_of(now, incident)
            made.decisions[number] = news.decision
        later.note(news.until_s)
        made.settled += news.settled
        if news.over and number not in sending:
            made.over.append(number)
        for name, pending in news.pending:
            by_channel.setdefault(name, []).append(pending)
    for name, mine in by_channel.items():
        if name in world.under_way:
            continue
        if now_s < world.channels[name].next_s:
            later.note(world.channels[name].next_s)
            continue
        draft = draft_of(now, name, mine, later)
        if draft is not None:
            made.drafts.append(draft)
    made.wake_s = None if math.isinf(later.at_s) else later.at_s
    return made


def _refresh(world: World, memo: Memo) -> None:
    """Forget what circumstances have changed, and the incidents that are not there any more."""
    before, present = memo.circumstances, circumstances(world)
    memo.circumstances = present
    if before is None or before.general != present.general:
        memo.news.clear()
    elif before != present:
        differ_for = silences_differ(before, present)
        for number in [number for number, news in memo.news.items() if differ_for(news.incident)]:
            del memo.news[number]
    if len(memo.news) > len(world.incidents):
        for number in memo.news.keys() - world.incidents.keys():
            del memo.news[number]


def _holds(now: Moment, incident: Incident, news: News) -> bool:
    """Whether what was found out about `incident` is still so."""
    return (
        news.incident is incident
        and now.now_s < news.until_s
        and news.told is now.world.told.get(incident.id)
        and news.around == now.around.of(incident.host)
    )
