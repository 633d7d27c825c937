"""`sonde user` and `sonde token`, as an administrator of the machine runs them."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

import asyncpg
import pytest

from infra.cli.people import lent
from infra.settings import ServerSettings
from infra.storage.database import connection
from tests.gateway.asking import asking
from tests.gateway.running import gateway
from tests.infra.cli.commands import sonde
from tests.people import PASSWORD, add_session, add_user, bearing, in_browser
from tests.waiting import eventually


class Commands:
    """`sonde` against one database."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self._directory = directory
        self._told = {"SONDE_DATABASE_URL": database_url, "SONDE_NATS_URL": "nats://127.0.0.1:1"}

    def run(self, *arguments: str) -> str:
        """What it prints."""
        ended = sonde(self._directory, *arguments, **self._told)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def refused(self, *arguments: str) -> str:
        """The one line with which it fails."""
        ended = sonde(self._directory, *arguments, **self._told)
        assert (ended.returncode, ended.stdout) == (2, "")
        (line,) = ended.stderr.splitlines()
        return line


@pytest.fixture
def commands(tmp_path: Path, database_url: str) -> Commands:
    return Commands(tmp_path, database_url)


async def audited(database_url: str) -> list[asyncpg.Record]:
    async with connection(database_url, "tests") as database:
        return list(await database.fetch("SELECT * FROM audit ORDER BY id"))


async def test_a_user_who_is_added_gets_a_link(commands: Commands, database_url: str) -> None:
    shown = commands.run("user", "add", "ada", "--role", "operator")
    assert re.match(r"http://127\.0\.0\.1:8080/login#link=\S{43}\n", shown)
    assert re.search(r"ada +operator +active +no +local +never", commands.run("user", "list"))
    assert {row["who"] for row in await audited(database_url)} == {f"os user {getpass.getuser()}"}
    entries = [(row["by"], row["action"], row["target"]) for row in await audited(database_url)]
    assert entries == [("command", "sonde user add", "ada"), ("command", "sonde user link", "ada")]


async def test_no_secret_is_in_the_audit_log(commands: Commands, database_url: str) -> None:
    secret = commands.run("user", "add", "ada", "--role", "admin").partition("=")[2].split()[0]
    token = commands.run("token", "add", "grafana", "--user", "ada").strip()
    rows = await audited(database_url)
    assert len(rows) == 3
    assert not any(each in str(dict(row)) for row in rows for each in (secret, token))


@pytest.mark.parametrize("name", ["", "Ada", "a b", "-ada", "a" * 65, "ada\n", "command", "anybody"])
def test_what_is_no_user_name_is_refused_in_one_line(name: str, commands: Commands) -> None:
    assert "is no user name; give 1 to 64 characters" in commands.refused("user", "add", "--", name)


def test_nobody_is_added_twice(commands: Commands) -> None:
    commands.run("user", "add", "ada")
    assert "sonde user role ada admin" in commands.refused("user", "add", "ada", "--role", "admin")


def test_whom_nobody_knows_is_told(commands: Commands) -> None:
    assert "sonde user list" in commands.refused("user", "link", "bob")


async def test_the_last_administrator_stays(commands: Commands, database_url: str) -> None:
    await add_user(database_url)
    assert "last administrator" in commands.refused("user", "role", "ada", "viewer")
    assert "last administrator" in commands.refused("user", "disable", "ada")


async def test_a_reset_ends_everything_at_once(commands: Commands, database_url: str, bus_url: str) -> None:
    session = await add_session(database_url)
    async with gateway(database_url, bus_url, token="") as client:
        assert (await in_browser(client, session).get("/hosts")).status_code == 200
        commands.run("user", "reset", "ada")

        async def over() -> bool:
            return (await client.get("/hosts")).status_code == 401

        await eventually(over, 5)
        client.cookies.clear()
        assert (await client.post("/session", json={"name": "ada", "password": PASSWORD})).status_code == 401


async def test_a_token_may_what_it_was_given(commands: Commands, database_url: str, bus_url: str) -> None:
    await add_user(database_url)
    token = commands.run("token", "add", "grafana", "--user", "ada").strip()
    async with gateway(database_url, bus_url, token=token) as client:
        assert (await client.get("/hosts")).status_code == 200
        assert (await client.get("/users")).status_code == 403
        number = re.search(r"(\d+) +ada +viewer .* grafana", commands.run("token", "list"))
        assert number
        assert "revoked" in commands.run("token", "revoke", number[1])

        async def over() -> bool:
            return (await client.get("/hosts")).status_code == 401

        await eventually(over, 5)


async def test_a_token_is_restricted_to_scopes(commands: Commands, database_url: str) -> None:
    await add_user(database_url)
    token = commands.run("token", "add", "charts", "--user", "ada", "--scope", "hosts", "--scope", "history").strip()
    assert re.search(r" ada +viewer +history,hosts .* charts", commands.run("token", "list"))
    async with asking(database_url, token=token) as client:
        assert [(await client.get(path)).status_code for path in ("/hosts", "/alerts")] == [200, 403]


def test_an_unknown_scope_is_refused_in_one_line_with_the_known_ones(commands: Commands) -> None:
    line = commands.refused("token", "add", "charts", "--user", "ada", "--scope", "everything")
    assert '--scope must be one of "hosts", "history"' in line


async def test_a_lent_token_is_good_for_as_long_as_it_is_needed(database_url: str, bus_url: str) -> None:
    settings = ServerSettings(database_url=database_url)
    async with gateway(database_url, bus_url, token="") as client:
        async with lent(settings) as header:
            assert (await client.get("/hosts", headers=header)).status_code == 200
            assert (await client.get("/users", headers=header)).status_code == 403
            secret = header["Authorization"].removeprefix("Bearer ")

        async def over() -> bool:
            return (await bearing(client, secret).get("/hosts")).status_code == 401

        await eventually(over, 5)


async def test_the_audit_log_says_who_it_was_at_the_machine(commands: Commands, database_url: str) -> None:
    await add_user(database_url)
    commands.run("user", "add", "bob")
    commands.run("user", "role", "bob", "admin")
    async with gateway(database_url, "nats://127.0.0.1:1") as client:
        entries = (await client.get("/audit", params={"target": "bob", "limit": 1})).json()["entries"]
    assert (entries[0]["by"], entries[0]["before"]["role"], entries[0]["after"]["role"]) == (
        "command",
        "viewer",
        "admin",
    )
