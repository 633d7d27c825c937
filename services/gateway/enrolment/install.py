"""`/install.sh` and `/install/`: what a machine fetches to become a host, before it has an identity."""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
import shlex
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from schemas.enrolment import INSTALL_FILES, INSTALL_SCRIPT
from schemas.version import VERSION
from services.gateway.enrolment.wheels import Wheel, digest, lock_file, missing_wheel, own_wheel, wheels
from services.gateway.http.operations import Call, Media, Nothing, Operation
from services.gateway.http.problems import ProblemError
from services.gateway.identities.reach import Reach

SCRIPT = Path(__file__).with_name("install.sh")
REQUIREMENTS = "requirements.txt"
_SHELL = "text/x-shellscript"
_FRESH = {"Cache-Control": "no-cache"}
_PLACEHOLDER = re.compile(r"@([A-Z0-9_]+)@")
_NOT_YET = """\
#!/bin/sh
printf 'sonde: %s\\n' {reason} >&2
exit 1
"""


def install_operations(directory: Path, reach: Callable[[], Reach]) -> list[Operation]:
    """Operations on the wheels of `directory`; `reach` says where this gateway is and who vouches for it."""

    async def script(_: Call[Nothing, None]) -> Response:
        wheel = await asyncio.to_thread(own_wheel, directory)
        if wheel is None:
            text = _NOT_YET.format(reason=shlex.quote(missing_wheel(directory)))
            return _shell(text, 503)
        return _shell(await asyncio.to_thread(install_script, reach(), wheel))

    async def listing(_: Call[Nothing, None]) -> Response:
        return HTMLResponse(index(await asyncio.to_thread(wheels, directory)), headers=_FRESH)

    async def file(call: Call[Nothing, None]) -> Response:
        name = call.path["wheel"]
        if name == REQUIREMENTS:
            return FileResponse(lock_file(), media_type="text/plain; charset=utf-8", headers=_FRESH)
        found = await asyncio.to_thread(wheels, directory)
        wheel = next((wheel for wheel in found if wheel.name == name), None)
        if wheel is None:
            detail = f"no wheel {name[:100]!r} is served here; GET {INSTALL_FILES} lists those that are"
            raise ProblemError(404, detail, type="/problems/unknown-wheel")
        return FileResponse(wheel.path, media_type="application/zip", headers=_FRESH)

    said = Media((_SHELL,), "A shell script; one that says what is missing where machines cannot be installed.")
    return [
        Operation(
            "GET",
            INSTALL_SCRIPT,
            script,
            tag="identities",
            summary="The script that makes a machine a host",
            role=None,
            answers={200: said, 503: said},
        ),
        Operation(
            "GET",
            INSTALL_FILES,
            listing,
            tag="identities",
            summary="The wheels that machines may install from, as pip reads them",
            role=None,
            answers={200: Media(("text/html",), "Links with digests (PEP 503).")},
        ),
        Operation(
            "GET",
            f"{INSTALL_FILES}{{wheel}}",
            file,
            tag="identities",
            summary="One wheel, or the versions that go with it (requirements.txt)",
            role=None,
            answers={200: Media(("application/zip", "text/plain"), "The file.")},
            path_types={"wheel": str},
        ),
    ]


def with_wheel(reach: Callable[[], Reach], directory: Path) -> Callable[[], Reach]:
    """`reach`, which without a wheel of Sonde in `directory` names that as the obstacle to joining."""

    def found() -> Reach:
        place = reach()
        if place.obstacle or own_wheel(directory):
            return place
        return msgspec.structs.replace(place, obstacle=missing_wheel(directory))

    return found


def install_script(reach: Reach, wheel: Wheel) -> str:
    """The script for machines that reach this gateway as `reach` says. Reads files."""
    # With a pin the certificate authority is our own; otherwise the system already vouched for who served the script.
    ca = reach.ca_pem.strip() if reach.pin else ""
    values = {
        "GATEWAY": reach.url,
        "VERSION": VERSION,
        "WHEEL": wheel.name,
        "WHEEL_SHA256": wheel.sha256,
        "REQUIREMENTS_SHA256": digest(lock_file()),
        "CA": ca,
        "CA_FINGERPRINT": fingerprint(ca) if ca else "",
    }
    return _PLACEHOLDER.sub(lambda found: shlex.quote(values[found[1]]), SCRIPT.read_text(encoding="utf-8"))


def index(found: list[Wheel]) -> str:
    """The page that `pip --find-links` reads: links of the simple repository API, with digests (PEP 503)."""
    links = [
        f'<a href="{quote(wheel.name)}#sha256={wheel.sha256}">{html.escape(wheel.name)}</a><br>\n' for wheel in found
    ]
    return f"<!DOCTYPE html>\n<html><head><title>Wheels</title></head><body>\n{''.join(links)}</body></html>\n"


def fingerprint(pem: str) -> str:
    """SHA-256 of the first certificate, in hexadecimal."""
    first, end, _ = pem.partition(ssl.PEM_FOOTER)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first + end)).hexdigest()


def _shell(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store"}, media_type=_SHELL)
