"""Passwords: looked at by a bounded number of threads, and no sooner for names that nobody has."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from argon2 import PasswordHasher

from infra.storage.database import connection
from services.gateway.http.problems import ProblemError
from services.gateway.people.passwords import AT_ONCE, MOST_WAITING, NOBODYS, Hashing, is_stale
from services.gateway.people.people import UNKNOWN_BURST
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.people import HASH, PASSWORD, add_user, bearing


async def test_a_password_fits_what_was_made_of_it_and_nothing_else() -> None:
    hashing = Hashing()
    try:
        stored = await hashing.hash(PASSWORD)
        assert await hashing.fits(stored, PASSWORD)
        assert not await hashing.fits(stored, PASSWORD + " ")
        assert not await hashing.fits("no hash at all", PASSWORD)
    finally:
        hashing.close()


async def test_nothing_fits_where_nothing_is_stored() -> None:
    hashing = Hashing()
    try:
        assert not await hashing.fits(None, "")
    finally:
        hashing.close()


def test_what_is_compared_with_for_a_name_that_nobody_has_costs_as_much_as_any() -> None:
    assert not is_stale(NOBODYS)


async def test_more_than_may_wait_are_refused_at_once() -> None:
    hashing = Hashing()
    try:
        tries = [hashing.fits(HASH, "wrong") for _ in range(AT_ONCE + MOST_WAITING + 5)]
        results = await asyncio.gather(*tries, return_exceptions=True)
    finally:
        hashing.close()
    refused = [result for result in results if isinstance(result, ProblemError)]
    assert (len(refused), {problem.status for problem in refused}, hashing.refused) == (5, {503}, 5)


async def test_a_password_kept_with_older_parameters_is_made_anew_at_the_next_login(database_url: str) -> None:
    await add_user(database_url)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await execute(database_url, "UPDATE users SET password = $1", old)
    async with asking(database_url, token="") as client:
        for _ in range(2):
            client.cookies.clear()
            answer = await client.post("/session", json={"name": "ada", "password": PASSWORD})
            assert answer.status_code == 200
    async with connection(database_url, "tests") as database:
        assert await database.fetchval("SELECT password FROM users WHERE name = 'ada'") != old


async def status(client: httpx.AsyncClient, token: str) -> int:
    return (await bearing(client, token).get("/hosts")).status_code


async def test_an_address_brings_only_so_many_tokens_that_nobody_has(database_url: str) -> None:
    async with asking(database_url) as client:
        known = client.headers["Authorization"].removeprefix("Bearer ")
        assert await status(client, known) == 200
        answers = [await status(client, f"sonde_api_{number}") for number in range(10 * UNKNOWN_BURST)]
        assert set(answers[:UNKNOWN_BURST]) == {401}
        assert answers.count(429) > UNKNOWN_BURST, "it refills by one a second"
        assert await status(client, known) == 200


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
async def test_credentials_for_a_proxy_in_front_are_not_ours_to_judge(scheme: str, database_url: str) -> None:
    async with asking(database_url, token="") as client:
        answer = await client.get("/session", headers={"Authorization": f"{scheme} abc"})
    assert (answer.status_code, answer.json()["by"]) == (200, "nobody")
