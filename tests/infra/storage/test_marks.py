"""Marks: which epochs of a host and lane are remembered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.storage.database import connection, ensure_hosts
from infra.storage.positions import EPOCHS_KEPT, MarkKey, Marks, forget_marks, load_marks, save_marks


def epoch(number: int, host: str = "web-1", lane: str = "metrics") -> MarkKey:
    return (host, lane, f"e{number}")


def test_a_mark_never_falls() -> None:
    marks = Marks({epoch(1): 7})
    marks.raise_to({epoch(1): 3})
    assert marks[epoch(1)] == 7


def test_the_epochs_raised_last_are_kept() -> None:
    marks = Marks({epoch(number): 1 for number in range(EPOCHS_KEPT)})
    marks.raise_to({epoch(0): 2})
    assert marks.raise_to({epoch(99): 1}) == [epoch(1)]
    assert marks.get(epoch(1), 0) == 0
    assert marks.get(epoch(0), 0) == 2


def test_an_epoch_for_every_batch_pushes_out_no_other_host_or_lane() -> None:
    marks = Marks({epoch(1, "web-2"): 5, epoch(1, lane="backfill"): 6})
    for number in range(1000):
        marks.raise_to({epoch(number): 1})
    assert len(marks) == EPOCHS_KEPT + 2
    assert marks[epoch(1, "web-2")] == 5
    assert marks[epoch(1, lane="backfill")] == 6


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=200))
def test_a_repeat_of_a_recent_epoch_is_always_known(raised: list[tuple[int, int]]) -> None:
    marks = Marks()
    highest: dict[int, int] = {}
    for number, seq in raised:
        if number not in {int(e[1:]) for _, _, e in marks}:
            highest.pop(number, None)
        marks.raise_to({epoch(number): seq})
        highest[number] = max(seq, highest.get(number, 0))
    recent = list(dict.fromkeys(number for number, _ in reversed(raised)))[:EPOCHS_KEPT]
    assert set(marks) == {epoch(number) for number in recent}
    assert all(marks[epoch(number)] == highest[number] for number in recent)


async def test_what_is_forgotten_leaves_the_table(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        ids = await ensure_hosts(database, ["web-1", "web-2"])
        for number in range(EPOCHS_KEPT + 3):  # one after the other: they are told apart by when they were raised
            await save_marks(database, "ingest", {epoch(number): number + 1}, ids)
        await save_marks(database, "ingest", {epoch(1, "web-2"): 9}, ids)
        marks = await load_marks(database, "ingest")
        assert marks.forgotten == [epoch(0), epoch(1), epoch(2)]
        await forget_marks(database, "ingest", marks.forgotten, ids)
        left = await load_marks(database, "ingest")
        assert (left.forgotten, len(left)) == ([], EPOCHS_KEPT + 1)
        assert left[epoch(1, "web-2")] == 9
