"""The size of a directory tree, and how gently it is measured."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.collectors.directory import directory
from agent.collectors.directory import walk as walking
from agent.collectors.directory.walk import walk
from agent.collectors.readings import Instances
from agent.system.state import Usage, WalkProgress
from tests.agent.build import ended
from tests.waiting import eventually


def measured(path: Path) -> Usage:
    usage = Usage()
    for _ in walk(str(path), usage):
        pass
    return usage


def du(path: Path) -> int:
    """What du says about the allocated bytes below `path`, on its file system."""
    out = subprocess.run(["du", "-sx", "--block-size=1", path], capture_output=True, text=True, check=True).stdout
    return int(out.split()[0])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for index in range(30):
        folder = root / f"folder{index % 5}" / f"sub{index}"
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * (index * 777))
    (root / "sparse").touch()
    os.truncate(root / "sparse", 50_000_000)
    os.link(root / "folder0" / "sub0" / "file", root / "link1")
    os.link(root / "folder3" / "sub28" / "file", root / "link2")
    os.link(root / "folder3" / "sub28" / "file", root / "link3")
    (root / "symlink").symlink_to("/")
    return root


def test_the_size_is_what_du_says(tree: Path) -> None:
    assert measured(tree).bytes == du(tree)


def test_files_are_the_names_that_are_no_directories(tree: Path) -> None:
    assert measured(tree).files == 30 + 1 + 3 + 1


def test_with_more_links_than_are_remembered_the_size_still_adds_up(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "MOST_LINKED", 0)
    assert abs(measured(tree).bytes - du(tree)) <= 3


def test_other_file_systems_are_not_entered() -> None:
    if sys.platform != "linux":
        pytest.skip("has no /dev with other file systems below it")
    assert measured(Path("/dev")).bytes == du(Path("/dev"))


def test_what_may_not_be_read_is_counted(tree: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tree / "folder1").chmod(0)
    try:
        assert measured(tree).unreadable == 1
    finally:
        (tree / "folder1").chmod(0o700)


def test_what_vanishes_meanwhile_is_passed_over(tree: Path) -> None:
    usage = Usage()
    steps = walk(str(tree), usage)
    next(steps)
    subprocess.run(["rm", "-rf", tree], check=True)
    for _ in steps:
        pass
    assert usage.unreadable == 0


def test_the_walk_pauses_after_every_few_names(tmp_path: Path) -> None:
    for index in range(1000):
        (tmp_path / f"{index}").touch()
    assert sum(1 for _ in walk(str(tmp_path), Usage())) >= 1000 // walking.ENTRIES_PER_STEP


def test_a_walk_can_be_ended_in_the_middle(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "WORK_S", 0)
    stop = threading.Event()
    stop.set()
    assert directory.scan(str(tree), stop) is None


def test_a_costly_tree_is_walked_less_often() -> None:
    assert directory.pause_s(300, cpu_seconds=0.1) == 300
    assert directory.pause_s(300, cpu_seconds=5) == 5 / directory.MOST_LOAD


async def test_a_directory_is_posted_with_size_and_age(tree: Path) -> None:
    posted: list[Instances] = []
    task = asyncio.ensure_future(directory.watch(str(tree), 60, posted.append, WalkProgress()))
    await eventually(lambda: posted)
    values = posted[0][str(tree)]
    assert values["size"] == du(tree)
    assert values["unreadable"] == 0
    assert values["scan_age"] is not None
    await ended(task)


async def test_a_missing_directory_is_absent_and_appears_when_it_is_made(tmp_path: Path) -> None:
    posted: list[Instances] = []
    task = asyncio.ensure_future(directory.watch(str(tmp_path / "later"), 0.05, posted.append, WalkProgress()))
    (tmp_path / "later").mkdir()
    await eventually(lambda: posted)
    await ended(task)


def test_the_walking_thread_has_the_lowest_priority() -> None:
    if sys.platform != "linux" or shutil.which("ionice") is None:
        pytest.skip("needs Linux, where threads have priorities of their own, and ionice to see them")
    found = []

    def look() -> None:
        directory.lower_priority()
        thread = threading.get_native_id()
        found.append(os.getpriority(os.PRIO_PROCESS, thread))
        done = subprocess.run(["ionice", "-p", str(thread)], capture_output=True, text=True, check=False)
        found.append(done.stdout.strip())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [19, "idle"]
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


async def test_a_walk_that_takes_more_than_its_turn_goes_on_where_it_stopped(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "WORK_S", 0)
    monkeypatch.setattr(directory, "REST_S", 0)
    posted: list[Instances] = []
    progress = WalkProgress()
    task = asyncio.ensure_future(directory.watch(str(tree), 0.001, posted.append, progress, turn_s=0))
    await eventually(lambda: posted)
    await ended(task)
    assert posted[0][str(tree)]["size"] == du(tree)
    assert progress.usage.files == measured(tree).files


async def test_a_walk_can_be_asked_for_before_it_is_due(tree: Path) -> None:
    posted: list[Instances] = []
    progress = WalkProgress()
    task = asyncio.ensure_future(directory.watch(str(tree), 600, posted.append, progress))
    await eventually(lambda: posted)
    (tree / "new").write_bytes(b"x" * 100_000)
    progress.again.set()
    await eventually(lambda: posted[-1][str(tree)]["size"] == du(tree))
    await ended(task)


async def test_the_progress_is_told(tree: Path) -> None:
    posted: list[Instances] = []
    progress = WalkProgress()
    task = asyncio.ensure_future(directory.watch(str(tree), 600, posted.append, progress))
    await eventually(lambda: progress.next_at)
    assert (progress.state, progress.usage.bytes) == ("waiting", du(tree))
    assert progress.took_s is not None
    shutil.rmtree(tree)
    progress.again.set()
    await eventually(lambda: progress.state == "failed")
    assert "FileNotFoundError" in progress.error
    await ended(task)


async def test_a_directory_of_another_root_is_named_as_it_is_there(tree: Path) -> None:
    posted: list[Instances] = []
    watching = directory.watch("/folder1", 600, posted.append, WalkProgress(), root=str(tree))
    task = asyncio.ensure_future(watching)
    await eventually(lambda: posted)
    assert posted[0]["/folder1"]["size"] == du(tree / "folder1")
    await ended(task)


def test_a_link_to_a_directory_is_as_large_as_the_directory(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    assert measured(tmp_path / "link").bytes == du(tree)
