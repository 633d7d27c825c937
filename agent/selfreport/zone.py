"""In which time zone this host's clocks are set, by its IANA name."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")


def time_zone(root: str = "/", environment: str | None = None) -> str:
    """Such as `Europe/Vienna`; empty when the system below `root` does not tell it.

    `environment` is the value of TZ, which counts before the system's own setting.
    """
    for found in ((environment or "").removeprefix(":"), _linked(root), _written(root)):
        name = found.rpartition("zoneinfo/")[2].removeprefix("posix/").removeprefix("right/")
        if _NAME.fullmatch(name) and ("/" in name or name == "UTC"):
            return name
    return ""


def _linked(root: str) -> str:
    try:
        return str(Path(root, "etc/localtime").readlink())
    except OSError:
        return ""


def _written(root: str) -> str:
    try:
        return Path(root, "etc/timezone").read_text(errors="replace").strip()
    except OSError:
        return ""
