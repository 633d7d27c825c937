"""Logging in by OpenID Connect, at a real provider."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

import httpx
import pytest

from tests.oidc.provider import Place, begin, browser, consent, log_in, signing_on
from tests.people import add_user

ADA = {"groups": ["admins", "staff"], "preferred_username": "Ada.Lovelace", "email": "ada@example.org"}
PEOPLE = {
    "ada": ADA,
    "bob": {"groups": "on call", "email": "Bob@Example.org"},
    "eve": {"groups": ["others"]},
    "zoe": {"groups": ["staff"], "preferred_username": "../<b>ö"},
    "dan": {"groups": ["staff"], "preferred_username": "ada.lovelace"},
}
TWISTS = (
    "nonce",
    "no nonce",
    "issuer",
    "audience",
    "expired",
    "future",
    "nobody",
    "another key",
    "none",
    "our secret",
    "public key as secret",
    "tampered",
    "no token",
    "not a token",
    "huge",
    "deep header",
    "deep answer",
)

DEEP = base64.urlsafe_b64encode(b'{"more":' + b"[" * 1400).decode().rstrip("=")


def words(answer: httpx.Response) -> str:
    """Why the login failed, as the page is told; the answer lets nobody in."""
    assert answer.status_code == 303, answer.text
    assert "sonde_session" not in answer.headers.get("set-cookie", "")
    page, _, said = answer.headers["location"].partition("#failed=")
    assert page == "/login"
    return unquote(said)


def with_query(address: str, **changes: str | None) -> str:
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    changed = {name: value for name, value in {**query, **changes}.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(changed)))


async def me(client: httpx.AsyncClient, place: Place) -> dict[str, object]:
    found: dict[str, object] = (await client.get(f"{place.url}/api/v1/session")).json()
    return found


async def test_a_first_login_makes_the_user_and_leads_on_to_where_it_began(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        answer = await log_in(client, place, "ada", "/hosts/web-1?range=6h")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert 'content="0;url=/hosts/web-1?range=6h"' in answer.text
        assert "SameSite=Strict" in answer.headers["set-cookie"]
        found = await me(client, place)
        assert (found["name"], found["role"], found["by"], found["oidc"]) == (
            "ada.lovelace",
            "admin",
            "session",
            "single sign-on",
        )
        users = (await place.direct.get("/users")).json()["users"]
        entries = (await place.direct.get("/audit")).json()["entries"]
    assert [user["source"] for user in users if user["name"] == "ada.lovelace"] == ["oidc"]
    assert any(entry["target"] == "ada.lovelace" and entry["before"] is None for entry in entries)
    assert "s3cret" not in str(entries)


async def test_the_same_person_is_the_same_user_and_has_the_role_of_the_groups_of_now(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as first, browser() as again:
        assert (await log_in(first, place, "ada")).status_code == 200
        users = (await place.direct.get("/users")).json()["users"]
        number = next(user["id"] for user in users if user["source"] == "oidc")
        changed = await place.direct.patch(f"/users/{number}", json={"role": "viewer"})
        assert changed.status_code == 200
        assert (await log_in(again, place, "ada")).status_code == 200
        assert (await me(again, place))["role"] == "admin"
        users = (await place.direct.get("/users")).json()["users"]
    assert [user["id"] for user in users if user["source"] == "oidc"] == [number]


@pytest.mark.parametrize(
    ("login", "name", "role"),
    [("bob", "bob@example.org", "operator"), ("zoe", "b", "viewer"), ("dan", "ada.lovelace-2", "viewer")],
)
async def test_names_and_roles_come_from_what_the_provider_says_and_take_nobody_elses(
    login: str, name: str, role: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    await add_user(database_url, "ada.lovelace")
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        assert (await log_in(client, place, login)).status_code == 200
        found = await me(client, place)
    assert (found["name"], found["role"]) == (name, role)


async def test_nobody_gets_in_without_a_group_that_has_a_role_and_is_told_the_remedy(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        assert "SONDE_OIDC_VIEWER_GROUPS" in words(await log_in(client, place, "eve"))
        assert (await me(client, place))["role"] is None


async def test_a_star_lets_everybody_in_for_whom_the_provider_vouches(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with (
        signing_on(database_url, bus_url, tmp_path, PEOPLE, oidc_viewer_groups="*") as place,
        browser() as client,
    ):
        assert (await log_in(client, place, "eve")).status_code == 200
        assert (await me(client, place))["role"] == "viewer"


async def test_a_disabled_user_stays_outside(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client, browser() as again:
        await log_in(client, place, "ada")
        users = (await place.direct.get("/users")).json()["users"]
        number = next(user["id"] for user in users if user["source"] == "oidc")
        assert (await place.direct.patch(f"/users/{number}", json={"disabled": True})).status_code == 200
        assert "disabled" in words(await log_in(again, place, "ada"))
        assert (await me(client, place))["role"] is None


async def test_a_code_is_good_once(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        address = await begin(client, place)
        kept = client.cookies.get("sonde_oidc")
        address = await consent(client, place, address, "ada")
        assert (await client.get(address)).status_code == 200
        assert client.cookies.get("sonde_oidc") is None
        words(await client.get(address))
        assert kept
        async with browser() as thief:
            thief.cookies.set("sonde_oidc", kept)
            words(await thief.get(address))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": None},
        {"state": "ö"},
        {"code": "another"},
        {"code": None},
        {"code": None, "error": "access_denied", "error_description": "<script>"},
        {"iss": "https://other.example"},
        {"iss": None},
    ],
)
async def test_an_answer_that_is_not_the_providers_to_this_login_lets_nobody_in(
    changes: dict[str, str | None], tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        address = await consent(client, place, await begin(client, place), "ada")
        said = words(await client.get(with_query(address, **changes)))
        assert "script" not in said
        assert (await me(client, place))["role"] is None


@pytest.mark.parametrize("cookie", ["", "x", "e30", "bnVsbA", "\xff", "e" * 5000, DEEP, f"{DEEP}.{DEEP}"])
async def test_a_browser_in_which_no_login_began_is_not_let_in(
    cookie: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client, browser() as other:
        address = await consent(client, place, await begin(client, place), "ada")
        words(await other.get(address, headers={"Cookie": f"sonde_oidc={cookie}".encode("latin-1")}))


async def test_no_token_that_is_not_good_lets_anybody_in(
    tmp_path: Path, database_url: str, bus_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    people = {twist: {**ADA, "twist": twist} for twist in TWISTS}
    async with signing_on(database_url, bus_url, tmp_path, people) as place:
        for twist in TWISTS:
            async with browser() as client:
                assert "identity provider" in words(await log_in(client, place, twist)), twist
                assert (await me(client, place))["role"] is None, twist
        users = (await place.direct.get("/users")).json()["users"]
    assert not [user for user in users if user["source"] == "oidc"]
    said = [record for record in caplog.records if record.message == "login by the identity provider failed"]
    assert len(said) == len(TWISTS)
    assert "s3cret" not in str([vars(record) for record in said])


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb", "/" + "a" * 501],
)
async def test_the_way_on_leads_to_no_other_site(to: str, tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        answer = await log_in(client, place, "ada", to)
    assert 'content="0;url=/"' in answer.text


async def test_a_provider_that_is_away_is_said_in_words(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE, oidc_issuer="http://localhost:1") as place:
        assert "identity provider" in words(await place.direct.get("/session/oidc"))


async def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    tmp_path: Path, database_url: str, bus_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as real:
        other = real.issuer.replace("localhost", "127.0.0.1")
        async with signing_on(database_url, bus_url, tmp_path, {}, oidc_issuer=other) as place:
            assert "identity provider" in words(await place.direct.get("/session/oidc"))
    assert "set SONDE_OIDC_ISSUER to that" in str([vars(record) for record in caplog.records])


async def test_the_session_says_how_the_way_in_is_called_and_nothing_without_one(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE, oidc_name="Example ID") as place:
        assert (await place.direct.get("/session")).json()["oidc"] == "Example ID"
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE, oidc_issuer="") as place:
        assert (await place.direct.get("/session")).json()["oidc"] == ""
        assert "SONDE_OIDC_ISSUER" in words(await place.direct.get("/session/oidc"))
