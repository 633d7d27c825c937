"""The second factor: offered, confirmed, asked for, good once, replaced by recovery codes, removed."""

from __future__ import annotations

import time

import httpx
import pyotp

from services.gateway.people import second
from tests.gateway.asking import asking
from tests.people import PASSWORD, add_session, in_browser
from tests.waiting import eventually

PATH = "/session/second-factor"


async def enrolled(client: httpx.AsyncClient, database_url: str) -> tuple[pyotp.TOTP, list[str]]:
    """The authenticator of ada, who has confirmed it, and her recovery codes; she is logged in."""
    in_browser(client, await add_session(database_url))
    totp = pyotp.TOTP((await client.post(PATH)).json()["secret"])
    answer = await client.put(PATH, json={"code": totp.at(int(time.time()) - second.STEP_S)})
    assert answer.status_code == 200, answer.text
    return totp, answer.json()["codes"]


async def log_in(client: httpx.AsyncClient, code: str = "") -> httpx.Response:
    client.cookies.clear()
    return await client.post("/session", json={"name": "ada", "password": PASSWORD, "code": code})


async def test_an_offer_is_not_in_force_until_a_code_confirms_it(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        offer = (await client.post(PATH)).json()
        assert offer["uri"].startswith("otpauth://totp/Sonde:ada?secret=")
        assert (await client.get("/session")).json()["second_factor"] is False
        assert (await client.put(PATH, json={"code": "000000x"})).status_code == 400
        assert (await log_in(client)).status_code == 200


async def test_a_login_asks_for_a_code_only_when_the_password_is_right(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        totp, _ = await enrolled(client, database_url)
        assert (await client.get("/session")).json()["second_factor"] is True
        answer = await log_in(client)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/second-factor")
        wrong = await client.post("/session", json={"name": "ada", "password": "wrong"})
        assert wrong.json()["type"] == "/problems/wrong-login"
        assert (await log_in(client, totp.now())).status_code == 200


async def test_a_code_is_good_once(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        totp, _ = await enrolled(client, database_url)
        code = totp.now()
        answers = [(await log_in(client, code)).status_code for _ in range(2)]
    assert answers == [200, 401]


async def test_a_recovery_code_is_good_once_however_it_is_typed(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        _, codes = await enrolled(client, database_url)
        typed = codes[0].upper().replace("-", " ")
        answers = [(await log_in(client, typed)).status_code for _ in range(2)]
        assert answers == [200, 401]
        assert (await log_in(client, codes[1])).status_code == 200


async def test_new_recovery_codes_replace_the_old_ones(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        totp, old = await enrolled(client, database_url)
        new = (await client.post(f"{PATH}/recovery-codes", json={"code": totp.now()})).json()["codes"]
        assert len(new) == len(set(new) - set(old)) == 10
        assert (await log_in(client, old[0])).status_code == 401
        assert (await log_in(client, new[0])).status_code == 200


async def test_it_is_removed_by_a_code_alone(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        totp, _ = await enrolled(client, database_url)
        assert (await client.request("DELETE", PATH, json={"code": "123"})).status_code == 400
        assert (await client.request("DELETE", PATH, json={"code": totp.now()})).status_code == 204
        assert (await log_in(client)).status_code == 200


async def test_a_second_one_is_not_offered_beside_the_first(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        await enrolled(client, database_url)
        assert (await client.post(PATH)).status_code == 409


async def test_guessing_codes_is_throttled(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        await enrolled(client, database_url)

        async def refused() -> bool:
            answer = await client.request("DELETE", PATH, json={"code": "111111x"})
            return answer.status_code == 429 and int(answer.headers["retry-after"]) > 0

        await eventually(refused)


def test_a_clock_that_is_half_a_minute_off_still_makes_codes_that_fit() -> None:
    secret = second.make_secret()
    code = pyotp.TOTP(secret).at(1_000_000_000)
    steps = [second.step_of(secret, code, 1_000_000_000 + off_s) for off_s in (-30, 0, 30)]
    assert steps == [1_000_000_000 // 30] * 3
    assert second.step_of(secret, code, 1_000_000_000 + 90) is None


def test_the_qr_code_says_what_the_authenticator_is_to_know() -> None:
    path, size = second.qr_of(second.uri_of("A" * 32, "ada"))
    assert 29 + 8 <= size <= 57 + 8
    assert path.startswith("M4 4h7v1h-7z"), "the first finder pattern, after a quiet zone of four modules"
