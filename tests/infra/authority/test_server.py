"""A real nats-server and an authority: who gets in, what they may do, and what a revocation or rotation does."""

from __future__ import annotations

import contextlib
import time
from contextlib import AsyncExitStack
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client

from infra.authority.adoption import adopt_open_streams
from infra.authority.authority import (
    RESTORED,
    SYSTEM_USER,
    Authority,
    AuthorityError,
    ensure_authority,
    revocations_in,
)
from infra.authority.backup import back_up, restore
from infra.authority.claims import encode, system_user_claims
from infra.authority.keys import make_key
from infra.authority.operators import NoOperator, add_operator, read_operators, revoke_operator
from infra.authority.resolver import count_servers, held_account, push_account
from infra.authority.rotation import rotate_operator, rotate_role
from infra.bus import connection as bus
from infra.bus.credentials import credentials_text
from infra.bus.patience import access_of
from infra.bus.streams import ensure_streams
from infra.cli import reach
from infra.files import write_private
from infra.servers.embedded import Server, nats_server
from infra.settings import ServerSettings
from schemas.rehearsals import REHEARSAL_ASK, REHEARSAL_CANCEL, rehearsal_told
from schemas.subjects import METRICS, TRY_CHANNEL, alerts
from tests.authority import agent_file, as_user, guarded_bus
from tests.waiting import eventually


async def admitted(server: Server, credentials: Path) -> bool:
    """Whether the server lets in whoever has this file."""
    settings = ServerSettings(nats_url=server.url, nats_credentials=str(credentials))
    try:
        async with reach.bus(settings, "test"):
            return True
    except reach.Unreachable:
        return False


def refused(client: Client, subject: str) -> bool:
    """Whether the last thing the server said is that this may not be published."""
    return f'permissions violation for publish to "{subject.lower()}"' in str(client.last_error).lower()


async def test_nobody_gets_in_without_an_identity(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, _):
        with pytest.raises(reach.Unreachable, match="refuses this user"):
            async with reach.bus(ServerSettings(nats_url=server.url), "stranger"):
                pass


async def test_an_agent_of_another_authority_does_not_get_in(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path / "ours") as (server, _):
        agent_file(ensure_authority(tmp_path / "theirs"), tmp_path / "web-1.creds", "web-1")
        assert not await admitted(server, tmp_path / "web-1.creds")


async def test_a_user_signed_by_the_account_itself_does_not_get_in(tmp_path: Path) -> None:
    """Its seed is thrown away when it is made; whoever made one of his own is no account of ours."""
    async with guarded_bus(tmp_path) as (server, authority):
        user, account = make_key("user"), make_key("account")
        claims = system_user_claims() | {"issuer_account": authority.account()}
        token = encode(account, user.public, "web-1", claims, int(time.time()))
        write_private(tmp_path / "own.creds", credentials_text(token, user.seed))
        assert not await admitted(server, tmp_path / "own.creds")


async def test_a_revoked_agent_is_put_out_at_once_and_stays_out_after_a_restart(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server, authority = await stack.enter_async_context(guarded_bus(tmp_path))
        file, other = tmp_path / "web-1.creds", tmp_path / "web-2.creds"
        key = agent_file(authority, file, "web-1")
        agent_file(authority, other, "web-2")
        closed = await bus.connect(server.url, "web-1", access=access_of(str(file)))
        stays = await stack.enter_async_context(bus.connection(server.url, "web-2", access_of(str(other))))
        reconnects = stays.stats["reconnects"]
        async with as_user(server, authority, SYSTEM_USER) as system:
            token = authority.sign_account_after(authority.saved_account(), {key.public: int(time.time())})
            pushed = await push_account(system, token)
        assert (pushed.servers, pushed.took, pushed.everywhere) == (1, 1, True)
        await eventually(lambda: not closed.is_connected)
        assert "revoked" in str(closed.last_error)
        await closed.close()
        await stays.flush()
        assert stays.stats["reconnects"] == reconnects
        await server.restart()
        assert not await admitted(server, file)
        assert await admitted(server, other)


async def test_servers_are_counted_and_asked_what_they_hold(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, SYSTEM_USER) as system:
        assert await count_servers(system) == 1
        assert await held_account(system, authority.account()) == authority.saved_account()


async def test_streams_of_an_open_bus_are_the_accounts_afterwards(tmp_path: Path) -> None:
    async with nats_server(tmp_path / "nats") as server, bus.connection(server.url, "old") as client:
        await ensure_streams(client)
        for number in range(20):
            await client.jetstream().publish("metrics.web-1", str(number).encode())
    authority = ensure_authority(tmp_path / "authority")
    assert adopt_open_streams(tmp_path / "nats" / "jetstream", authority.account("services"))
    assert not adopt_open_streams(tmp_path / "nats" / "jetstream", authority.account("services"))
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, "ingest") as ingest:
        state = (await ingest.jetstream().stream_info(METRICS.name)).state
        assert (state.messages, state.last_seq) == (20, 20)


async def test_an_operator_reads_and_writes_nothing(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        file = tmp_path / "ada.creds"
        file.write_text(add_operator(authority, "ada"))
        agent_file(authority, tmp_path / "web-1.creds", "web-1")
        async with (
            bus.connection(server.url, "ada", access_of(str(file))) as ada,
            bus.connection(server.url, "agent", access_of(str(tmp_path / "web-1.creds"))) as agent,
        ):
            heard = await ada.subscribe("metrics.*")
            await ada.flush()

            # Published until it is heard: a message that nobody acknowledges may be lost.
            async def batch_heard() -> bool:
                await agent.publish("metrics.web-1", b"batch")
                await agent.flush()
                with contextlib.suppress(nats.errors.TimeoutError):
                    return (await heard.next_msg(2)).data == b"batch"
                raise AssertionError(f"ada {ada.stats} {ada.last_error!r}; agent {agent.stats} {agent.last_error!r}")

            await eventually(batch_heard)
            everything = await agent.subscribe("command.web-1.*")
            await agent.flush()
            for subject in ("metrics.web-1", "command.web-1.ping", "interest.live", "$JS.API.STREAM.DELETE.METRICS"):
                await ada.publish(subject, b"mine")
                await eventually(lambda: refused(ada, subject))  # noqa: B023
            with pytest.raises(nats.errors.TimeoutError):
                await everything.next_msg(0.2)


async def test_a_revoked_operator_is_out_and_off_the_list(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        file = tmp_path / "ada.creds"
        file.write_text(add_operator(authority, "ada", days=1))
        assert await admitted(server, file)
        async with as_user(server, authority, SYSTEM_USER) as system:
            revoke_operator(authority, "ada")
            assert (await push_account(system, authority.saved_account("services"))).everywhere
        assert not await admitted(server, file)
        assert read_operators(authority) == []
        with pytest.raises(NoOperator, match="'ada' does not exist; there are none"):
            revoke_operator(authority, "ada")


async def test_agents_signed_by_a_key_that_was_rotated_go_on_until_it_retires(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, SYSTEM_USER) as system:
        old, new = tmp_path / "old.creds", tmp_path / "new.creds"
        agent_file(authority, old, "web-1")
        rotate_role(authority, "agent", 3600)
        await push_account(system, authority.saved_account())
        agent_file(authority, new, "web-2")
        assert await admitted(server, old)
        assert await admitted(server, new)
        rotate_role(authority, "agent", 0)
        await push_account(system, authority.saved_account())
        assert not await admitted(server, new)


async def test_services_take_their_new_file(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, SYSTEM_USER) as system:
        kept = tmp_path / "kept.creds"
        kept.write_bytes(authority.credentials_path("ingest").read_bytes())
        rotate_role(authority, "ingest", 0)
        await push_account(system, authority.saved_account("services"))
        assert await admitted(server, authority.credentials_path("ingest"))
        assert not await admitted(server, kept)


async def test_a_new_key_of_the_account_counts_from_the_servers_next_start(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (_, authority):
        agent_file(authority, tmp_path / "web-1.creds", "web-1")
    rotate_operator(Authority(authority.directory))
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, SYSTEM_USER) as system:
        assert await admitted(server, tmp_path / "web-1.creds")
        assert (await push_account(system, authority.sign_account_after(authority.saved_account(), {}))).everywhere


async def test_a_backup_older_than_a_revocation_brings_nobody_back(tmp_path: Path) -> None:
    file = tmp_path / "web-1.creds"
    async with guarded_bus(tmp_path) as (server, authority):
        key = agent_file(authority, file, "web-1")
        back_up(authority.directory, tmp_path / "backup.tgz")
        async with as_user(server, authority, SYSTEM_USER) as system:
            token = authority.sign_account_after(authority.saved_account(), {key.public: int(time.time())})
            await push_account(system, token)  # and not even saved here: only the server knows
    before = restore(tmp_path / "backup.tgz", authority.directory)
    assert before is not None
    async with guarded_bus(tmp_path) as (server, _):
        assert not await admitted(server, file)


async def test_a_restored_authority_on_an_empty_machine_admits_whom_it_admitted(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "first" / "authority")
    agent_file(authority, tmp_path / "web-1.creds", "web-1")
    back_up(authority.directory, tmp_path / "backup.tgz")
    assert restore(tmp_path / "backup.tgz", tmp_path / "second" / "authority") is None
    async with guarded_bus(tmp_path / "second") as (server, restored):
        assert restored.facts.accounts == authority.facts.accounts
        assert await admitted(server, tmp_path / "web-1.creds")


async def test_no_service_may_do_anothers_work(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        for user, subject in (
            ("ingest", "metrics.web-1"),
            ("ingest", "$JS.API.STREAM.DELETE.METRICS"),
            ("alerts", "$JS.API.STREAM.CREATE.METRICS"),
            ("gateway", "metrics.web-1"),
            ("gateway", "$JS.API.STREAM.UPDATE.METRICS"),
            ("retention", "settings.changed"),
            ("tools", "command.web-1.ping"),
            ("migrate", "$JS.API.STREAM.DELETE.METRICS"),
            ("migrate", "$JS.API.STREAM.PURGE.METRICS"),
        ):
            async with as_user(server, authority, user) as client:
                await client.publish(subject, b"")
                await eventually(lambda: refused(client, subject))  # noqa: B023


@pytest.mark.parametrize(
    ("said_by", "subject", "heard_by"),
    [
        ("gateway", TRY_CHANNEL, "alerts"),
        ("gateway", REHEARSAL_ASK, "alerts"),
        ("gateway", REHEARSAL_CANCEL, "alerts"),
        ("alerts", rehearsal_told("0123456789abcdef"), "gateway"),
        ("alerts", alerts("web-1", "cpu"), "gateway"),
    ],
)
async def test_gateway_and_alerts_hear_one_another(tmp_path: Path, said_by: str, subject: str, heard_by: str) -> None:
    async with (
        guarded_bus(tmp_path) as (server, authority),
        as_user(server, authority, said_by) as speaker,
        as_user(server, authority, heard_by) as listener,
    ):
        heard = await listener.subscribe(subject)
        await listener.flush()
        await speaker.publish(subject, b"here")
        assert (await heard.next_msg(timeout=30)).data == b"here"


async def test_a_key_that_is_rotated_at_once_takes_those_before_it_along(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, SYSTEM_USER) as system:
        agent_file(authority, tmp_path / "oldest.creds", "web-1")
        rotate_role(authority, "agent", 3600)
        agent_file(authority, tmp_path / "old.creds", "web-2")
        rotate_role(authority, "agent", 0)
        await push_account(system, authority.saved_account())
        assert not await admitted(server, tmp_path / "oldest.creds")
        assert not await admitted(server, tmp_path / "old.creds")


@pytest.mark.parametrize("name", ["gateway", "system", "*", "a.b", ""])
def test_no_operator_is_called_like_a_service_or_a_wildcard(tmp_path: Path, name: str) -> None:
    authority = ensure_authority(tmp_path / "authority")
    with pytest.raises(AuthorityError, match="operator: "):
        add_operator(authority, name)


async def test_a_restore_that_was_killed_between_its_renames_keeps_what_it_had_merged(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    back_up(authority.directory, tmp_path / "backup.tgz")
    key = make_key("user").public
    authority.save_account(authority.sign_account_after(authority.saved_account(), {key: 1_800_000_000}))
    authority.directory.rename(tmp_path / f"authority{RESTORED}")
    restore(tmp_path / "backup.tgz", tmp_path / "authority")
    assert revocations_in(Authority(tmp_path / "authority").saved_account()) == {key: 1_800_000_000}
