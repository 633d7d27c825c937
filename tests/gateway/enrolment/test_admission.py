"""Machines join with a token and a key of their own; strangers do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.authority.authority import Authority, ensure_authority
from infra.authority.claims import decode
from infra.authority.keys import make_key
from infra.bus import connection as bus
from schemas.enrolment import TOKEN_PREFIX
from tests.authority import enrol, guarded_bus, guarded_settings, made_token, prove, written
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.gateway.running import gateway
from tests.waiting import eventually


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return ensure_authority(tmp_path_factory.mktemp("enrolment") / "authority")


@asynccontextmanager
async def desk(database_url: str, authority: Authority, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway's application with an authority, without a bus."""
    async with asking(database_url, authority=str(authority.directory), **settings) as client:
        yield client


async def test_a_token_and_a_key_make_a_host_whose_jwt_the_bus_takes(database_url: str, tmp_path: Path) -> None:
    key = make_key("user")
    async with (
        guarded_bus(tmp_path) as (server, authority),
        gateway(database_url, server.url, **guarded_settings(authority)) as client,
    ):
        joined = (await enrol(client, await made_token(client), key, "web-1")).json()
        assert (joined["host"], joined["bus"]) == ("web-1", [server.url])
        access = written(tmp_path / "web-1.creds", joined["jwt"], key)
        async with bus.connection(server.url, "web-1", access=access) as agent:
            await agent.publish("metrics.web-1", b"")
            await agent.flush()


async def test_a_jwt_is_of_the_agents_role_and_ends(database_url: str, authority: Authority) -> None:
    key = make_key("user")
    async with desk(database_url, authority, identity_days=2) as client:
        joined = (await enrol(client, await made_token(client), key, "web-1")).json()
    claims = decode(joined["jwt"])
    assert claims["iss"] == authority.role_key("agent").public
    assert (claims["sub"], claims["name"]) == (key.public, "web-1")
    assert claims["exp"] - claims["iat"] == joined["expires"] - joined["issued"] == 2 * 86400


async def test_secrets_are_shown_once_and_stored_as_hashes(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        made = (await client.post("/enrolment-tokens", json={"note": "rack 4"})).json()
        listed = await client.get("/enrolment-tokens")
    assert made["secret"].startswith(TOKEN_PREFIX)
    assert len(made["secret"]) == len(TOKEN_PREFIX) + 32
    assert made["secret"] not in listed.text
    assert listed.json()["tokens"] == [made["token"]]


@pytest.mark.parametrize(
    "name", ["*", ">", "interest", "fleet", "all", "new", "_sys", "a.b", "x" * 41, "wéb", "Web", "a b", "a\n"]
)
async def test_no_machine_may_be_called(name: str, database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client)
        answer = await enrol(client, token, make_key("user"), name)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "name"
        assert (await enrol(client, token, make_key("user"), "web-1")).status_code == 201, "the token was used up"


@pytest.mark.parametrize(
    "key",
    ["", "U" * 56, make_key("account").public, make_key("user").public[:-1] + "*"],
    ids=["none", "no checksum", "of an account", "no letter"],
)
async def test_only_a_users_public_key_is_signed(key: str, database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        body = {"token": await made_token(client), "public_key": key, "name": "web-1"}
        answer = await client.post("/enrol", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "public_key")


async def test_an_unknown_token_is_refused(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        answer = await enrol(client, f"{TOKEN_PREFIX}{'x' * 32}", make_key("user"), "web-1")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/enrolment-unknown")


async def test_a_token_that_expired_is_refused(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client)
        await execute(database_url, "UPDATE enrolment_tokens SET expires = now() - interval '1 s'")
        answer = await enrol(client, token, make_key("user"), "web-1")
        assert (await client.get("/enrolment-tokens/1")).json()["state"] == "expired"
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/enrolment-expired")


async def test_a_token_that_was_withdrawn_is_refused(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client)
        assert (await client.delete("/enrolment-tokens/1")).json()["state"] == "withdrawn"
        answer = await enrol(client, token, make_key("user"), "web-1")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/enrolment-withdrawn")


async def test_a_one_time_token_admits_one_of_fifty_at_once(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client)
        tries = [enrol(client, token, make_key("user"), "web-1") for _ in range(50)]
        codes = [answer.status_code for answer in await asyncio.gather(*tries)]
        found = (await client.get("/enrolment-tokens/1")).json()
    assert codes.count(201) == 1
    assert set(codes) <= {201, 403, 429}, "used, or too many failures of one address"
    assert (found["used"], found["hosts"]) == (1, ["web-1"])


async def test_a_thousand_that_wish_one_name_get_a_thousand(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client, uses=1000)

        async def persist() -> httpx.Response:
            """As agents do: one that is asked to wait tries again with the same key."""
            key = make_key("user")
            while (answer := await enrol(client, token, key, "web")).status_code == 503:
                await asyncio.sleep(int(answer.headers["Retry-After"]))
            return answer

        tries = [persist() for _ in range(1000)]
        began_s = time.monotonic()
        answers = await asyncio.gather(*tries)
        print(f"1,000 enrolled within {time.monotonic() - began_s:.1f} s")
        assert [answer.text for answer in answers if answer.status_code != 201] == []
        assert len({answer.json()["host"] for answer in answers}) == 1000
        assert (await enrol(client, token, make_key("user"), "web")).status_code == 403


async def test_asking_again_with_the_same_key_gets_the_same_host(database_url: str, authority: Authority) -> None:
    key = make_key("user")
    async with desk(database_url, authority) as client:
        token = await made_token(client)
        first, second = await enrol(client, token, key, "web-1"), await enrol(client, token, key, "web-1")
        found = (await client.get("/enrolment-tokens/1")).json()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["host"] == second.json()["host"]
    assert found["used"] == 1


async def test_somebody_elses_key_is_refused(database_url: str, authority: Authority) -> None:
    key = make_key("user")
    async with desk(database_url, authority) as client:
        await enrol(client, await made_token(client), key, "web-1")
        answer = await enrol(client, await made_token(client), key, "web-2")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/enrolment-key")


async def test_a_name_outside_the_tokens_pattern_is_refused_with_the_pattern(
    database_url: str, authority: Authority
) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client, name_pattern="web-*", uses=2)
        answer = await enrol(client, token, make_key("user"), "db-1")
        assert (await enrol(client, token, make_key("user"), "web-9")).json()["host"] == "web-9"
    assert answer.status_code == 403
    assert "web-*" in answer.json()["detail"]


async def test_a_host_without_identity_is_taken_over_only_by_a_token_for_it(
    database_url: str, authority: Authority
) -> None:
    await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")
    async with desk(database_url, authority) as client:
        stranger = await enrol(client, await made_token(client), make_key("user"), "web-1")
        owner = await enrol(client, await made_token(client, host="web-1"), make_key("user"), "whatever")
    assert stranger.json()["host"] == "web-1-2"
    assert owner.json()["host"] == "web-1"


async def test_rotation_revokes_the_former_identity_in_the_moment_of_the_new_one(
    database_url: str, authority: Authority
) -> None:
    old, new = make_key("user"), make_key("user")
    async with desk(database_url, authority) as client:
        await enrol(client, await made_token(client), old, "web-1")
        made = (await client.post("/hosts/web-1/rotate")).json()
        assert (await prove(client, "/identity/renew", old)).status_code == 200
        assert (await enrol(client, made["secret"], new, "")).json()["host"] == "web-1"
        refused = await prove(client, "/identity/renew", old)
        present = (await client.get("/hosts/web-1/identity")).json()
    assert made["token"]["host"] == "web-1"
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/identity-revoked")
    assert (present["public_key"], present["revoked"]) == (new.public, None)


async def test_a_revoked_identity_is_never_signed_again(database_url: str, authority: Authority) -> None:
    key = make_key("user")
    async with desk(database_url, authority) as client:
        token = await made_token(client, uses=5)
        await enrol(client, token, key, "web-1")
        assert (await client.post("/hosts/web-1/revoke")).json()["revoked"] is not None
        answers = [
            await prove(client, "/identity/renew", key),
            await prove(client, "/identity/state", key),
            await enrol(client, token, key, "web-1"),
            await enrol(client, await made_token(client), key, "web-1"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4


async def test_a_host_whose_identity_was_revoked_stays_as_a_row(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        await enrol(client, await made_token(client), make_key("user"), "web-1")
        await client.post("/hosts/web-1/revoke")
        again = await client.post("/hosts/web-1/revoke")
        joined = await enrol(client, await made_token(client, host="web-1"), make_key("user"))
    assert (again.status_code, again.json()["type"]) == (404, "/problems/no-identity")
    assert joined.json()["host"] == "web-1"


async def test_renewal_takes_a_signature_of_our_own_fresh_challenge(database_url: str, authority: Authority) -> None:
    key, thief = make_key("user"), make_key("user")
    async with desk(database_url, authority) as client:
        await enrol(client, await made_token(client), key, "web-1")
        renewed = await prove(client, "/identity/renew", key)
        stolen = {"public_key": key.public, "challenge": "0.x.y", "signature": "AAAA"}
        challenge = (await client.get("/identity/challenge")).json()["challenge"]
        kinds = [
            (await client.post("/identity/renew", json=stolen)).json()["type"],
            (await client.post("/identity/renew", json={**stolen, "challenge": challenge})).json()["type"],
            (await prove(client, "/identity/renew", thief)).json()["type"],
        ]
    assert renewed.status_code == 200
    assert decode(renewed.json()["jwt"])["sub"] == key.public
    assert kinds == ["/problems/challenge", "/problems/proof", "/problems/identity-unknown"]


async def test_the_state_of_an_agent_tells_when_its_first_sample_is_stored(
    database_url: str, authority: Authority
) -> None:
    key = make_key("user")
    async with desk(database_url, authority) as client:
        await enrol(client, await made_token(client), key, "web-1")
        before = (await prove(client, "/identity/state", key)).json()
        await execute(database_url, "UPDATE hosts SET last_sample = to_timestamp(1000)")
        after = (await prove(client, "/identity/state", key)).json()
    assert (before["host"], before["last_sample"], after["last_sample"]) == ("web-1", None, 1_000_000)


async def test_guessing_tokens_is_limited_and_others_are_not_kept_out(database_url: str, authority: Authority) -> None:
    async with desk(database_url, authority) as client:
        token = await made_token(client)
    async with desk(database_url, authority, tls="in-front") as client:
        body = {"token": "guess", "public_key": make_key("user").public}
        codes = []
        for _ in range(25):
            answer = await client.post("/enrol", json=body, headers={"X-Forwarded-For": "203.0.113.9"})
            codes.append(answer.status_code)
        assert codes == [401] * 20 + [429] * 5
        assert int(answer.headers["Retry-After"]) >= 1
        other = {"token": token, "public_key": make_key("user").public}
        assert (await client.post("/enrol", json=other, headers={"X-Forwarded-For": "203.0.113.8"})).status_code == 201


async def test_without_an_authority_enrolment_says_what_is_missing(database_url: str, tmp_path: Path) -> None:
    async with asking(database_url, authority=str(tmp_path / "none")) as client:
        answer = await enrol(client, await made_token(client), make_key("user"), "web-1")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-authority")
    assert "sonde authority init" in answer.json()["detail"]


async def test_what_was_refused_is_counted_and_listed(database_url: str, authority: Authority) -> None:
    async with gateway(database_url, "nats://127.0.0.1:1", authority=str(authority.directory)) as client:
        await enrol(client, "guess", make_key("user"), "web-1")
        await enrol(client, "guess", make_key("user"), "*")

        async def counted() -> bool:
            listed = (await client.get("/refused")).json()["refused"]
            return [(one["name"], one["what"], one["times"]) for one in listed] == [("127.0.0.1", "enrol", 2)]

        await eventually(counted)
