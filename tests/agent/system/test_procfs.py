"""Files that are held open, and what becomes of them when the kernel takes them away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.system.procfs import ProcFile, SharedFile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_file_that_was_taken_away_and_came_back_is_opened_again(tmp_path: Path) -> None:
    """As that of a core or a device; here it is a process that ends."""
    path = tmp_path / "stat"
    with subprocess.Popen(["sleep", "60"]) as child:
        path.symlink_to(f"/proc/{child.pid}/stat")
        file = ProcFile(str(path))
        assert file.read().startswith(str(child.pid).encode())
        child.kill()
    with pytest.raises(ProcessLookupError):
        file.read()
    path.unlink()
    path.symlink_to("/proc/self/stat")
    assert file.read_records()


def test_what_one_reader_leaves_is_not_taken_after_its_next_reading_failed(tmp_path: Path) -> None:
    path = tmp_path / "stat"
    path.write_text("old")
    file = SharedFile(str(path))
    file.read()
    file.close()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.read()
    path.write_text("new")
    assert file.take() == b"new"
