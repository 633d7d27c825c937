"""`sonde config` as people start it, against a gateway of this machine."""

from __future__ import annotations

import asyncio
import getpass
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.cli.configuration import lines_of
from infra.storage.database import connection
from schemas.configuration import Difference
from tests.gateway.rows import execute
from tests.gateway.running import gateway, ready

RULE = '[rules.busy]\nname = "Busy"\nmetric = "cpu.total"\ncritical = {raise_at = 90, clear_at = 80}\n'


async def sonde(database_url: str, client: httpx.AsyncClient, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sonde config` with these arguments, on that database and gateway."""
    environment = os.environ | {
        "SONDE_DATABASE_URL": database_url,
        "SONDE_NATS_URL": "nats://127.0.0.1:1",
        "SONDE_PORT": str(client.base_url.port),
    }
    command = [sys.executable, "-m", "infra.cli.main", "config", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


async def test_an_import_is_shown_first_then_done_and_then_there_is_nothing_to_do(
    database_url: str, bus_url: str, tmp_path: Path
) -> None:
    await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")
    file = tmp_path / "sonde.toml"
    hosts = '[hosts.web-1]\nlabel = "Shop"\n[hosts.nobody]\nlabel = "x"\n'
    file.write_text(f"version = 1\n[settings]\nraw_days = 3\n{hosts}{RULE}")
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        shown = await sonde(database_url, client, "import", str(file))
        assert shown.returncode == 0, shown.stderr
        untouched = await client.get("/settings/raw_days")
        done = await sonde(database_url, client, "import", str(file), "--apply")
        again = await sonde(database_url, client, "import", str(file), "--apply")
    assert untouched.json()["set"] is False
    assert shown.stdout.splitlines()[:4] == [
        "host nobody: skipped, there is no such host here",
        "host web-1: created",
        '    label: "" -> "Shop"',
        "rule busy: created",
    ]
    assert "setting raw_days: nothing -> 3" in shown.stdout
    assert shown.stdout.endswith("3 changes, 0 as they are; nothing is changed yet: give --apply to do it\n")
    assert done.stdout.endswith("3 changes, 0 as they are; done\n")
    assert again.stdout.endswith("nothing to change, 3 as they are\n")
    async with connection(database_url, "tests") as database:
        audited = await database.fetch("SELECT DISTINCT who, by FROM audit")
    assert [tuple(row) for row in audited] == [(f"os user {getpass.getuser()}", "command")]


async def test_what_is_exported_changes_nothing_when_it_is_imported(
    database_url: str, bus_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "sonde.toml"
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        written = await sonde(database_url, client, "export", str(file))
        printed = await sonde(database_url, client, "export")
        back = await sonde(database_url, client, "import", str(file), "--prune")
    assert (written.returncode, written.stdout) == (0, f"wrote {file}\n")
    assert printed.stdout == file.read_text()
    assert back.stdout.startswith("nothing to change, ")


async def test_a_secret_comes_from_an_environment_variable_of_the_command(
    database_url: str, bus_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sonde.toml"
    target = '{kind = "slack", url = {env = "TEST_OPS_URL"}}'
    file.write_text(f'version = 1\n[channels.ops]\nname = "Operators"\ntarget = {target}\n')
    async with gateway(database_url, bus_url) as client, connection(database_url, "test") as database:
        await ready(client)
        unset = await sonde(database_url, client, "import", str(file), "--apply")
        monkeypatch.setenv("TEST_OPS_URL", "https://hooks.example/verysecret")
        done = await sonde(database_url, client, "import", str(file), "--owner", "platform", "--apply")
        again = await sonde(database_url, client, "import", str(file), "--owner", "platform", "--apply")
        stored = await database.fetchval("SELECT body -> 'target' ->> 'url' FROM channels")
    assert "channels.ops.target.url: environment variable TEST_OPS_URL is not set" in unset.stderr
    assert done.returncode == 0, done.stderr
    assert stored == "https://hooks.example/verysecret"
    assert "verysecret" not in done.stdout
    assert '    secrets.url: nothing -> "set"' in done.stdout
    assert again.stdout.endswith("nothing to change, 1 as they are\n")


async def test_what_people_made_is_taken_over_only_when_that_is_said(
    database_url: str, bus_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "sonde.toml"
    file.write_text(f"version = 1\n{RULE}")
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await sonde(database_url, client, "import", str(file), "--apply")
        left = await sonde(database_url, client, "import", str(file), "--owner", "platform", "--apply")
        taken = await sonde(database_url, client, "import", str(file), "--owner", "platform", "--adopt", "--apply")
    assert "rule busy: skipped, it belongs to people" in left.stdout
    assert '    owner: "" -> "platform"' in taken.stdout


async def test_the_token_that_a_command_was_lent_ends_with_it(database_url: str, bus_url: str, tmp_path: Path) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        assert (await sonde(database_url, client, "export")).returncode == 0
    async with connection(database_url, "test") as database:
        assert await database.fetchval("SELECT count(*) FROM api_tokens WHERE user_id IS NULL") == 0


async def test_a_document_that_is_wrong_is_told_in_a_line(database_url: str, bus_url: str, tmp_path: Path) -> None:
    file = tmp_path / "sonde.toml"
    file.write_text("version = 1\nsettings.raw_days = 0\n")
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        told = await sonde(database_url, client, "import", str(file))
    assert told.returncode == 2
    assert told.stderr == "sonde: config: settings.raw_days: must be a whole number from 1 to 3650\n"


def test_fields_that_differ_are_told_one_by_one() -> None:
    before = {"for_s": 60.0, "critical": {"raise_at": 90.0, "clear_at": 80.0}}
    after = {"for_s": 60.0, "critical": {"raise_at": 95.0, "clear_at": 80.0}, "enabled": False}
    assert list(lines_of(Difference("rule", "busy", "changed", before, after))) == [
        "rule busy: changed",
        "    critical.raise_at: 90.0 -> 95.0",
        "    enabled: nothing -> false",
    ]
