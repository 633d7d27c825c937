"""A spool that another version wrote, or that another machine has a copy of."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent.spool import cursor as moves
from agent.spool import frames
from agent.spool.files import UNREADABLE
from agent.spool.frames import STATE, Frame
from agent.spool.spool import Limits, Spool, open_spool
from tests.agent.spoolworld import START_S, add, after_a_crash, drain, join, opened


def at(directory: Path, machine: str, now_s: float = START_S) -> Spool:
    return open_spool(directory, Limits(), lambda: now_s, machine)


def waiting(directory: Path, batches: int = 100) -> list[str]:
    """A spool of an agent that stopped in order with so many batches; returns what waits in it."""
    spool = opened(directory)
    for number in range(batches):
        add(spool, f"{number}")
    spool.close()
    return [f"{number + 1}:{number}" for number in range(batches)]


def with_state(directory: Path, state: object) -> None:
    """What is in the spool's newest file if a later version wrote this as its last state."""
    newest = max(directory.glob("*.spool"))
    newest.write_bytes(newest.read_bytes() + frames.pack(Frame(STATE, 0, 0, 0, msgspec.msgpack.encode(state))))


def fields(directory: Path) -> list[object]:
    """The last state, field by field."""
    states = [frame.payload for _, frame in frames.scan(max(directory.glob("*.spool")).read_bytes()) if frame.kind == 1]
    found: list[object] = msgspec.msgpack.decode(states[-1])
    return found


def test_a_cursor_of_a_newer_format_costs_no_batch(tmp_path: Path) -> None:
    expected = waiting(tmp_path)
    with_state(tmp_path, {"version": 9})
    assert drain(opened(tmp_path)) == expected


def test_of_a_cursor_with_a_field_of_another_type_the_rest_counts(tmp_path: Path) -> None:
    waiting(tmp_path)
    state = fields(tmp_path)
    state[moves.Cursor.__struct_fields__.index("acked")] = 60
    state[moves.Cursor.__struct_fields__.index("pending")] = {"seq": 1}
    with_state(tmp_path, state)
    before = moves.decode(msgspec.msgpack.encode(fields(tmp_path)[:1])).epoch
    spool = opened(tmp_path)
    assert spool.epoch == before
    assert drain(spool)[0] == "61:60"


def test_a_cursor_with_further_fields_is_read_as_it_is(tmp_path: Path) -> None:
    expected = waiting(tmp_path)
    with_state(tmp_path, [*fields(tmp_path), "of a later version"])
    spool = opened(tmp_path)
    add(spool, "next")
    assert drain(spool) == [*expected, "101:next"], "numbers go on as after an orderly stop"


def test_a_file_in_which_nothing_is_readable_is_set_aside(tmp_path: Path) -> None:
    expected = waiting(tmp_path)
    (tmp_path / "0000000002.spool").write_bytes(b"a format of the future" * 1000)
    spool = opened(tmp_path)
    assert (tmp_path / "0000000002").with_suffix(UNREADABLE).read_bytes().startswith(b"a format of")
    add(spool, "next")
    assert drain(spool)[:-1] == expected


def test_in_its_place_a_spool_keeps_its_epoch(tmp_path: Path) -> None:
    spool = at(tmp_path, "boot-1")
    epoch = spool.epoch
    add(spool, "a")
    spool.close()
    assert at(tmp_path, "boot-1").epoch == epoch


@pytest.mark.parametrize("copied", [True, False], ids=["copied", "booted"])
def test_elsewhere_new_batches_have_a_new_epoch_and_those_that_wait_keep_theirs(tmp_path: Path, copied: bool) -> None:
    spool = at(tmp_path / "spool", "boot-1")
    before = spool.epoch
    for text in "ab":
        add(spool, text)
    spool.close()
    copy = after_a_crash(tmp_path / "spool", tmp_path / "copy") if copied else tmp_path / "spool"
    again = at(copy, "boot-1" if copied else "boot-2")
    assert again.epoch != before
    add(again, "c")
    seen = []
    message = again.next_present()
    while message is not None:
        seen.append((message.payload.decode(), message.epoch))
        message = again.advance_present(message.seq, stored=True)
    assert seen == [("1:a", before), ("2:b", before), ("3:c", again.epoch)]


def test_a_backfill_message_that_may_have_gone_out_keeps_its_epoch_elsewhere(tmp_path: Path) -> None:
    spool = at(tmp_path, "boot-1", START_S + 6000)
    for number in range(3):
        add(spool, f"{number}")
    drain(spool)
    sent = spool.next_backfill(join)
    spool.close()
    again = at(tmp_path, "boot-2", START_S + 6000)
    assert again.next_backfill(join) == sent
    again.settle_backfill(stored=True)
    add(again, "late", START_S + 1)
    drain(again)
    following = again.next_backfill(join)
    assert following is not None
    assert following.epoch == again.epoch


def test_a_spool_that_never_noted_its_place_keeps_its_epoch(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    add(spool, "a")
    spool.close()
    again = at(tmp_path, "boot-1")
    assert again.epoch == spool.epoch
    again.close()
    assert at(tmp_path, "boot-2").epoch != spool.epoch


def test_what_waits_can_be_looked_at(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    assert spool.oldest() is None
    for text in "ab":
        add(spool, text)
    assert spool.oldest() == b"1:a"
    drain(spool)
    assert spool.oldest() is None
