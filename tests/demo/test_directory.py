"""A demonstration deletes what it finds in its directory, so it takes none that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.directory import MARKER, TEXT, NotOurs, is_demonstration, own_directory
from tests.infra.cli.commands import sonde


def test_a_new_directory_is_made_and_marked(tmp_path: Path) -> None:
    with own_directory(tmp_path / "a" / "demo") as directory:
        assert is_demonstration(directory)
        assert (directory / MARKER).read_text().startswith("Everything here is simulated")


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    with own_directory(tmp_path) as directory:
        assert is_demonstration(directory)


def test_what_an_earlier_demonstration_left_is_deleted(tmp_path: Path) -> None:
    with own_directory(tmp_path / "demo") as directory:
        (directory / "postgres").mkdir()
        (directory / "postgres" / "PG_VERSION").write_text("18")
        (directory / "sonde.log").write_text("{}")
    with own_directory(tmp_path / "demo") as directory:
        assert [entry.name for entry in directory.iterdir()] == [MARKER]


@pytest.mark.parametrize("text", ["my talk", ""])
def test_a_file_of_the_markers_name_makes_no_directory_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_text(text)
    (tmp_path / "thesis.txt").write_text("mine")
    assert not is_demonstration(tmp_path)
    with pytest.raises(NotOurs, match="holds something else"), own_directory(tmp_path):
        pass
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {MARKER: text, "thesis.txt": "mine"}


def test_a_file_of_the_markers_name_that_is_alone_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text("my talk")
    with pytest.raises(NotOurs, match="holds something else"), own_directory(tmp_path):
        pass
    assert (tmp_path / MARKER).read_text() == "my talk"


def test_a_link_of_the_markers_name_is_refused_and_what_it_leads_to_is_left(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(TEXT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / MARKER).symlink_to(tmp_path / "mine")
    with pytest.raises(NotOurs, match="holds something else"), own_directory(tmp_path / "data"):
        pass
    assert (tmp_path / "mine").read_text() == TEXT


def test_a_demonstration_that_was_killed_before_it_wrote_a_word_is_ours(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    with own_directory(tmp_path):
        assert (tmp_path / MARKER).read_text() == TEXT


@pytest.mark.parametrize("name", ["authority", "postgres", ".hidden", "notes.txt"])
def test_a_directory_that_holds_something_else_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(NotOurs, match="holds something else"), own_directory(tmp_path):
        pass
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(NotOurs, match="not a directory"), own_directory(tmp_path / "data"):
        pass


def test_a_link_is_refused_wherever_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(NotOurs, match="symbolic link"), own_directory(tmp_path / "link"):
        pass


def test_a_link_inside_is_deleted_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with own_directory(tmp_path / "demo") as directory:
        (directory / "link").symlink_to(tmp_path / "mine")
    with own_directory(tmp_path / "demo"):
        assert (tmp_path / "mine" / "file").read_text() == "mine"


def test_one_that_another_demonstration_uses_is_refused(tmp_path: Path) -> None:
    with own_directory(tmp_path / "demo") as directory:
        (directory / "file").write_text("used")
        with pytest.raises(NotOurs, match="already used by a running"), own_directory(directory):
            pass
        assert (directory / "file").read_text() == "used"


def test_sonde_up_refuses_the_directory_of_a_demonstration(tmp_path: Path) -> None:
    with own_directory(tmp_path / "data"):
        pass
    done = sonde(tmp_path, "up")
    assert done.returncode == 2
    assert "holds a demonstration" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--hosts", "0"], "--hosts 0: give a number from 1"),
        (["--hosts", "-3"], "'-3' is not a whole number"),
        (["--days", "31"], "--days 31: give a number from 0 to 30"),
        (["--days", "nan"], "--days nan: give a number from 0 to 30"),
        (["--port", "70000"], "port: '70000': must be"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_line(tmp_path: Path, options: list[str], told: str) -> None:
    done = sonde(tmp_path, "demo", "--data", str(tmp_path / "demo"), *options)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "demo").exists()


def test_the_data_of_a_real_installation_is_refused_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    done = sonde(tmp_path, "demo", "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "holds something else" in done.stderr
    assert (tmp_path / "data" / "postgres").is_dir()
