"""Batches survive whatever happens to the process and the disk, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.spool import frames
from agent.spool.files import SpoolInUse
from agent.spool.frames import BATCH, Frame
from agent.spool.spool import Limits, open_spool
from tests.agent.spoolworld import START_S, World, add, after_a_crash, drain, join, opened, scratch


def test_batches_come_out_in_order_and_once(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for text in "abc":
        add(spool, text)
    assert drain(spool) == ["1:a", "2:b", "3:c"]
    assert drain(spool) == []


def test_what_was_not_acknowledged_comes_again_after_a_crash(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    for text in "abc":
        add(spool, text)
    first = spool.next_present()
    assert first is not None
    second = spool.advance_present(first.seq, stored=True)
    again = opened(after_a_crash(tmp_path / "spool", tmp_path / "copy"))
    assert again.next_present() == second
    assert drain(again) == ["2:b", "3:c"]
    assert again.epoch == spool.epoch


def test_in_the_steady_state_a_crash_repeats_one_batch_at_most(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    for index in range(20):
        add(spool, f"{index}")
        drain(spool)
    again = opened(after_a_crash(tmp_path / "spool", tmp_path / "copy"))
    assert drain(again) == ["20:19"]


def test_after_an_orderly_end_nothing_is_repeated_and_numbering_goes_on(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for text in "ab":
        add(spool, text)
    drain(spool)
    spool.close()
    again = opened(tmp_path)
    add(again, "c")
    assert drain(again) == ["3:c"]


def test_after_a_crash_no_number_is_given_out_twice(tmp_path: Path) -> None:
    """The killed process may have published batches from memory, which the disk knows nothing of."""
    spool = opened(tmp_path / "spool")
    add(spool, "a")
    again = opened(after_a_crash(tmp_path / "spool", tmp_path / "copy"))
    add(again, "b")
    assert drain(again) == ["1:a", f"{int(START_S * 2)}:b"]


def test_a_second_agent_on_the_same_spool_is_refused(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    with pytest.raises(SpoolInUse, match="another agent"):
        opened(tmp_path)
    spool.close()


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_cut_tail_costs_the_last_batch_and_no_other(tmp_path: Path, cut: int) -> None:
    spool = opened(tmp_path)
    for text in "abc":
        add(spool, text)
    copy = after_a_crash(tmp_path, tmp_path.with_name(f"{tmp_path.name}-copy"))
    file = next(copy.glob("*.spool"))
    file.write_bytes(file.read_bytes()[:-cut])
    again = opened(copy)
    add(again, "d", START_S + 1)
    out = drain(again)
    assert out[:2] == ["1:a", "2:b"]
    assert out[-1].endswith(":d")
    assert opened(after_a_crash(copy, tmp_path.with_name(f"{tmp_path.name}-next"))).epoch == spool.epoch


@given(st.binary(max_size=200), st.integers(0, 2**40), st.data())
def test_a_frame_is_read_as_written_or_not_at_all(payload: bytes, number: int, data: st.DataObject) -> None:
    packed = bytearray(frames.pack(Frame(BATCH, number, 3, 5, payload)))
    assert frames.unpack(bytes(packed)) == Frame(BATCH, number, 3, 5, payload)
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    assert frames.unpack(bytes(packed)) is None


def test_zeros_are_no_frames() -> None:
    assert list(frames.scan(b"\0" * 4096)) == []


def test_a_damaged_batch_in_the_middle_is_counted_and_passed_over(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for text in ("aaaa", "bbbb", "cccc"):
        add(spool, text)
    file = next(tmp_path.glob("*.spool"))
    file.write_bytes(file.read_bytes().replace(b"2:bbbb", b"2:bXbb"))
    assert drain(spool) == ["1:aaaa", "3:cccc"]
    assert spool.backlog.dropped == 1


def test_past_its_bytes_the_oldest_go_first_and_are_counted(tmp_path: Path) -> None:
    spool = opened(tmp_path, spool_bytes=1 << 16)
    for index in range(200):
        add(spool, f"{index}-" + "x" * 1000)
        size = sum(file.stat().st_size for file in tmp_path.glob("*.spool"))
        assert size <= 1 << 16
    spool.close()
    again = opened(tmp_path, spool_bytes=1 << 16)
    kept = [int(text.split(":")[1].split("-")[0]) for text in drain(again)]
    assert kept == list(range(200 - len(kept), 200))
    assert 40 <= len(kept) <= 65
    assert again.backlog.dropped == 200 - len(kept)


def test_past_its_age_a_batch_is_dropped_and_counted(tmp_path: Path) -> None:
    now = [START_S]
    spool = open_spool(tmp_path, Limits(max_age_s=3600, spool_bytes=1 << 20), lambda: now[0])
    for _ in range(40):
        add(spool, "old" + "x" * 1000, now[0])
    now[0] += 7200
    for _ in range(40):
        add(spool, "new" + "x" * 1000, now[0])
    assert spool.backlog.dropped >= 1
    assert all(":new" in text for text in drain(spool)[spool.backlog.batches - 40 :])


def test_files_that_nobody_needs_are_deleted(tmp_path: Path) -> None:
    spool = opened(tmp_path, spool_bytes=1 << 16)
    for _ in range(200):
        add(spool, "x" * 1000)
        drain(spool)
    assert len(list(tmp_path.glob("*.spool"))) <= 2


def test_the_backlog_is_what_waits(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for index in range(3):
        add(spool, "x", START_S + index)
    assert (spool.backlog.batches, spool.backlog.oldest_ms) == (3, START_S * 1000)
    message = spool.next_present()
    assert message is not None
    spool.settle_present(message.seq, stored=True)
    assert (spool.backlog.batches, spool.backlog.oldest_ms) == (2, (START_S + 1) * 1000)
    drain(spool)
    assert (spool.backlog.batches, spool.backlog.bytes) == (0, 0)


def test_a_directory_that_cannot_be_made_leaves_batches_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool = opened(tmp_path / "file" / "spool")
    for text in "abc":
        add(spool, text)
    assert drain(spool) == ["1:a", "2:b", "3:c"]


def test_memory_is_bounded_and_what_it_loses_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool = opened(tmp_path / "file" / "spool")
    for _ in range(60):
        add(spool, "x" * 100_000)
    kept = drain(spool)
    assert 35 <= len(kept) <= 42
    assert spool.backlog.dropped == 60 - len(kept)


def test_batches_move_to_the_disk_once_it_can_be_written_to(tmp_path: Path) -> None:
    blocked = tmp_path / "agent"
    blocked.touch()
    spool = opened(blocked / "spool")
    add(spool, "a")
    blocked.unlink()
    (blocked / "spool").mkdir(parents=True)
    add(spool, "b")
    again = opened(after_a_crash(blocked / "spool", tmp_path / "copy"))
    assert drain(again) == ["1:a", "2:b"]


def test_old_batches_go_to_backfill_and_recent_ones_do_not_wait_for_them(tmp_path: Path) -> None:
    spool = opened(tmp_path, now_s=START_S + 600, backfill_after_s=120)
    for index in range(60):
        add(spool, f"{index}", START_S + 10 * (index + 1))
    assert drain(spool) == [f"{index + 1}:{index}" for index in range(47, 60)]
    message = spool.next_backfill(join)
    assert message is not None
    assert message.seq == 1
    assert message.payload.decode().split("|") == [f"{index + 1}:{index}" for index in range(47)]


def test_a_batch_that_may_have_been_tried_keeps_its_lane(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    for index in range(5):
        add(spool, f"{index}")
    assert spool.next_present() is not None
    again = opened(after_a_crash(tmp_path / "spool", tmp_path / "copy"), now_s=START_S + 6000)
    assert drain(again) == ["1:0"]
    assert again.next_backfill(join) == (1, b"2:1|3:2|4:3|5:4", spool.epoch)


def test_a_backfill_message_is_the_same_after_a_crash(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool", now_s=START_S + 6000, message_bytes=400)
    for index in range(60):
        add(spool, f"{index}", START_S + index)
    drain(spool)
    first = spool.next_backfill(join)
    copy = opened(after_a_crash(tmp_path / "spool", tmp_path / "copy"), now_s=START_S + 9000, message_bytes=100_000)
    assert copy.next_backfill(join) == first


def test_backfill_messages_follow_one_another_and_cover_everything(tmp_path: Path) -> None:
    spool = opened(tmp_path, now_s=START_S + 6000, message_bytes=400)
    for index in range(300):
        add(spool, f"{index}", START_S + index)
    out = drain(spool)
    seqs = []
    while message := spool.next_backfill(join):
        seqs.append(message.seq)
        assert len(message.payload) <= 400
        out += message.payload.decode().split("|")
        spool.settle_backfill(stored=True)
    assert out == [f"{index + 1}:{index}" for index in range(300)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert spool.backlog == (0, 0, 0, 0)


steps = st.sampled_from(
    [
        *(World.add, World.add, World.add, World.grow_old, World.send, World.send, World.send_without_ack),
        *(World.backfill, World.backfill_without_ack, World.crash, World.restart),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=60))
def test_every_batch_arrives_once_whatever_happens(course: list[Callable[[World], object]]) -> None:
    with scratch() as base:
        world = World(base)
        for step in course:
            world.now_s += 1
            step(world)
        while world.send() or world.backfill():
            pass
        assert sorted(world.accepted, key=int) == world.added
        assert (world.spool.backlog.batches, world.spool.backlog.dropped) == (0, 0)
