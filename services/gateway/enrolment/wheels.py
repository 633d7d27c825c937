"""The wheels that machines install from: a folder, what is in it, and Sonde's own among them."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

from msgspec import Struct

from infra.settings import ServerSettings
from schemas.version import VERSION

_CHECKOUT = Path(__file__).parents[3]
_NAME = re.compile(r"[A-Za-z0-9_.+!-]+\.whl", re.ASCII)
_LOCK_FILES = (Path(__file__).with_name("requirements.txt"), _CHECKOUT / "requirements" / "agent.txt")
"""In a wheel, and in a checkout."""


class Wheel(Struct, frozen=True):
    path: Path
    sha256: str
    """Of its content, in hexadecimal."""

    @property
    def name(self) -> str:
        return self.path.name


def folder(settings: ServerSettings) -> Path:
    """Where the wheels are: as set, else what `make` fills in a checkout, else `wheels` in the data directory."""
    if settings.wheels:
        return Path(settings.wheels)
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / "dist"
    return Path(settings.data) / "wheels"


def wheels(directory: Path) -> list[Wheel]:
    """Every wheel of a folder by name; none where there is no such folder. Reads files: not for the event loop."""
    try:
        found = sorted(path for path in directory.iterdir() if _NAME.fullmatch(path.name) and path.is_file())
        return [Wheel(path, digest(path)) for path in found]
    except OSError:  # no such folder, or one in which a wheel is being replaced
        return []


def own_wheel(directory: Path) -> Wheel | None:
    """Sonde's own wheel of the version that serves it; None when it is not there. Reads a file."""
    path = directory / f"sonde-{VERSION}-py3-none-any.whl"
    try:
        return Wheel(path, digest(path))
    except OSError:
        return None


def missing_wheel(directory: Path) -> str:
    """What is wrong when `own_wheel` finds none, with the remedy."""
    return (
        f"the gateway has no wheel of Sonde {VERSION} in {directory.absolute()}; run `make dist` in a checkout, "
        f"or put the wheel there, or set SONDE_WHEELS to the directory that has it"
    )


def lock_file() -> Path:
    """The packages that an agent needs, with their hashes."""
    return next((path for path in _LOCK_FILES if path.is_file()), _LOCK_FILES[0])


def digest(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    found = path.stat()
    return _digest(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=512)
def _digest(path: Path, modified_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
