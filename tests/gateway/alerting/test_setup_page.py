"""docs/set-up-alerts.md: each of its examples works, in the order in which they stand."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import httpx

from infra.cli.configuration import resolved
from tests.gateway.asking import asking
from tests.gateway.configuration.test_configuration import changed

PAGE = (Path(__file__).parents[3] / "docs" / "set-up-alerts.md").read_text(encoding="utf-8")
BASE = "localhost:8080/api/v1"
TAKE_THE_ALERTS_SERVICE = {"/channels/phone/test": "/problems/bus-away", "/rehearsals": "/problems/alerts-away"}
"""What is asked over the bus, which is not there; everything before that is judged."""


def examples() -> list[tuple[str, str, str | None, dict[str, str]]]:
    """Method, path, body and headers of each `curl` of the page."""
    found = []
    for block in re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE):
        for line in re.split(r"^    (?=curl )", block, flags=re.MULTILINE)[1:]:
            words = shlex.split(line.replace("$JSON", "Content-Type: application/json").replace("$AUTH", "X: x"))
            options = list(pairwise(words))
            body = next((value for option, value in options if option == "-d"), None)
            method = next((value for option, value in options if option == "-X"), "GET" if body is None else "POST")
            headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
            path = next(word for word in words if word.startswith(BASE)).removeprefix(BASE)
            found.append((method, path, body, headers))
    return found


async def send(client: httpx.AsyncClient, method: str, path: str, body: str | None, headers: dict[str, str]) -> None:
    answer = await client.request(method, path, content=body, headers=headers)
    away = TAKE_THE_ALERTS_SERVICE.get(path)
    assert answer.is_success if away is None else answer.json()["type"] == away, f"{method} {path}: {answer.text}"


async def test_every_request_of_the_page_succeeds(database_url: str) -> None:
    found = examples()
    assert len(found) == len(re.findall(r"^    curl ", PAGE, re.MULTILINE)) > 10
    async with asking(database_url) as client:
        for method, path, body, headers in found:
            await send(client, method, path, body, headers)


async def test_the_file_of_the_page_is_imported_and_then_changes_nothing(database_url: str) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    [(name, value)] = re.findall(r"export (\w+)=(\S+)", PAGE)
    document = resolved(text.encode(), {name: value}).decode()
    async with asking(database_url) as client:
        made = await changed(client, document, owner="platform")
        assert sorted(made) == [
            ("channel", "oncall", "created"),
            ("route", "web", "created"),
            ("rule", "web-busy", "created"),
        ]
        assert await changed(client, document, owner="platform") == []
