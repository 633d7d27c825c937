"""Log output of every process: one line per unit of work, facts as key=value or JSON.

All code logs through the standard library, facts in `extra`. Server processes render with structlog. An agent renders
with the two small formatters below, also where structlog is installed: it takes 2 MiB.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

FILE_BYTES = 10 * 2**20
FILE_BACKUPS = 2
"""Older log files that are kept beside the current one."""
_OURS = ("agent", "infra", "schemas", "services")
_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class KeyValueFormatter(logging.Formatter):
    """`time level logger message key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={value}" for key, value in record.__dict__.items() if key not in _PLAIN)
        level = record.levelname.lower()
        line = f"{self.formatTime(record)} {level:7} {record.name} {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the same names as structlog's."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            **{key: value for key, value in record.__dict__.items() if key not in _PLAIN},
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class LogFile(logging.handlers.RotatingFileHandler):
    """A log file of bounded size that only its user may read, whatever mode it had.

    What a full disk does not take is left out: complaining would go where the log went.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=FILE_BACKUPS, encoding="utf-8")
        self.setFormatter(KeyValueFormatter())
        for number in range(1, FILE_BACKUPS + 1):
            with contextlib.suppress(OSError):
                path.with_name(f"{path.name}.{number}").chmod(0o600)

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def log_everything_to(path: Path) -> None:
    """Keep all our records, debug included, in `path` and at most `FILE_BACKUPS` older files. Raises OSError."""
    root = logging.getLogger()
    file = LogFile(path)
    for handler in root.handlers:
        handler.setLevel(max(handler.level, root.level))
    root.addHandler(file)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)


def in_colour(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether colours are wanted on `stream`: on a terminal, unless NO_COLOR is set or TERM is dumb."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb"


def for_people(log_format: str) -> bool:
    """Whether `log_format` asks for lines that people read: `pretty`, or `auto` where standard output is a terminal."""
    return log_format == "pretty" or (log_format == "auto" and sys.stdout.isatty())


def set_up_logging(log_format: str = "auto", level: int = logging.INFO, light: bool = False) -> None:
    """Send all logs to standard output; `log_format` is `json`, `pretty`, or `auto` (pretty on a terminal).

    `light`: without structlog, for a process that has to be small.
    """
    pretty = for_people(log_format)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_light(pretty) if light else _formatter(pretty))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of every bad request of anybody
    for noisy in ("uvicorn.access", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _light(pretty: bool) -> logging.Formatter:
    return KeyValueFormatter() if pretty else JsonFormatter()


def _formatter(pretty: bool) -> logging.Formatter:
    try:
        import structlog
    except ImportError:
        return _light(pretty)
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.platform != "win32" and in_colour(sys.stdout))]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
    )
