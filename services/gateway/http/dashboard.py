"""The dashboard's files: what its build left in `static/`, and `index.html` for every path that the dashboard knows."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import Resource

STATIC = Path(__file__).parents[1] / "static"
HASHED = "assets/"
"""Files below it have their content's hash in their name."""
FOREVER = "public, max-age=31536000, immutable"
NOT_BUILT = """\
The dashboard has not been built.

In the directory of the source code, this builds it:

    make setup

The API is there all the same, under /api/v1/hosts.
"""
_COMPRESSED = (("br", ".br"), ("gzip", ".gz"))


def dashboard_routes(directory: Path = STATIC) -> list[BaseRoute]:
    """The last routes of the application: they take every path outside the API."""

    async def get_file(request: Request) -> Response:
        path = request.path_params["path"]
        if path == "api" or path.startswith("api/"):
            raise ProblemError(404, f"nothing at {request.url.path[:200]}")
        page = "." not in path.rpartition("/")[2]
        file = find_file(directory, "index.html" if page else path)
        if file is None and page:
            return PlainTextResponse(NOT_BUILT, 503, {"Cache-Control": "no-store"})
        if file is None:
            raise ProblemError(404, f"no file {path[:100]!r}")
        cache = FOREVER if path.startswith(HASHED) and not page else "no-cache"
        return _send(file, request.headers.get("accept-encoding", ""), cache)

    return [Resource("/{path:path}", GET=get_file)]


def find_file(directory: Path, path: str) -> Path | None:
    """The regular file at `path` inside `directory`; None when there is none, or it lies outside."""
    if "\0" in path or "\\" in path:
        return None
    file = (directory / path).resolve()
    return file if file.is_relative_to(directory.resolve()) and file.is_file() else None


def _send(file: Path, accepted: str, cache: str) -> Response:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    names = {part.partition(";")[0].strip() for part in accepted.lower().split(",")}
    for encoding, suffix in _COMPRESSED:
        small = file.with_name(file.name + suffix)
        if encoding in names and small.is_file():
            return FileResponse(small, headers={**headers, "Content-Encoding": encoding}, media_type=media_type)
    return FileResponse(file, headers=headers, media_type=media_type)
