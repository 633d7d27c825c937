"""Certificates that change while listeners serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from infra.certificates.keep import keep_current
from infra.certificates.listening import Stamps, certificates_directory, stamps, tls_of
from infra.certificates.own import pin
from infra.settings import ServerSettings
from tests.certificates import given, own
from tests.waiting import eventually


@asynccontextmanager
async def keeping(
    settings: ServerSettings, load: Callable[[], None], seen: Stamps | None = None
) -> AsyncIterator[None]:
    known = stamps(tls_of(settings)) if seen is None else seen
    task = asyncio.create_task(keep_current(settings, known, load, every_s=0.02))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def texts(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    return [str(record.__dict__.get("error", "")) for record in caplog.records if record.message == event]


async def test_our_own_certificate_is_renewed_when_it_is_due_and_loaded(tmp_path: Path) -> None:
    settings, tls = own(tmp_path, age=timedelta(days=61))
    before, pinned = Path(tls.certificate).read_bytes(), pin(certificates_directory(settings))
    loaded: list[bytes] = []
    async with keeping(settings, lambda: loaded.append(Path(tls.certificate).read_bytes())):
        await eventually(lambda: loaded)
    assert loaded == [Path(tls.certificate).read_bytes()]
    assert loaded != [before]
    assert pin(certificates_directory(settings)) == pinned


async def test_a_damaged_certificate_is_made_anew_and_loaded(tmp_path: Path) -> None:
    settings, tls = own(tmp_path)
    loaded: list[str] = []
    async with keeping(settings, lambda: loaded.append(Path(tls.certificate).read_text())):
        Path(tls.certificate).write_text("damaged")
        await eventually(lambda: loaded)
    assert loaded[0].startswith("-----BEGIN CERTIFICATE-----")


async def test_files_that_do_not_belong_together_yet_are_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, fresh = given(tmp_path), given(tmp_path, "fresh")
    settings = ServerSettings(tls="files", tls_certificate=files.certificate, tls_key=files.key)
    loaded: list[int] = []
    async with keeping(settings, lambda: loaded.append(1)):
        Path(fresh.certificate).replace(files.certificate)
        await eventually(lambda: texts(caplog, "certificate not usable, previous one kept"))
        assert not loaded
        Path(fresh.key).replace(files.key)
        await eventually(lambda: loaded)
    (error,) = texts(caplog, "certificate not usable, previous one kept")
    assert "not the key of the first certificate" in error


async def test_a_load_that_fails_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings, _ = own(tmp_path)
    tries: list[int] = []

    def load() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("not now")

    async with keeping(settings, load, seen=()):
        await eventually(lambda: len(tries) == 3)
    assert texts(caplog, "certificate not usable, previous one kept") == ["not now"]


async def test_a_certificate_that_expires_soon_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = given(tmp_path, age=timedelta(days=80))
    settings = ServerSettings(tls="files", tls_certificate=files.certificate, tls_key=files.key)
    loads: list[int] = []
    with caplog.at_level(logging.WARNING):
        async with keeping(settings, lambda: loads.append(1)):
            for _ in range(2):
                Path(files.key).write_bytes(Path(files.key).read_bytes())
                number = len(loads)
                await eventually(lambda number=number: len(loads) > number)  # type: ignore[misc]
    (record,) = [record for record in caplog.records if record.message == "certificate expires soon"]
    assert record.__dict__["days"] in (9, 10)


async def test_a_listener_without_tls_has_nothing_to_keep() -> None:
    async with asyncio.timeout(40):
        await keep_current(ServerSettings(), (), lambda: None)
