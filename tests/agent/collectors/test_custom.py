"""`*.prom` files become the family custom."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.choice import Choice
from agent.collectors.custom import MOST_BYTES, MOST_NAMES_BYTES, MOST_SERIES, Custom, Unreadable, parse


def custom(directory: Path, choice: Choice | None = None) -> Custom:
    return Custom(str(directory), choice or Choice())


def values(of: Custom) -> dict[str, float | None]:
    reading = of.read()
    return {} if reading is None else {name: row["value"] for name, row in reading.instances.items()}


def test_values_are_named_as_they_are_written() -> None:
    text = """# HELP backup_bytes Size of the last backup.
# TYPE backup_bytes gauge
backup_bytes 1.5e3
backup_age_seconds{job="nightly", disk="a"} 42 1700000000000

up{} 1
"""
    assert parse(text) == {"backup_bytes": 1500, 'backup_age_seconds{disk="a",job="nightly"}': 42, "up": 1}


def test_what_is_no_finite_number_is_null() -> None:
    assert parse("a NaN\nb +Inf\nc -Inf\n") == {"a": None, "b": None, "c": None}


def test_label_texts_may_hold_anything() -> None:
    assert parse(r'm{a="x}\"y\\z\n, b=\"c\""} 1') == {'m{a="x}"y\\z\n, b="c""}': 1}


@pytest.mark.parametrize("line", ["1up 1", "up", "up one", "up{a=b} 1", 'up{a="b} 1', "up 1 2 3", 'up{a="b" c="d"} 1'])
def test_a_line_that_is_not_in_the_format_is_named(line: str) -> None:
    with pytest.raises(Unreadable, match="line 2"):
        parse(f"good 1\n{line}\n")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except Unreadable:
        return
    assert all(isinstance(name, str) for name in found)


def test_a_broken_file_costs_only_itself_and_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.prom").write_text("broken\n")
    (tmp_path / "b.prom").write_bytes(b"\xff\xfe")
    (tmp_path / "c.prom").write_text("good 1\n")
    (tmp_path / "note.txt").write_text("other 1\n")
    reader = custom(tmp_path)
    for _ in range(3):
        assert values(reader) == {"good": 1}
    assert len(caplog.records) == 2
    (tmp_path / "a.prom").write_text("mended 2\n")
    assert values(reader) == {"mended": 2, "good": 1}


def test_a_file_that_is_too_large_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_bytes(b"#" * (MOST_BYTES + 1))
    assert values(custom(tmp_path)) == {}


def test_series_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("".join(f"m{number} 1\n" for number in range(MOST_SERIES + 7)))
    reader = custom(tmp_path)
    assert len(values(reader)) == MOST_SERIES
    assert reader.left_out == 7


def test_series_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text('disk{name="a"} 1\ndisk{name="b"} 2\nother 3\n')
    choice = Choice()
    choice.use(("disk*",), ('*"b"*',))
    assert values(custom(tmp_path, choice)) == {'disk{name="a"}': 1}


def test_without_a_directory_the_family_is_absent(tmp_path: Path) -> None:
    assert custom(tmp_path / "none").read() is None


def test_a_line_of_any_shape_is_read_in_a_moment() -> None:
    """The time a pattern takes for it grew with the square of its length."""
    for line in ("a" * 4000 + " b c", "a{" + "}" * 4000 + " b c", "a" * 1_000_000):
        with pytest.raises(Unreadable, match="line 1"):
            parse(line)


def test_links_and_pipes_are_no_files_and_no_content_is_quoted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret").write_text("root:hash\n")
    (tmp_path / "a.prom").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "b.prom")
    (tmp_path / "c.prom").write_text("root:hash is secret\n")
    (tmp_path / "d.prom").write_text("good 1\n")
    assert values(custom(tmp_path)) == {"good": 1}
    assert len(caplog.records) == 3
    assert not any("hash" in str(record.__dict__) for record in caplog.records)


def test_names_are_bounded_in_bytes_together(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("".join(f'm{{a="{"ü" * 300}{number}"}} 1\n' for number in range(200)))
    reader = custom(tmp_path)
    assert sum(len(name.encode()) for name in values(reader)) <= MOST_NAMES_BYTES
    assert reader.left_out > 0
