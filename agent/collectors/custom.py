"""Values that other programs leave in `*.prom` files, in the Prometheus text format.

Programs should write a file under another name and rename it, so that it is never read half. A file that cannot be read
or understood is left out and named in the log once, until it changes.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import re
import stat
from pathlib import Path

from agent.collectors.choice import Choice
from agent.collectors.readings import Instances, Reading

logger = logging.getLogger(__name__)

MOST_BYTES = 2**20
"""Of one file."""
MOST_SERIES = 500
"""Of all files together; the files come in order of their names."""
MOST_NAME = 400

MOST_NAMES_BYTES = 64 * 2**10
"""Of all names together: one sample has to fit into one message."""
MOST_LINE = 4096

_PLAINLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_TIMESTAMP = re.compile(r"-?[0-9]{1,20}")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Unreadable(ValueError):
    """A file that is not in the format; says where and why."""


def parse(text: str) -> dict[str, float | None]:
    """Series name -> value; NaN and infinities are null. Raises Unreadable.

    A series is named as it is written, its labels in order of their names.
    """
    found: dict[str, float | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        metric, labels, rest = _parts(stripped[: MOST_LINE + 1])
        timed = len(rest) == 2 and _TIMESTAMP.fullmatch(rest[1])
        if len(stripped) > MOST_LINE or not _METRIC.fullmatch(metric) or not (len(rest) == 1 or timed):
            raise Unreadable(f'line {number}: not `name value` or `name{{label="text"}} value`')
        try:
            value = float(rest[0])
        except ValueError:
            raise Unreadable(f"line {number}: the value is no number") from None
        found[_name(metric, labels, number)] = value if math.isfinite(value) else None
    return found


def _parts(line: str) -> tuple[str, str | None, list[str]]:
    """Name, what is between the braces, and the words behind; in one pass, for a line may be anything."""
    opening, closing = line.find("{"), line.rfind("}")
    if opening < 0:
        metric, *rest = line.split()
        return metric, None, rest
    if closing < opening:
        return "", None, []
    return line[:opening].strip(), line[opening + 1 : closing], line[closing + 1 :].split()


def _name(metric: str, labels: str | None, number: int) -> str:
    if not labels or not labels.strip():
        return metric
    pairs = {}
    at = 0
    while at < len(labels):
        match = _LABEL.match(labels, at)
        if match is None:
            raise Unreadable(f"line {number}: labels not understood")
        pairs[match[1]] = re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), match[2])
        at = match.end()
    inner = ",".join(f'{name}="{text}"' for name, text in sorted(pairs.items()))
    return f"{metric}{{{inner}}}"


def _content(path: Path) -> bytes:
    """Up to a byte more than may be. Raises OSError; a link or a pipe is no file, whoever made it."""
    fd = os.open(path, os.O_RDONLY | _PLAINLY)
    with open(fd, "rb", buffering=0) as file:  # noqa: PTH123  # of a descriptor
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(MOST_BYTES + 1)


class Custom:
    """Reads one directory. Remembers which files it has complained about."""

    def __init__(self, directory: str, wanted: Choice) -> None:
        self._directory = Path(directory)
        self._wanted = wanted
        self._said: dict[str, str] = {}
        self.left_out = 0
        """Series beyond `MOST_SERIES` at the last reading."""

    def read(self) -> Reading | None:
        """Every wanted series of every file; None where there are none."""
        instances: Instances = {}
        left_out = names_bytes = 0
        paths = sorted(self._directory.glob("*.prom"))
        self._said = {name: said for name, said in self._said.items() if name in {path.name for path in paths}}
        for path in paths:
            for name, value in self._file(path).items():
                if len(name) > MOST_NAME or "\0" in name or not self._wanted(name):
                    continue
                if name not in instances:
                    names_bytes += len(name.encode("utf-8", "replace"))
                    if len(instances) >= MOST_SERIES or names_bytes > MOST_NAMES_BYTES:
                        left_out += 1
                        continue
                instances[name] = {"value": value}
        if left_out and not self.left_out:
            logger.warning("custom series limit exceeded", extra={"taken": MOST_SERIES, "left_out": left_out})
        self.left_out = left_out
        return Reading(instances) if instances else None

    def _file(self, path: Path) -> dict[str, float | None]:
        try:
            data = _content(path)
            if len(data) > MOST_BYTES:
                raise Unreadable(f"larger than {MOST_BYTES} bytes")
            found = parse(data.decode())
        except (OSError, ValueError) as error:
            text = f"{type(error).__name__}: {error}"
            if self._said.get(path.name) != text:
                self._said[path.name] = text
                logger.warning("custom metrics file skipped", extra={"path": str(path), "error": text})
            return {}
        self._said.pop(path.name, None)
        return found
