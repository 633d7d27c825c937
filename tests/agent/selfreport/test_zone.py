"""The time zone that an agent tells of its host."""

from __future__ import annotations

from pathlib import Path

from agent.selfreport.zone import time_zone


def system(root: Path, link: str = "", written: str = "") -> str:
    etc = root / "etc"
    etc.mkdir()
    if link:
        (etc / "localtime").symlink_to(link)
    if written:
        (etc / "timezone").write_text(written + "\n")
    return str(root)


def test_it_is_what_the_clock_s_file_is_a_link_to(tmp_path: Path) -> None:
    assert time_zone(system(tmp_path, "../usr/share/zoneinfo/Europe/Vienna")) == "Europe/Vienna"


def test_names_of_three_parts_are_names(tmp_path: Path) -> None:
    root = system(tmp_path, "/usr/share/zoneinfo/posix/America/Argentina/Buenos_Aires")
    assert time_zone(root) == "America/Argentina/Buenos_Aires"


def test_where_there_is_no_link_it_is_what_is_written_beside_it(tmp_path: Path) -> None:
    assert time_zone(system(tmp_path, written="Asia/Kolkata")) == "Asia/Kolkata"


def test_the_environment_counts_first(tmp_path: Path) -> None:
    root = system(tmp_path, "/usr/share/zoneinfo/Europe/Vienna")
    assert time_zone(root, ":America/New_York") == "America/New_York"


def test_a_rule_instead_of_a_name_is_passed_over(tmp_path: Path) -> None:
    assert time_zone(system(tmp_path, written="Asia/Tokyo"), "CET-1CEST,M3.5.0,M10.5.0/3") == "Asia/Tokyo"


def test_a_system_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert time_zone(system(tmp_path)) == ""
