"""Lists by pages."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from infra.storage.database import connection
from schemas.rules import InvalidField
from services.gateway.http.paging import Microseconds, Number, Page, Text, cursor
from tests.gateway.asking import asking
from tests.gateway.incidents import end_incident, open_incident
from tests.gateway.rows import execute

AT = datetime(2026, 11, 1, tzinfo=UTC)


class Place(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    last_us: Microseconds
    id: Number
    name: Text


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=300)


@given(last_us=st.integers(0, 2**53 - 1), id=st.integers(0, 2**63 - 1), name=TEXTS)
def test_a_cursor_is_the_position_it_was_made_of(last_us: int, id: int, name: str) -> None:
    place = Place(last_us, id, name)
    assert Page(cursor=cursor(place)).after(Place) == place


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "é",
        "====",
        encoded(b"[1]"),
        encoded(b'{"last_us": 1}'),
        encoded(b'[1, 2, "a", 4]'),
        encoded(b'[-1, 2, "a"]'),
        encoded(b'[1, 9223372036854775808, "a"]'),
        encoded(b'[9007199254740992, 2, "a"]'),
        encoded(b'[1, 2, "\\u0000"]'),
        encoded(b'[1, 2, "\\ud800"]'),
        encoded(b"[" * 2000),
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(text: str) -> None:
    with pytest.raises(InvalidField, match="what `next` of the page before has"):
        Page(cursor=text).after(Place)


async def pages(client: httpx.AsyncClient, path: str, field: str, limit: int) -> list[list[dict[str, object]]]:
    """Every page of a list."""
    found, query = [], {"limit": limit}
    while True:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found.append(answer.json()[field])
        if answer.json()["next"] is None:
            return found
        query = {"limit": limit, "cursor": answer.json()["next"]}


async def test_pages_together_are_all_tokens_each_once_the_newest_first(database_url: str) -> None:
    async with asking(database_url) as client:
        for number in range(5):
            await client.post("/enrolment-tokens", json={"note": str(number)})
        found = await pages(client, "/enrolment-tokens", "tokens", 2)
    assert [[token["note"] for token in page] for page in found] == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_list_that_ends_with_its_page_has_no_next_one(database_url: str) -> None:
    async with asking(database_url) as client:
        for _ in range(2):
            await client.post("/enrolment-tokens", json={})
        assert [len(page) for page in await pages(client, "/enrolment-tokens", "tokens", 2)] == [2]
        assert await pages(client, "/refused", "refused", 2) == [[]]


async def test_what_was_refused_at_one_moment_is_split_between_pages(database_url: str) -> None:
    moments = [AT, AT, AT, AT + timedelta(microseconds=1)]
    for number, moment in enumerate(moments):
        row = "INSERT INTO refused (name, what, times, last) VALUES ($1, 'enrol', 1, $2)"
        await execute(database_url, row, f"n{number}", moment)
    async with asking(database_url) as client:
        found = await pages(client, "/refused", "refused", 2)
    assert [[refused["name"] for refused in page] for page in found] == [["n3", "n0"], ["n1", "n2"]]


async def test_removals_are_paged_the_oldest_first(database_url: str) -> None:
    for number in (1, 2, 3):
        await execute(
            database_url,
            "WITH host AS (INSERT INTO hosts (name) VALUES ($1) RETURNING id) "
            "INSERT INTO removals (host_id, name, asked) SELECT id, $1, $2 FROM host",
            f"web-{number}",
            AT,
        )
    async with asking(database_url) as client:
        found = await pages(client, "/removals", "removals", 2)
    assert [[removal["name"] for removal in page] for page in found] == [["web-1", "web-2"], ["web-3"]]


async def test_the_history_of_alerts_is_paged_by_change(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        for number in range(3):
            await end_incident(database, await open_incident(database, rule=f"rule-{number}"))
    async with asking(database_url) as client:
        found = await pages(client, "/alerts", "history", 4)
    assert [[(past["rule"], past["kind"]) for past in page] for page in found] == [
        [("rule-2", "resolve"), ("rule-2", "fire"), ("rule-1", "resolve"), ("rule-1", "fire")],
        [("rule-0", "resolve"), ("rule-0", "fire")],
    ]


async def test_the_audit_log_is_paged_the_newest_first(database_url: str) -> None:
    async with asking(database_url) as client:
        for number in range(3):
            await client.post("/enrolment-tokens", json={"note": str(number)})
        found = await pages(client, "/audit", "entries", 2)
    assert [[entry["target"] for entry in page] for page in found] == [["3", "2"], ["1"]]


async def test_a_cursor_of_another_list_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.get("/refused", params={"cursor": encoded(b"[5]").rstrip("=")})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")
