"""The dashboard: the files of its build in `static/`, and `index.html` for every page that a browser navigates to.

`/api` alone is a page of its own, `api.html`: where people read and try what the API answers.

Which pages exist is known to the dashboard's own router alone, which also says that a page does not exist. Programs
get a 404 instead of that page, so that a health probe or a script with a wrong path fails.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from schemas.subjects import valid_host
from services.gateway.http.problems import ProblemError

STATIC = Path(__file__).parents[1] / "static"
HASHED = "assets/"
"""Files below it have their content's hash in their name."""
FOREVER = "public, max-age=31536000, immutable"
NOT_BUILT = """\
The dashboard has not been built.

In the directory of the source code, this builds it:

    make setup

The REST API works without it; try /api/v1/hosts.
"""
_COMPRESSED = (("br", ".br"), ("gzip", ".gz"))


def dashboard_routes(directory: Path = STATIC) -> list[BaseRoute]:
    """The last route of the application: it takes every path that no other route has, with every method."""
    return [Route("/{path:path}", Dashboard(directory))]


class Dashboard:
    """ASGI application on the files of `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(Request(scope), self.directory)(scope, receive, send)


def respond(request: Request, directory: Path) -> Response:
    """The answer to any request outside the API. Raises ProblemError: 404, or 405 where only the method is wrong."""
    path = request.path_params["path"]
    reads = request.method in ("GET", "HEAD")
    if path.startswith("api/"):
        raise nothing(request)
    renamed = renamed_page(path)
    if renamed and reads:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(renamed + query, 308, {"Cache-Control": "no-cache"})
    page = "." not in path.rpartition("/")[2]
    if page and path and not (reads and is_navigation(request.headers.get("accept", ""))):
        raise nothing(request, {"Vary": "Accept"})
    file = find_file(directory, ("api.html" if path == "api" else "index.html") if page else path)
    if file is None and not page:
        raise nothing(request)
    if not reads:
        raise ProblemError(
            405,
            f"{request.url.path[:200]} does not allow {request.method[:20]}, only GET, HEAD",
            headers={"Allow": "GET, HEAD"},
        )
    if file is None:
        return PlainTextResponse(NOT_BUILT, 503, {"Cache-Control": "no-store"})
    cache = FOREVER if path.startswith(HASHED) and not page else "no-cache"
    vary = "Accept, Accept-Encoding" if page and path else "Accept-Encoding"
    return _send(file, request.headers.get("accept-encoding", ""), {"Cache-Control": cache, "Vary": vary})


def is_navigation(accept: str) -> bool:
    """Whether an Accept header is one of a browser that opens a page: only then does it name text/html."""
    return any(part.partition(";")[0].strip().lower() == "text/html" for part in accept.split(","))


def renamed_page(path: str) -> str | None:
    """Where a page is now that once was at `path`: `host/web-1`, as in older messages, is `/hosts/web-1`."""
    directory, _, host = path.removesuffix("/").partition("/")
    return f"/hosts/{host}" if directory == "host" and valid_host(host) else None


def nothing(request: Request, headers: dict[str, str] | None = None) -> ProblemError:
    detail = f"no resource at {request.url.path[:200]}; the REST API is under /api/v1/"
    return ProblemError(404, detail, headers={"Cache-Control": "no-store", **(headers or {})})


def find_file(directory: Path, path: str) -> Path | None:
    """The regular file at `path` inside `directory`; None when there is none, or it lies outside."""
    if "\0" in path or "\\" in path:
        return None
    try:
        file = (directory / path).resolve()
        return file if file.is_relative_to(directory.resolve()) and file.is_file() else None
    except OSError:  # no file can have a name that long
        return None


def _send(file: Path, accepted: str, headers: dict[str, str]) -> Response:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    names = {part.partition(";")[0].strip() for part in accepted.lower().split(",")}
    for encoding, suffix in _COMPRESSED:
        small = file.with_name(file.name + suffix)
        if encoding in names and small.is_file():
            return FileResponse(small, headers={**headers, "Content-Encoding": encoding}, media_type=media_type)
    return FileResponse(file, headers=headers, media_type=media_type)
