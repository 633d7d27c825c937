"""Who belongs to the fleet."""

from __future__ import annotations

from services.gateway.fleet.membership import Membership


def test_what_a_removed_host_sends_is_ignored_until_it_has_enrolled_again() -> None:
    members = Membership()
    members.enter("web-1", 7, archived=False)
    members.forget("web-1")
    assert members.ignores("web-1")
    assert members.enter("web-1", 8, archived=False)
    assert not members.ignores("web-1")


def test_a_row_read_before_the_removal_brings_nobody_back() -> None:
    members = Membership()
    members.forget("web-1", 7)
    assert not members.enter("web-1", 7, archived=False)
    assert members.is_gone("web-1")


def test_an_archived_host_is_ignored_but_not_gone() -> None:
    members = Membership()
    members.enter("web-1", 7, archived=True)
    assert members.ignores("web-1")
    assert not members.is_gone("web-1")
    members.enter("web-1", 7, archived=False)
    assert not members.ignores("web-1")


def test_who_was_in_the_table_and_is_not_any_more_is_found() -> None:
    members = Membership()
    members.enter("web-1", 1, archived=False)
    members.enter("web-2", 2, archived=False)
    assert members.unlisted({"web-2": 2, "web-3": 3}) == ["web-1"]
