"""TLS with a real nats-server: who is trusted, what a renewal changes, and handshakes that fail."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from nats.aio.client import Client

from infra.authority.authority import RESOLVER, ensure_authority, hand_accounts, server_access
from infra.bus import connection as bus
from infra.bus.connection import connect
from infra.bus.patience import Access, access_of
from infra.certificates.keep import keep_current
from infra.certificates.listening import Tls, certificates_directory, stamps
from infra.certificates.own import ensure_certificates
from infra.cli import reach
from infra.servers.embedded import Server, bus_tls, nats_server
from infra.servers.process import log_text
from infra.settings import ServerSettings
from tests.authority import agent_file
from tests.certificates import given, own
from tests.waiting import eventually


@asynccontextmanager
async def serving(directory: Path, tls: Tls) -> AsyncIterator[Server]:
    async with nats_server(directory / "nats", tls=bus_tls(tls.certificate, tls.key)) as server:
        yield server


async def reload(server: Server, directory: Path, says: str = "Reloaded server configuration") -> None:
    """SIGHUP; returns when the server's log `says` what came of it."""

    def count() -> int:
        return log_text(directory / "nats" / "nats.log").count(says)

    before = count()
    server.process.send_signal(signal.SIGHUP)
    await eventually(lambda: count() > before)


def session(client: Client) -> ssl.SSLObject:
    """What encrypts the connection."""
    found: ssl.SSLObject = client._transport._io_writer.transport.get_extra_info("ssl_object")  # type: ignore[union-attr]
    return found


def shown(client: Client) -> int:
    """Serial number of the certificate that the server showed."""
    data = session(client).getpeercert(binary_form=True)
    assert data is not None
    return x509.load_der_x509_certificate(data).serial_number


def replace(files: Tls, by: Tls) -> None:
    Path(files.key).write_bytes(Path(by.key).read_bytes())
    Path(files.certificate).write_bytes(Path(by.certificate).read_bytes())


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of servers that are not trusted."""
    return [record.__dict__["error"] for record in caplog.records if record.message == "bus not trusted, will retry"]


async def test_the_connection_is_tls_1_3_and_carries_messages(tmp_path: Path) -> None:
    _, tls = own(tmp_path)
    async with serving(tmp_path, tls) as server, bus.connection(server.url, "test", Access(ca=tls.ca)) as client:
        assert server.url.startswith("tls://127.0.0.1:")
        assert session(client).version() == "TLSv1.3"
        subscription = await client.subscribe("greeting")
        await client.publish("greeting", b"hello")
        assert (await subscription.next_msg(timeout=40)).data == b"hello"


async def test_a_client_without_tls_learns_nothing(tmp_path: Path) -> None:
    _, tls = own(tmp_path)
    async with serving(tmp_path, tls) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        assert b"INFO" not in await reader.read()
        writer.close()


async def test_tls_1_2_is_refused(tmp_path: Path) -> None:
    _, tls = own(tmp_path)
    context = ssl.create_default_context(cafile=tls.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(tmp_path, tls) as server:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            await asyncio.open_connection("127.0.0.1", server.port, ssl=context)


async def test_a_renewal_cuts_no_connection_and_is_seen_by_the_next_one(tmp_path: Path) -> None:
    settings, tls = own(tmp_path)
    trusted = Access(ca=tls.ca)
    async with serving(tmp_path, tls) as server, bus.connection(server.url, "old", trusted) as old:
        before = shown(old)
        ensure_certificates(certificates_directory(settings), ["127.0.0.1", "new.example"], datetime.now(UTC))
        await reload(server, tmp_path)
        await old.flush()
        assert shown(old) == before
        assert old.stats["reconnects"] == 0
        async with bus.connection(server.url, "new", trusted) as new:
            assert shown(new) != before
        await old.force_reconnect()
        await eventually(lambda: old.is_connected and shown(old) != before)


async def test_a_running_bus_renews_its_own_certificate_by_itself(tmp_path: Path) -> None:
    settings, tls = own(tmp_path, age=timedelta(days=61))
    seen = stamps(tls)
    async with serving(tmp_path, tls) as server, bus.connection(server.url, "test", Access(ca=tls.ca)) as client:
        before = shown(client)
        keeping = asyncio.create_task(keep_current(settings, seen, lambda: server.process.send_signal(signal.SIGHUP)))

        async def renewed() -> bool:
            async with bus.connection(server.url, "next", Access(ca=tls.ca)) as following:
                return shown(following) != before

        await eventually(renewed)
        assert client.stats["reconnects"] == 0
        keeping.cancel()
        await asyncio.wait({keeping})


async def test_files_that_do_not_belong_together_leave_the_server_as_it_was(tmp_path: Path) -> None:
    tls, other = given(tmp_path, "tls"), given(tmp_path, "other")
    async with serving(tmp_path, tls) as server:
        Path(tls.key).write_bytes(Path(other.key).read_bytes())
        await reload(server, tmp_path, says="Failed to reload server configuration")
        async with bus.connection(server.url, "test", Access(ca=tls.ca)):
            pass


async def test_a_server_of_another_authority_is_refused_with_an_error_that_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls, other = given(tmp_path, "tls"), given(tmp_path, "other")
    async with serving(tmp_path, tls) as server:
        trying = asyncio.create_task(connect(server.url, "test", access=Access(ca=other.ca)))
        await eventually(lambda: errors(caplog))
        trying.cancel()
        await asyncio.wait({trying})
    assert errors(caplog)[0].startswith("certificate of 127.0.0.1 not trusted: unable to get local issuer certificate")
    assert next(record for record in caplog.records if record.__dict__.get("error")).levelno == logging.ERROR


async def test_a_client_that_was_refused_connects_once_the_certificate_is_right(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls, right = given(tmp_path, "tls"), given(tmp_path, "right")
    async with serving(tmp_path, tls) as server:
        trying = asyncio.create_task(connect(server.url, "test", access=Access(ca=right.ca)))
        await eventually(lambda: errors(caplog))
        replace(tls, right)
        await reload(server, tmp_path)
        client = await asyncio.wait_for(trying, 60)
        await client.close()


async def test_a_connected_client_outlasts_a_server_that_was_wrong_for_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls, wrong, right = given(tmp_path, "tls"), given(tmp_path, "wrong"), given(tmp_path, "right")
    replace(tls, right)
    async with serving(tmp_path, tls) as server, bus.connection(server.url, "test", Access(ca=right.ca)) as client:
        replace(tls, wrong)
        await server.restart()
        await eventually(lambda: errors(caplog))
        replace(tls, right)
        await server.restart()
        await eventually(lambda: client.is_connected)
        await client.flush()


async def test_the_name_in_the_address_must_be_in_the_certificate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = given(tmp_path)
    async with nats_server(tmp_path / "nats", host="127.0.0.2", tls=bus_tls(tls.certificate, tls.key)) as server:
        trying = asyncio.create_task(connect(server.url, "test", access=Access(ca=tls.ca)))
        await eventually(lambda: errors(caplog))
        trying.cancel()
        await asyncio.wait({trying})
    assert "IP address mismatch, certificate is not valid for '127.0.0.2'" in errors(caplog)[0]


async def test_closing_does_not_wait_for_the_farewell_of_a_server_that_hangs(tmp_path: Path) -> None:
    _, tls = own(tmp_path)
    async with serving(tmp_path, tls) as server:
        client = await connect(server.url, "test", access=Access(ca=tls.ca))
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(15):  # the standard library would wait for 30 s
                await client.close()
        finally:
            os.kill(server.process.pid, signal.SIGCONT)


async def test_commands_say_in_one_line_whom_they_do_not_trust(tmp_path: Path) -> None:
    tls, other = given(tmp_path, "tls"), given(tmp_path, "other")
    async with serving(tmp_path, tls) as server:
        with pytest.raises(reach.Unreachable, match="not trusted: unable to get local issuer") as refused:
            async with reach.bus(ServerSettings(nats_url=server.url, nats_ca=other.ca), "test"):
                pass
        assert "SONDE_NATS_CA" in str(refused.value)
        with pytest.raises(reach.Unreachable, match=r"certificates file /none.pem: no such file or directory"):
            async with reach.bus(ServerSettings(nats_url=server.url, nats_ca="/none.pem"), "test"):
                pass


async def test_tls_with_a_server_that_has_none_is_told(tmp_path: Path, bus_url: str) -> None:
    url = bus_url.replace("nats://", "tls://")
    with pytest.raises(reach.Unreachable, match=r"no TLS 1.3 with 127.0.0.1: wrong version number"):
        async with reach.bus(ServerSettings(nats_url=url), "test"):
            pass


async def test_agents_with_an_identity_keep_their_connection_when_the_certificate_is_renewed(tmp_path: Path) -> None:
    settings, tls = own(tmp_path)
    authority, nats = ensure_authority(tmp_path / "authority"), tmp_path / "nats"
    agent_file(authority, tmp_path / "web-1.creds", "web-1")
    async with nats_server(
        nats,
        access=server_access(authority, nats / RESOLVER),
        tls=bus_tls(tls.certificate, tls.key),
        before=lambda _: hand_accounts(authority, nats / RESOLVER),
    ) as server:
        access = access_of(str(tmp_path / "web-1.creds"), tls.ca)
        async with bus.connection(server.url, "web-1", access) as agent:
            ensure_certificates(certificates_directory(settings), ["127.0.0.1", "new.example"], datetime.now(UTC))
            await reload(server, tmp_path)
            await agent.publish("metrics.web-1", b"")
            await agent.flush()
            assert agent.stats["reconnects"] == 0
        with pytest.raises(reach.Unreachable, match="refuses"):
            async with reach.bus(ServerSettings(nats_url=server.url, nats_ca=tls.ca), "nobody"):
                pass
