"""The dashboard's files."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from services.gateway.http.dashboard import FOREVER, dashboard_routes, find_file
from services.gateway.http.problems import ProblemError, on_http_error, on_problem

SCRIPT = b"console.log('sonde');" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves."""
    directory = tmp_path / "static"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html>the page")
    (directory / "assets" / "main-a1b2.js").write_bytes(SCRIPT)
    (directory / "assets" / "main-a1b2.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "secret.txt").write_text("secret")
    return directory


@asynccontextmanager
async def served(directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=dashboard_routes(directory),
        exception_handlers={ProblemError: on_problem, HTTPException: on_http_error},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/host/web-1", "/alerts", "/settings", "/assets"])
async def test_every_path_of_the_dashboard_is_its_page_and_never_stale(built: Path, path: str) -> None:
    async with served(built) as client:
        answer = await client.get(path)
    assert answer.text == "<!doctype html>the page"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("accepted", ["gzip, deflate, br", "identity"])
async def test_hashed_files_are_kept_for_ever_and_sent_small_where_possible(built: Path, accepted: str) -> None:
    async with served(built) as client:
        answer = await client.get("/assets/main-a1b2.js", headers={"Accept-Encoding": accepted})
    assert answer.content == SCRIPT
    assert answer.headers["cache-control"] == FOREVER
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers.get("content-encoding") == ("gzip" if "gzip" in accepted else None)


@pytest.mark.parametrize("path", ["/assets/gone.js", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt", "/%00.js"])
async def test_nothing_outside_is_served(built: Path, path: str) -> None:
    async with served(built) as client:
        assert (await client.get(path)).status_code == 404


def test_a_link_that_leads_outside_is_not_followed(built: Path) -> None:
    (built / "link.txt").symlink_to(built.parent / "secret.txt")
    assert find_file(built, "link.txt") is None


async def test_paths_of_the_api_are_never_the_page(built: Path) -> None:
    async with served(built) as client:
        for path in ("/api", "/api/", "/api/v2/hosts"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    async with served(tmp_path / "static") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
