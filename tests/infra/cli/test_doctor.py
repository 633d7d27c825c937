"""`sonde doctor` and a gateway with TLS, or at an IPv6 address."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from infra.cli.doctor import doctor
from infra.cli.links import Broken, links
from infra.settings import ServerSettings
from services.gateway import service
from tests.certificates import given, own
from tests.waiting import eventually


@contextlib.asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[ServerSettings]:
    """A gateway at work; its settings with the port."""
    stop = asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run(settings, stop, on_bound=bound.set_result))
        made = ServerSettings(
            **{name: getattr(settings, name) for name in settings.__struct_fields__} | {"port": await bound}
        )
        yield made
        stop.set()


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def found(settings: ServerSettings) -> str:
    """What doctor finds of the gateway. Raises Broken."""
    return await next(link for link in links(settings) if link.key == "gateway").check()


async def is_ready(settings: ServerSettings) -> bool:
    try:
        return await found(settings) == "it runs"
    except Broken as broken:
        raise AssertionError(str(broken)) from None  # not yet


@pytest.mark.parametrize(
    "host", ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6"))]
)
async def test_a_gateway_with_our_own_certificate_is_trusted_by_its_authority(
    host: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    made, _ = own(tmp_path, nats_url=bus_url, database_url=database_url, http_host=host, port=0)
    async with serving(made) as settings:
        await eventually(lambda: is_ready(settings))


async def test_a_gateway_with_given_files_is_trusted_by_them_under_any_name(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    files = given(tmp_path)
    told: dict[str, Any] = {"tls": "files", "tls_certificate": files.certificate, "tls_key": files.key}
    async with serving(ServerSettings(nats_url=bus_url, database_url=database_url, port=0, **told)) as settings:
        await eventually(lambda: is_ready(settings))


async def test_an_impostor_at_the_gateways_port_is_told(tmp_path: Path, database_url: str, bus_url: str) -> None:
    made, _ = own(tmp_path / "one", nats_url=bus_url, database_url=database_url, port=0)
    other, _ = own(tmp_path / "other")
    async with serving(made) as settings:
        await eventually(lambda: is_ready(settings))
        with pytest.raises(Broken, match="certificate not trusted: unable to get local issuer certificate"):
            await found(ServerSettings(tls="own", data=other.data, port=settings.port))


async def test_a_gateway_that_never_made_its_certificates_is_told(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"certificate of the gateway not readable: .*; start `sonde gateway`"):
        await found(ServerSettings(data=str(tmp_path), tls="own", port=1))


async def test_addresses_are_shown_with_brackets_and_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    away = {"nats_url": "nats://me:secret@127.0.0.1:1", "database_url": "postgresql://x:secret@127.0.0.1:1/x"}
    await doctor(ServerSettings(http_host="::1", port=1, **away))  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert "gateway http://[::1]:1" in shown
    assert "secret" not in shown
