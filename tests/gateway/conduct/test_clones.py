"""Two agents that use one identity are seen by their epochs, and nothing else is taken for that."""

import pytest

from services.gateway.conduct.clones import MOST_EPOCHS, TELL_EVERY_S, WITHIN_S, Clones


def heard(clones: Clones, epochs: str, every_s: float = 10) -> list[list[str]]:
    """What each batch tells when epochs come one after the other."""
    return [clones.heard("web-1", epoch, number * every_s) for number, epoch in enumerate(epochs)]


@pytest.mark.parametrize("epochs", ["AAAA", "AAABBB", "ABCDE", "AB"])
def test_one_agent_is_no_clone_even_with_new_spools(epochs: str) -> None:
    assert not any(heard(Clones(), epochs))


@pytest.mark.parametrize("epochs", ["ABA", "AABBA", "ABCA"])
def test_an_epoch_that_comes_back_is_a_clone(epochs: str) -> None:
    assert heard(Clones(), epochs)[-1] == sorted({"A", epochs[-2]})


def test_an_epoch_that_comes_back_after_a_long_time_is_no_clone() -> None:
    assert not any(heard(Clones(), "ABA", WITHIN_S))


def test_a_clone_is_told_once_in_a_while() -> None:
    told = [bool(news) for news in heard(Clones(), "AB" * 70, 10)]
    first = told.index(True)
    assert told[first + 1 :].index(True) + 1 == TELL_EVERY_S / 10


def test_hosts_do_not_mix() -> None:
    clones = Clones()
    assert not clones.heard("web-1", "A", 0)
    assert not clones.heard("web-2", "B", 1)
    assert not clones.heard("web-1", "A", 2)


def test_an_epoch_per_batch_takes_no_more_memory() -> None:
    clones = Clones()
    for number in range(1000):
        assert not clones.heard("web-1", str(number), number)
    assert len(clones._hosts["web-1"].heard_s) <= MOST_EPOCHS


def test_hosts_that_fell_silent_are_forgotten() -> None:
    clones = Clones()
    clones.heard("web-1", "A", 0)
    clones.forget(2 * WITHIN_S)
    assert not clones._hosts
