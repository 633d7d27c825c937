"""A flood is what lasts; what an honest agent may send in a hurry is none."""

from services.gateway.conduct.floods import MOST_BYTES, MOST_MESSAGES, SUSTAINED, WINDOW_S, Floods


def sent(floods: Floods, messages: int, windows: int, size: int = 100, pause_s: float = 0) -> bool:
    """Whether so many messages per window, spread evenly, become a flood within so many windows."""
    return any(
        floods.heard("web-1", size, window * (WINDOW_S + pause_s) + number * WINDOW_S / messages)
        for window in range(windows)
        for number in range(messages)
    )


def test_many_messages_for_long_are_a_flood() -> None:
    assert sent(Floods(), MOST_MESSAGES + 50, SUSTAINED + 1)


def test_many_bytes_for_long_are_a_flood() -> None:
    assert sent(Floods(), 200, SUSTAINED + 1, size=MOST_BYTES // 150)


def test_what_came_at_once_after_an_outage_is_none() -> None:
    floods = Floods()
    assert not sent(floods, 3 * MOST_MESSAGES, 1)
    assert not sent(floods, 200, 20)


def test_the_most_that_an_agent_sends_is_none() -> None:
    assert not sent(Floods(), 150, 100, size=10_000)


def test_bursts_with_a_pause_between_are_none() -> None:
    assert not sent(Floods(), 2 * MOST_MESSAGES, 10, pause_s=3 * WINDOW_S)


def test_others_are_not_counted_in() -> None:
    floods = Floods()
    hosts = [f"web-{number}" for number in range(50)]
    assert not any(floods.heard(host, 1000, second) for second in range(60) for host in hosts)


def test_the_quiet_are_forgotten() -> None:
    floods = Floods()
    floods.heard("web-1", 1, 0)
    floods.forget(10 * WINDOW_S)
    assert not floods._counts
