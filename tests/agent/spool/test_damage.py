"""Power failures and damaged files: what was on the disk is found, nothing comes twice, and nothing crashes."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.spool import frames
from agent.spool.frames import BATCH, Frame
from tests.agent.spoolworld import START_S, World, add, after_a_crash, drain, join, let_go, opened, platter, scratch

NEVER_S = 1e9
"""A `sync_s` that never comes."""


steps = st.sampled_from(
    [
        *(World.add, World.add, World.add, World.grow_old, World.send, World.send, World.send_without_ack),
        *(World.backfill, World.backfill_without_ack, World.crash, World.restart, World.lose_power, World.sync),
    ]
)


def run(world: World, course: list[Callable[[World], object]]) -> None:
    for step in course:
        world.now_s += 1
        step(world)
    while world.send() or world.backfill():
        pass


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=60))
def test_with_every_write_synced_a_power_failure_costs_nothing(course: list[Callable[[World], object]]) -> None:
    with scratch() as base, platter() as noted:
        world = World(base, noted=noted)
        run(world, course)
        assert sorted(world.accepted, key=int) == world.added
        assert world.spool.backlog.dropped == 0


HANDED_OVER = [World.add, World.grow_old, World.send, World.add, World.send, World.lose_power]
TRIED_AGAIN = [World.add] * 3 + [World.sync, World.send, World.send, World.lose_power, World.grow_old]
NEWLY_OPENED = [World.add, World.restart, World.add, World.send, World.lose_power, World.add]
ASSIGNED = [World.add, World.grow_old, World.send, World.backfill_without_ack, World.lose_power]
FAILED_AGAIN = [
    *(World.add, World.crash, World.add, World.send, World.crash, World.send),
    *(World.add, World.send_without_ack, World.lose_power, World.add),
]
CLOSED_UNUSED = [World.restart, World.add, World.send, World.lose_power, World.restart, World.add]


@settings(max_examples=500, deadline=None)
@given(st.lists(steps, max_size=60))
@example(HANDED_OVER)
@example(TRIED_AGAIN)
@example(NEWLY_OPENED)
@example(CLOSED_UNUSED)
@example(ASSIGNED)
@example(FAILED_AGAIN)
def test_without_syncs_a_power_failure_doubles_nothing(course: list[Callable[[World], object]]) -> None:
    with scratch() as base, platter() as noted:
        world = World(base, NEVER_S, noted)
        run(world, course)
        assert len(world.accepted) == len(set(world.accepted))
        if World.lose_power not in course:
            assert sorted(world.accepted, key=int) == world.added


def test_a_power_failure_costs_what_came_after_the_last_sync(tmp_path: Path) -> None:
    with platter() as noted:
        spool = opened(tmp_path / "spool", sync_s=NEVER_S)
        for text in "abc":
            add(spool, text)
        spool.sync()
        add(spool, "d")
        again = opened(noted.copy(tmp_path / "spool", tmp_path / "copy"))
    assert drain(again) == ["1:a", "2:b", "3:c"]


def test_a_full_file_is_on_the_disk_before_the_next_one(tmp_path: Path) -> None:
    with platter() as noted:
        spool = opened(tmp_path / "spool", sync_s=NEVER_S, spool_bytes=1 << 20)
        for _ in range(40):
            add(spool, "x" * 1000)
        again = opened(noted.copy(tmp_path / "spool", tmp_path / "copy"))
    assert len(drain(again)) >= 30


def test_a_power_failure_with_a_clock_that_starts_in_1970_gives_out_no_number_twice(tmp_path: Path) -> None:
    with platter() as noted:
        spool = opened(tmp_path / "spool", sync_s=NEVER_S)
        for text in "abc":
            add(spool, text)
        copy = noted.copy(tmp_path / "spool", tmp_path / "copy")
        again = opened(copy, now_s=0)
        add(again, "d")
    [number] = [int(text.split(":")[0]) for text in drain(again) if text.endswith(":d")]
    assert number > 3


def filled(directory: Path, batches: int = 12) -> None:
    """A spool that was killed: some batches acknowledged, some handed over, a backfill message pending."""
    spool = opened(directory, message_bytes=60, spool_bytes=1 << 20)
    for index in range(batches // 2):
        add(spool, f"old{index}", START_S - 1000)
    spool.next_present()
    assert spool.next_backfill(join)
    for index in range(batches // 2, batches):
        add(spool, f"new{index}")
    message = spool.next_present()
    assert message is not None
    spool.settle_present(message.seq, stored=True)


def everything(directory: Path) -> list[str]:
    """What both lanes publish from a spool, opened as after a crash."""
    spool = opened(directory, now_s=START_S + 1, message_bytes=60)
    out = drain(spool)
    while message := spool.next_backfill(join):
        out += message.payload.decode().split("|")
        spool.settle_backfill(stored=True)
    add(spool, "alive")
    assert drain(spool)[-1].endswith(":alive")
    return out


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("killed")
    filled(directory)
    return directory


def assert_known(out: list[str]) -> None:
    assert len(out) == len(set(out)), "doubled"
    assert {text.split(":")[1] for text in out} <= {f"old{index}" for index in range(6)} | {
        f"new{index}" for index in range(6, 12)
    }


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_flipped_bits_anywhere_crash_nothing_and_invent_nothing(killed: Path, data: st.DataObject) -> None:
    with scratch() as base:
        copy = after_a_crash(killed, base / "copy")
        file = data.draw(st.sampled_from(sorted(copy.glob("*.spool"))))
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        assert_known(everything(copy))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_cut_overwritten_or_inserted_stretch_crashes_nothing(killed: Path, data: st.DataObject) -> None:
    with scratch() as base:
        copy = after_a_crash(killed, base / "copy")
        file = data.draw(st.sampled_from(sorted(copy.glob("*.spool"))))
        content = file.read_bytes()
        first = data.draw(st.integers(0, len(content)))
        last = data.draw(st.integers(first, len(content)))
        file.write_bytes(content[:first] + data.draw(st.binary(max_size=50)) + content[last:])
        assert_known(everything(copy))


def test_every_length_of_a_cut_file_opens_and_keeps_what_is_whole(killed: Path, tmp_path: Path) -> None:
    [file] = sorted(killed.glob("*.spool"))
    content = file.read_bytes()
    for length, number in zip(range(0, len(content), 3), itertools.count()):
        copy = tmp_path / str(number)
        copy.mkdir()
        (copy / file.name).write_bytes(content[:length])
        whole = {frame.payload.decode() for _, frame in frames.scan(content[:length]) if frame.kind == BATCH}
        assert set(everything(copy)) <= whole
        let_go(copy)
        shutil.rmtree(copy)


def test_batches_behind_a_damaged_stretch_are_found_and_the_damaged_one_is_counted(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    for text in ("aaaa", "bbbb", "cccc", "dddd"):
        add(spool, text)
    copy = after_a_crash(tmp_path / "spool", tmp_path / "copy")
    [file] = copy.glob("*.spool")
    file.write_bytes(file.read_bytes().replace(b"2:bbbb", b"2:bXbb"))
    again = opened(copy)
    assert drain(again) == ["1:aaaa", "3:cccc", "4:dddd"]
    assert again.backlog.dropped == 1


def test_a_torn_last_write_is_counted(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    for text in "ab":
        add(spool, text)
    copy = after_a_crash(tmp_path / "spool", tmp_path / "copy")
    [file] = copy.glob("*.spool")
    file.write_bytes(file.read_bytes()[:-1])
    again = opened(copy)
    again.close()
    assert opened(copy).backlog.dropped == 1, "counted again by another start"


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6), st.binary(min_size=1, max_size=80), st.data())
def test_frames_are_found_behind_any_rubbish(payloads: list[bytes], rubbish: bytes, data: st.DataObject) -> None:
    packed = [frames.pack(Frame(BATCH, index + 1, 1, 5, payload)) for index, payload in enumerate(payloads)]
    at = data.draw(st.integers(0, len(packed)))
    found = [frame.payload for _, frame in frames.scan(b"".join([*packed[:at], rubbish, *packed[at:]]))]
    assert found[:at] == payloads[:at]
    assert found[at:] in (payloads[at:], payloads[at + 1 :]), "rubbish may end as the next frame begins"
