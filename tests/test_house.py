"""The checks of `make check` that need Python only, so that `make test` alone finds what they find; and `npm test`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports", "--no-cache"],
    ],
    ids=lambda command: " ".join(command),
)
def test_the_house_is_in_order(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_own_tests_pass() -> None:
    assert (ROOT / "web" / "node_modules" / ".done").exists(), "the dashboard's packages are not installed: make setup"
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    npm = shutil.which("npm", path=path)
    assert npm, "npm is not installed: make setup"
    command = [npm, "--prefix", "web", "test"]
    env = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_holds_two_rooms() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    written = [name for name in listed.splitlines() if not name.endswith(".gen.ts")]
    files = [ROOT / name for name in written if name.endswith((".py", ".ts", ".tsx", ".css", ".sql"))]
    long = [file.name for file in files if file.is_file() and len(file.read_text(encoding="utf-8").splitlines()) > 400]
    assert not long


def test_nothing_tracked_names_a_machine_or_an_index() -> None:
    found = subprocess.run(
        ["git", "grep", "-nIE", '"resolved": *"http|--index-url|/simple/', "--", ".", ":!tests/test_house.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert not found
