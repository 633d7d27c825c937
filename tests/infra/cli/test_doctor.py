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


async def finds(settings: ServerSettings, line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What doctor prints, once `line` is in it."""
    shown = ""

    async def found() -> bool:
        nonlocal shown
        await doctor(settings)
        shown = capsys.readouterr().out
        return line in shown

    await eventually(found)
    return shown


@pytest.mark.parametrize(
    "host", ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6"))]
)
async def test_a_gateway_with_our_own_certificate_is_trusted_by_its_authority(
    host: str, tmp_path: Path, database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _ = own(tmp_path, nats_url=bus_url, database_url=database_url, http_host=host, port=0)
    async with serving(made) as settings:
        shown = await finds(settings, "ok      gateway is ready", capsys)
    assert f"gateway https://{f'[{host}]' if ':' in host else host}:{settings.port}" in shown


async def test_a_gateway_with_given_files_is_trusted_by_them_under_any_name(
    tmp_path: Path, database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = given(tmp_path)
    told: dict[str, Any] = {"tls": "files", "tls_certificate": files.certificate, "tls_key": files.key}
    made = ServerSettings(nats_url=bus_url, database_url=database_url, port=0, **told)
    async with serving(made) as settings:
        await finds(settings, "ok      gateway is ready", capsys)


async def test_a_gateway_that_never_made_its_certificates_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ServerSettings(data=str(tmp_path), tls="own", nats_url="nats://127.0.0.1:1", port=1)
    assert await doctor(settings) == 1
    assert "BROKEN  gateway is ready: certificate of the gateway not readable: " in capsys.readouterr().out


async def test_an_impostor_at_the_gateways_port_is_told(
    tmp_path: Path, database_url: str, bus_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _ = own(tmp_path / "one", nats_url=bus_url, database_url=database_url, port=0)
    other, _ = own(tmp_path / "other", nats_url=bus_url, database_url=database_url)
    async with serving(made) as settings:
        asking = ServerSettings(
            nats_url=bus_url, database_url=database_url, tls="own", data=other.data, port=settings.port
        )
        shown = await finds(asking, "certificate not trusted: unable to get local issuer", capsys)
    assert "BROKEN  gateway is ready" in shown


async def test_the_password_of_the_bus_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    await doctor(
        ServerSettings(
            nats_url="nats://me:secret@127.0.0.1:1", port=1, database_url="postgresql://x:secret@127.0.0.1:1/x"
        )
    )
    assert "secret" not in capsys.readouterr().out
