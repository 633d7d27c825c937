"""Lists of hosts: what fits, in which order, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.api import AlertCounts, Host
from schemas.catalogue import CATALOGUE
from schemas.messages import HostFacts
from schemas.rules import InvalidField
from services.gateway.fleet.listing import HostsQuery, Page, groups, page


def host(name: str, cpu: float | None = None, **further: Any) -> Host:
    latest = {} if cpu is None else {"cpu": {"": {"total": cpu}}}
    told = {"state": "up", "last_sample": 1, "facts": HostFacts(), "alerts": AlertCounts(), "latest": latest}
    return Host(name, **{**told, **further})


def listed(hosts: list[Host], **query: Any) -> list[str]:
    return [each.id for each in page(hosts, HostsQuery(**query), CATALOGUE).hosts]


WEB = host("web-1", 30, tags=["prod", "eu"], label="Shop front", facts=HostFacts(hostname="srv17.example"))
DB = host("db-1", 10, tags=["prod"], state="offline", last_sample=5)
NEW = host("new-1", None, tags=[], state="late", last_sample=None, label="arrived")
FLEET = [WEB, DB, NEW]


@pytest.mark.parametrize(
    ("query", "fitting"),
    [
        ({}, ["db-1", "new-1", "web-1"]),
        ({"q": "WEB"}, ["web-1"]),
        ({"q": "shop"}, ["web-1"]),
        ({"q": "srv17"}, ["web-1"]),
        ({"q": "prod"}, ["db-1", "web-1"]),
        ({"q": "shop eu"}, ["web-1"]),
        ({"q": "shop db"}, []),
        ({"tags": "prod"}, ["db-1", "web-1"]),
        ({"tags": "prod,eu"}, ["web-1"]),
        ({"tags": "pro"}, []),
        ({"state": "offline"}, ["db-1"]),
        ({"state": "offline,late"}, ["db-1", "new-1"]),
        ({"state": "up", "tags": "prod", "q": "1"}, ["web-1"]),
    ],
)
def test_a_list_has_what_fits_everything_that_is_asked_for(query: dict[str, str], fitting: list[str]) -> None:
    assert listed(FLEET, **query) == fitting


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["db-1", "new-1", "web-1"]),
        ("-name", ["web-1", "new-1", "db-1"]),
        ("label", ["new-1", "db-1", "web-1"]),
        ("state", ["web-1", "new-1", "db-1"]),
        ("last_sample", ["web-1", "db-1", "new-1"]),
        ("-last_sample", ["db-1", "web-1", "new-1"]),
        ("cpu.total", ["db-1", "web-1", "new-1"]),
        ("-cpu.total", ["web-1", "db-1", "new-1"]),
    ],
)
def test_a_list_is_in_the_order_asked_for_with_unknown_values_last(sort: str, order: list[str]) -> None:
    assert listed(FLEET, sort=sort) == order


def test_of_a_metric_with_instances_the_largest_counts() -> None:
    full = host("a", latest={"filesystem": {"/": {"used_percent": 10}, "/var": {"used_percent": 95}}})
    half = host("b", latest={"filesystem": {"/": {"used_percent": 50}, "/mnt": {"used_percent": None}}})
    assert listed([half, full], sort="-filesystem.used_percent") == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "asleep"}, "state"),
        ({"state": "up,"}, "state"),
        ({"tags": "two words"}, "tags"),
        ({"tags": ","}, "tags"),
        ({"tags": ",".join(map(str, range(21)))}, "tags"),
        ({"sort": "cpu.nothing"}, "sort"),
        ({"sort": "--name"}, "sort"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": "bm90aGluZw"}, "cursor"),
    ],
)
def test_what_cannot_be_asked_for_is_named(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        listed(FLEET, **query)
    assert caught.value.field == field


def test_a_cursor_of_another_order_is_refused() -> None:
    first = page(FLEET, HostsQuery(limit=1), CATALOGUE)
    with pytest.raises(InvalidField, match="in the same order"):
        listed(FLEET, sort="cpu.total", cursor=first.next)


def walk(hosts: list[Host], limit: int, sort: str) -> list[Page]:
    pages = [page(hosts, HostsQuery(sort=sort, limit=limit), CATALOGUE)]
    while pages[-1].next:
        pages.append(page(hosts, HostsQuery(sort=sort, limit=limit, cursor=pages[-1].next), CATALOGUE))
    return pages


VALUES = st.one_of(st.none(), st.integers(0, 3).map(float), st.floats(0, 100))


@given(
    st.lists(
        st.tuples(st.text("abc", min_size=1, max_size=4), VALUES, st.text(max_size=3)), unique_by=lambda each: each[0]
    ),
    st.integers(1, 4),
    st.sampled_from(["name", "label", "cpu.total", "last_sample"]),
    st.booleans(),
)
def test_pages_together_are_the_whole_list_in_its_order(
    given_hosts: list[tuple[str, float | None, str]], limit: int, sort: str, down: bool
) -> None:
    hosts = [host(name, cpu, label=label, last_sample=cpu and int(cpu)) for name, cpu, label in given_hosts]
    sort = f"-{sort}" if down else sort
    pages = walk(hosts, limit, sort)
    assert [each.id for one in pages for each in one.hosts] == listed(hosts, sort=sort)
    assert all(len(one.hosts) == limit for one in pages[:-1])
    assert {one.matched for one in pages} == {len(hosts)}


def test_a_host_that_goes_between_two_pages_moves_no_other() -> None:
    hosts = [host(name) for name in "abcdef"]
    first = page(hosts, HostsQuery(limit=3), CATALOGUE)
    left = [each for each in hosts if each.id not in ("b", "c")]
    assert listed(left, limit=3, cursor=first.next) == ["d", "e", "f"]


def test_groups_count_hosts_by_tag() -> None:
    muted = host("web-2", tags=["prod"], muted_until="forever", alerts=AlertCounts(1, 2))
    found = {group.tag: group for group in groups([WEB, DB, NEW, muted])}
    assert list(found) == ["eu", "prod"]
    prod = found["prod"]
    assert (prod.hosts, prod.up, prod.late, prod.offline, prod.archived) == (3, 2, 0, 1, 0)
    assert (prod.muted, prod.alerts) == (1, AlertCounts(1, 2))
