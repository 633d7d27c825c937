"""The wheel that machines install: complete, and enough for an agent with the packages of its lock file alone."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from schemas.version import VERSION

ROOT = Path(__file__).parents[1]
SONDE = f"sonde-{VERSION}-py3-none-any.whl"
NEEDED = (
    "agent/__main__.py",
    "infra/storage/migrations/0001_base.sql",
    "infra/storage/migrations/0004_identities.sql",
    "infra/storage/migrations/0005_people.sql",
    "infra/systemd/run-agent",
    "infra/systemd/sonde-agent.service",
    "services/gateway/enrolment/install.sh",
    "services/gateway/enrolment/requirements.txt",
    "services/gateway/static/index.html",
)
"""What is not Python, or was not always there."""


def build(target: str, directory: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", directory]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = directory.iterdir()
    return made


def pinned(name: str) -> dict[str, str]:
    """Package -> version of a lock file."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_is_named_after_the_version_and_runs_everywhere(wheel: Path) -> None:
    assert wheel.name == SONDE


@pytest.mark.parametrize("name", NEEDED)
def test_the_wheel_has(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as files:
        assert name in files.namelist()


def test_the_wheel_has_every_file_of_the_dashboard(wheel: Path) -> None:
    built = {str(path.relative_to(ROOT)) for path in (ROOT / "services/gateway/static").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as files:
        assert built <= set(files.namelist())


def test_the_same_sources_make_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """Otherwise every `make` would be an upgrade for every agent."""
    assert build("wheel", tmp_path).read_bytes() == wheel.read_bytes()


def test_the_sdist_makes_a_complete_wheel_and_has_no_environment_in_it(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path / "sdist")) as files:
        names = files.getnames()
        files.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 may have none
        files.extractall(tmp_path)  # noqa: S202 -- made here just now
    assert not [name for name in names if "/node_modules/" in name or "/.venv/" in name]
    source = tmp_path / f"sonde-{VERSION}"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "again"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(tmp_path / "again" / SONDE) as files:
        assert set(NEEDED) <= set(files.namelist())


def test_an_agent_runs_from_the_wheel_with_the_packages_of_its_lock_file_alone(wheel: Path, tmp_path: Path) -> None:
    made = tmp_path / "environment"
    venv.create(made, symlinks=True)
    python = made / "bin" / "python"
    (site,) = (made / "lib").glob("python*/site-packages")
    for name in pinned("agent.txt"):
        for top in top_level(name):
            (site / top.name).symlink_to(top)
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "-q", wheel]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    def sonde(*arguments: str) -> str:
        environment = {"SONDE_DATA": str(tmp_path / "data")}
        script = made / "bin" / "sonde"
        return subprocess.run(
            [script, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert sonde("--version") == f"{VERSION}\n"
    assert "/proc/stat" in sonde("agent", "check")


def top_level(name: str) -> set[Path]:
    """What a package of this environment has in site-packages."""
    distribution = importlib.metadata.distribution(name)
    files = [Path(str(file)) for file in distribution.files or []]
    tops = {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}
    return {Path(str(distribution.locate_file(top))) for top in tops}


def test_the_agents_lock_file_pins_what_the_other_lock_files_pin() -> None:
    agent = pinned("agent.txt")
    for other in ("run.txt", "test.txt"):
        assert agent.items() <= pinned(other).items()


def test_the_agents_lock_file_names_every_package_of_the_base_with_its_hashes_and_no_index() -> None:
    base = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[>=<;\[ ]", package)[0] for package in base}
    assert names <= pinned("agent.txt").keys()
    text = (ROOT / "requirements" / "agent.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert len(re.findall(r"==.*\\\n    --hash=sha256:", text)) == len(pinned("agent.txt"))


def test_every_package_of_an_agent_comes_as_a_wheel() -> None:
    """A machine that joins builds nothing: it may have no compiler and no index to take build tools from."""
    text = (ROOT / "requirements" / "agent.txt").read_text(encoding="utf-8")
    source_only = [block.split("==")[0] for block in re.split(r"\n(?=[a-z])", text) if block.count("--hash") < 2]
    assert not source_only
