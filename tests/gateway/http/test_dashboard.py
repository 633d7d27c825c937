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

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
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


@pytest.mark.parametrize("path", ["/", "/hosts/web-1", "/alerts", "/settings", "/assets", "/hosts/No", "/unknown/"])
async def test_every_page_that_a_browser_navigates_to_is_the_dashboard_and_never_stale(built: Path, path: str) -> None:
    async with served(built) as client:
        answer = await client.get(path, headers=BROWSER)
    assert answer.text == "<!doctype html>the page"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "text/htmlx", ""])
@pytest.mark.parametrize("path", ["/health", "/healthz", "/hosts/web-1", "/settings"])
async def test_a_program_gets_a_problem_instead_of_a_page(built: Path, path: str, accept: str) -> None:
    async with served(built) as client:
        answer = await client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == f"no resource at {path}; the REST API is under /api/v1/"


async def test_the_root_is_the_dashboard_whoever_asks(built: Path) -> None:
    async with served(built) as client:
        answer = await client.get("/", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.headers["vary"]) == (200, "Accept-Encoding")


@pytest.mark.parametrize(("accept", "vary"), [("text/html", "Accept, Accept-Encoding"), ("*/*", "Accept")])
async def test_caches_are_told_that_a_page_depends_on_who_asks(built: Path, accept: str, vary: str) -> None:
    async with served(built) as client:
        assert (await client.get("/alerts", headers={"Accept": accept})).headers["vary"] == vary


async def test_head_answers_as_get_does(built: Path) -> None:
    async with served(built) as client:
        for path, status in (("/alerts", 200), ("/assets/gone.js", 404), ("/host/web-1", 308)):
            assert (await client.head(path, headers=BROWSER)).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_what_is_not_there_is_not_found_with_any_method(built: Path, method: str) -> None:
    async with served(built) as client:
        answer = await client.request(method, "/alerts", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/assets/main-a1b2.js"])
async def test_a_file_names_the_methods_that_it_has(built: Path, path: str) -> None:
    async with served(built) as client:
        answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/host/web-1", "/hosts/web-1"),
        ("/host/web-1/", "/hosts/web-1"),
        ("/host/web-1?from=1&to=2%200", "/hosts/web-1?from=1&to=2%200"),
    ],
)
async def test_older_links_to_a_host_lead_to_its_page(built: Path, old: str, new: str) -> None:
    async with served(built) as client:
        answer = await client.get(old)
    assert (answer.status_code, answer.headers["location"]) == (308, new)


@pytest.mark.parametrize("path", ["/host/No", "/host/", "/host//evil.example", "/host/web-1/x", "/host/" + "a" * 41])
async def test_only_a_host_id_is_redirected(built: Path, path: str) -> None:
    async with served(built) as client:
        assert (await client.get(path)).status_code == 404


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
        for path in ("/api/", "/api/v2/hosts"):
            answer = await client.get(path, headers=BROWSER)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_the_page_to_try_the_api_is_for_browsers_a_page_of_its_own(built: Path) -> None:
    (built / "api.html").write_text("<!doctype html>the API")
    async with served(built) as client:
        page, program = await client.get("/api", headers=BROWSER), await client.get("/api")
    assert (page.status_code, page.text) == (200, "<!doctype html>the API")
    assert program.status_code == 404


async def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    async with served(tmp_path / "static") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
