"""The gateway over TLS: served, verified, renewed while streams are open, and refused where it would be needed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from infra.bus import connection as bus
from infra.certificates.listening import Tls, certificates_directory
from infra.certificates.names import interface_addresses
from infra.certificates.own import fingerprint, pin
from infra.settings import ServerSettings, SettingError
from services.gateway import service
from tests.certificates import given, own
from tests.gateway.running import answers, watching
from tests.people import add_token, bearing
from tests.waiting import eventually


@contextlib.asynccontextmanager
async def encrypted(
    database_url: str, bus_url: str, ca: str, host: str = "127.0.0.1", **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway at work on TLS; a client that trusts `ca` alone, on loopback, whose base is /api/v1."""
    stop = asyncio.Event()
    token = await add_token(database_url)
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    made = ServerSettings(nats_url=bus_url, database_url=database_url, http_host=host, port=0, **settings)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(made, stop, on_bound=bound.set_result))
            try:
                base = f"https://127.0.0.1:{await bound}/api/v1"
                trust = ssl.create_default_context(cafile=ca)
                async with httpx.AsyncClient(base_url=base, timeout=60, verify=trust, trust_env=False) as client:
                    bearing(client, token)
                    await eventually(lambda: answers(client))
                    yield client
            finally:
                stop.set()
    except BaseExceptionGroup as faults:
        raise bus.first_fault(faults) from None


def shown(client: httpx.AsyncClient) -> int:
    """Serial number of the certificate that a new connection is shown."""
    port = client.base_url.port or 0
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", port)).encode()).serial_number


async def test_the_whole_gateway_answers_over_tls_also_live(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    async with encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client:
        assert (await client.get("/hosts")).status_code == 200
        async with watching(client) as stream:
            await stream.until("snapshot")


async def test_an_address_for_everybody_is_served_with_tls(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    everywhere = "0.0.0.0"  # noqa: S104
    async with encrypted(database_url, bus_url, tls.ca, everywhere, tls="own", data=settings.data) as client:
        assert (await client.get("/health/live")).status_code == 200


@pytest.mark.skipif(not interface_addresses(), reason="this machine has loopback only")
async def test_at_its_own_address_a_machine_is_answered_everything(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    settings, tls = own(tmp_path)
    everywhere = "0.0.0.0"  # noqa: S104
    async with encrypted(database_url, bus_url, tls.ca, everywhere, tls="own", data=settings.data) as client:
        address = next(address for address in interface_addresses() if ":" not in address)
        assert (await client.get(client.base_url.copy_with(host=address, path="/api/v1/hosts"))).status_code == 200


async def test_an_address_for_everybody_is_refused_without_tls() -> None:
    with pytest.raises(SettingError, match=r"SONDE_HTTP_HOST: '0\.0\.0\.0': .* SONDE_TLS"):
        await service.run(ServerSettings(http_host="0.0.0.0"), asyncio.Event())  # noqa: S104 -- refused


async def test_a_request_without_tls_fails(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    async with encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client:
        with pytest.raises(httpx.TransportError):
            await client.get(client.base_url.copy_with(scheme="http"))


async def test_tls_1_1_is_refused(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    async with encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client:
        options = ("-sk", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")
        url = f"{client.base_url}health/live"
        process = await asyncio.create_subprocess_exec("curl", *options, url, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
    assert process.returncode == 35, "no handshake"
    assert not output


async def test_curl_takes_the_pin_instead_of_the_authority(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    told = pin(certificates_directory(settings))

    async def curl(key: str, url: str) -> int | None:
        command = ["curl", "-fsSk", "-o", "/dev/null", "--pinnedpubkey", f"sha256//{key}", url]
        return await (await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)).wait()

    async with encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client:
        url = f"{client.base_url}health/live"
        assert await curl(told, url) == 0
        assert await curl("A" * 43 + "=", url) == 90


async def test_anybody_may_have_the_authoritys_certificate(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    async with encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client:
        answer = await client.get(client.base_url.join("/ca.pem"))
    assert answer.text == Path(tls.ca).read_text()
    digest = x509.load_pem_x509_certificate(answer.content).fingerprint(hashes.SHA256()).hex()
    assert fingerprint(certificates_directory(settings)) == digest


async def test_given_files_are_served_and_no_authority(tmp_path: Path, database_url: str, bus_url: str) -> None:
    files = given(tmp_path)
    told: dict[str, Any] = {"tls": "files", "tls_certificate": files.certificate, "tls_key": files.key}
    async with encrypted(database_url, bus_url, files.ca, **told) as client:
        answer = await client.get(client.base_url.join("/ca.pem"))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_certificate_that_is_renewed_is_shown_without_a_restart_and_cuts_no_stream(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    files, fresh = given(tmp_path), given(tmp_path, "fresh")
    told: dict[str, Any] = {"tls": "files", "tls_certificate": files.certificate, "tls_key": files.key}
    async with encrypted(database_url, bus_url, files.ca, **told) as client, watching(client) as stream:
        await stream.until("snapshot")
        before = await asyncio.to_thread(shown, client)
        replace(files, fresh)

        async def renewed() -> bool:
            return await asyncio.to_thread(shown, client) != before

        await eventually(renewed, every_s=0.5)
        await stream.next()  # a heartbeat, on the connection of before


async def test_our_own_certificate_is_renewed_at_the_start_when_it_is_due(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    settings, tls = own(tmp_path, age=timedelta(days=61))
    before = x509.load_pem_x509_certificate(Path(tls.certificate).read_bytes()).serial_number
    async with encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client:
        assert await asyncio.to_thread(shown, client) != before


def replace(files: Tls, by: Tls) -> None:
    Path(files.key).write_bytes(Path(by.key).read_bytes())
    Path(files.certificate).write_bytes(Path(by.certificate).read_bytes())


async def test_the_stop_ends_open_streams_over_tls_in_order(tmp_path: Path, database_url: str, bus_url: str) -> None:
    settings, tls = own(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        async with (
            asyncio.timeout(None) as farewell,
            encrypted(database_url, bus_url, tls.ca, tls="own", data=settings.data) as client,
        ):
            watcher = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=client.base_url, headers=client.headers, verify=ssl.create_default_context(cafile=tls.ca)
                )
            )
            stream = await stack.enter_async_context(watching(watcher))
            await stream.until("snapshot")
            # One that shook no hands, and one that says nothing after it.
            silent = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", client.base_url.port or 0))
            stack.callback(silent.close)
            # Waited for, a farewell of TLS would take 30 s.
            farewell.reschedule(asyncio.get_running_loop().time() + 20)
        assert await stream.in_good_order()
