"""Reads the book: each second-level heading of a chapter is a timeline, its fenced block what happens and is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from schemas.routes import DAYS, Silence
from services.alerts.notify.world import Channel
from tests.book.play import Signal, Stage
from tests.book.words import NotUnderstood, matcher_of, route_of, rule_of, seconds, value

CHAPTERS = sorted(Path(__file__).parent.glob("*.md"))
FIRST_DAY = "2026-06-01"
"""A Monday."""
USUAL_RULES = ("cpu", "memory", "filesystem", "host-down")
"""Of a first start; in force where a timeline gives none."""
TOLD = "told:"
MOMENT = re.compile(r"(?:(mon|tue|wed|thu|fri|sat|sun) )?(\d\d:\d\d(?::\d\d)?) (.+)")


class Timeline(Struct):
    """One story."""

    title: str
    lines: list[str]
    """What is given and happens."""
    told: list[str]


def timelines(chapter: Path) -> Iterator[Timeline]:
    """The stories of a chapter."""
    for part in re.split(r"^## ", chapter.read_text(), flags=re.MULTILINE)[1:]:
        title = part.splitlines()[0].strip()
        blocks = re.findall(r"^```\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL)
        if len(blocks) != 1:
            raise NotUnderstood(f"{chapter.name}, {title}: a timeline has one block, this has {len(blocks)}")
        before, found, after = blocks[0].partition(TOLD + "\n")
        if not found:
            raise NotUnderstood(f"{chapter.name}, {title}: its block does not say what is told")
        given = [line for line in before.splitlines() if line.strip()]
        yield Timeline(title, given, [line for line in after.splitlines() if line.strip()])


def play(timeline: Timeline) -> list[str]:
    """What is told in a timeline, as it would have to be written."""
    start_s = _midnight_s(FIRST_DAY)
    given: dict[str, list[str]] = {"channel": [], "rule": [], "route": []}
    events: list[tuple[float, str]] = []
    for line in timeline.lines:
        if found := MOMENT.fullmatch(line):
            events.append((_moment_s(start_s, found[1], found[2]), found[3]))
        elif line.startswith("starts "):
            start_s = _midnight_s(line.removeprefix("starts "))
        else:
            kind, _, rest = line.partition(" ")
            if kind not in given:
                raise NotUnderstood(f"{line!r} is neither given nor an event")
            given[kind].append(rest)
    stage = Stage(
        [rule_of(text) for text in given["rule"] or USUAL_RULES],
        [route_of(text) for text in given["route"]],
        [_channel(text) for text in given["channel"] or ["slack"]],
        min((at_s for at_s, _ in events), default=start_s),
    )
    for at_s, text in events:
        stage.run(at_s)
        _do(stage, text)
    return [f"{_shown(start_s, at_s)} {line}" for at_s, line in stage.lines]


def _channel(text: str) -> Channel:
    name, _, fallback = text.partition(", in its place ")
    return Channel(name, fallback=fallback)


def _midnight_s(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def _moment_s(start_s: float, day: str | None, time: str) -> float:
    first = datetime.fromtimestamp(start_s, UTC).weekday()
    days = (DAYS.index(day) - first) % 7 if day else 0
    hours, minutes, *rest = (int(part) for part in time.split(":"))
    return start_s + 86400 * days + 3600 * hours + 60 * minutes + (rest[0] if rest else 0)


def _shown(start_s: float, at_s: float) -> str:
    moment = datetime.fromtimestamp(at_s, UTC)
    day = "" if at_s - start_s < 86400 else DAYS[moment.weekday()] + " "
    return day + moment.strftime("%H:%M:%S")


def _do(stage: Stage, text: str) -> None:
    """One thing that happens."""
    for pattern, act in EVENTS:
        if found := re.fullmatch(pattern, text):
            act(stage, *found.groups())
            return
    raise NotUnderstood(f"no event: {text!r}")


def _names(text: str) -> list[str]:
    """`web-1`, `web-1 and web-2`, `web-1 to web-500`."""
    if found := re.fullmatch(r"(.*?)(\d+) to (.*?)(\d+)", text):
        return [f"{found[1]}{number}" for number in range(int(found[2]), int(found[4]) + 1)]
    return text.split(" and ")


def _signal(
    stage: Stage, who: str, metric: str, instance: str | None, first: str, last: str | None, length: str
) -> None:
    from_s = stage.now_s
    for name in _names(who):
        host = stage.start_sending(name)
        known = [None if text == "unknown" else value(text) for text in (first, last or first)]
        for signal in host.signals:
            if (signal.metric, signal.instance) == (metric, instance or "") and signal.until_s > from_s:
                signal.until_s = from_s
        host.signals.append(Signal(metric, instance or "", known[0], known[1], from_s, from_s + seconds(length)))


def _late(stage: Stage, who: str, metric: str, at: str, first: str, until: str) -> None:
    midnight_s = stage.now_s - stage.now_s % 86400
    from_s, until_s = (_moment_s(midnight_s, None, text) for text in (first, until))
    for name in _names(who):
        stage.send_late(name, Signal(metric, "", value(at), value(at), from_s, until_s))


def _each_host(act: Callable[[Stage, str], None]) -> Callable[..., None]:
    def every(stage: Stage, who: str) -> None:
        for name in _names(who):
            act(stage, name)

    return every


def _stop_sending(stage: Stage, name: str) -> None:
    stage.hosts[name].sends = False


def _leave(stage: Stage, name: str) -> None:
    stage.hosts[name].sends = False
    stage.judges.hearing.left_s[name] = stage.now_s


def _reboot(stage: Stage, name: str) -> None:
    stage.judges.hosts.booted_s[name] = stage.now_s


def _send_every(stage: Stage, who: str, length: str) -> None:
    for name in _names(who):
        stage.host(name).interval_s = stage.judges.hearing.agreed_s[name] = seconds(length)
        stage.start_sending(name)


def _clock(stage: Stage, who: str, length: str, way: str) -> None:
    shift_s = seconds(length) if way == "ahead" else -seconds(length)
    if who == "the server":
        stage.set_server_clock(-shift_s)
    else:
        stage.host(who).clock_s += shift_s


def _silence(stage: Stage, what: str, length: str, reason: str | None) -> None:
    now_s = stage.now_s - stage.world.ahead_s
    number = max(stage.world.silences, default=0) + 1
    stage.silence(number, Silence(matcher_of(what), now_s, now_s + seconds(length), reason or ""))


def _end_silence(stage: Stage) -> None:
    stage.world.silences.popitem()


def _mute(stage: Stage, who: str, length: str) -> None:
    stage.world.muted_until[who] = stage.now_s + seconds(length)


def _unmute(stage: Stage, who: str) -> None:
    del stage.world.muted_until[who]


def _tag(stage: Stage, who: str, tags: str) -> None:
    known = dict(stage.judges.hosts.tags)
    for name in _names(who):
        known[name] = frozenset(tags.split(" and "))
    stage.judges.set_tags(known, stage.now_s)


def _acknowledge(stage: Stage, by: str, rule: str, host: str, length: str | None) -> None:
    stage.acknowledge(by, host, rule, None if length is None else seconds(length))


def _channel_does(stage: Stage, name: str, how: str) -> None:
    stage.answers[name] = how


def _asks(stage: Stage, name: str, length: str) -> None:
    stage.answers[name] = f"asks {seconds(length)}"


def _remove_channel(stage: Stage, name: str) -> None:
    del stage.world.channels[name]


def _add_channel(stage: Stage, text: str) -> None:
    stage.world.channels[text.split(",")[0]] = _channel(text)


def _bus(stage: Stage, how: str) -> None:
    stage.bus = how == "is back"
    if not stage.bus:
        stage.judges.lose_bus()


def _switch_rule(stage: Stage, name: str, how: str) -> None:
    stage.set_rule(replace(stage.rules[name], enabled=how == "on"))


EVENTS: list[tuple[str, Callable[..., None]]] = [
    (r"(.+) late (\S+\.\S+) (.+) from (\S+) to (\S+)", _late),
    (r"(.+?) (\w+\.\w+)(?: of (\S+))? (\S+(?: \wiB)?)(?: rising to (\S+(?: \wiB)?))? for (.+)", _signal),
    (r"(.+) sends? every (.+)", _send_every),
    (r"(.+) sends?", _each_host(lambda stage, name: void(stage.start_sending(name)))),
    (r"(.+) falls? silent", _each_host(_stop_sending)),
    (r"(.+) leaves? the bus", _each_host(_leave)),
    (r"(.+) reboots?", _each_host(_reboot)),
    (r"(.+) is removed from the fleet", _each_host(lambda stage, name: stage.remove_host(name))),
    (r"the clock of (.+) is set (.+) (ahead|back)", _clock),
    (r"silence (.+) for ([^,]+)(?:, as (.+))?", _silence),
    (r"the silence is ended", _end_silence),
    (r"mute (\S+) for (.+)", _mute),
    (r"unmute (\S+)", _unmute),
    (r"(.+) has the tags? (.+)", _tag),
    (r"(\S+) acknowledges (\S+) of (\S+)(?: for (.+))?", _acknowledge),
    (r"(\S+) (refuses|fails|works) from now on", _channel_does),
    (r"(\S+) asks for (.+)", _asks),
    (r"(\S+) is mended", lambda stage, name: stage.mend(name)),
    (r"channel (\S+) is removed", _remove_channel),
    (r"channel (.+) is added", _add_channel),
    (r"alerting stops", lambda stage: stage.stop()),
    (r"alerting starts", lambda stage: stage.start()),
    (r"the bus (is away|is back)", _bus),
    (r"rule (\S+) is switched (on|off)", _switch_rule),
    (r"rule (\S+) is removed", lambda stage, name: stage.set_rule(None, name)),
    (r"rule (\S+: .+)", lambda stage, text: stage.set_rule(rule_of(text))),
    (r"route (\S+: .+)", lambda stage, text: stage.set_route(route_of(text))),
    (r"the story ends", lambda stage: None),
]


def void(_: object) -> None:
    """Nothing comes of it."""
