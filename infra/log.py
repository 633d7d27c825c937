"""Log output of every process: one line per unit of work, facts as key=value or JSON.

All code logs through the standard library, facts in `extra`. Server processes render with structlog; an agent, which
does not have it, with the small formatter below.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class KeyValueFormatter(logging.Formatter):
    """`time level logger message key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={value}" for key, value in record.__dict__.items() if key not in _PLAIN)
        level = record.levelname.lower()
        line = f"{self.formatTime(record)} {level:7} {record.name} {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up_logging(log_format: str = "auto", level: int = logging.INFO) -> None:
    """Send all logs to standard output; `log_format` is `json`, `pretty`, or `auto` (pretty on a terminal)."""
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stdout.isatty())
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(pretty))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.error", "uvicorn.access", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _formatter(pretty: bool) -> logging.Formatter:
    try:
        import structlog
    except ImportError:
        return KeyValueFormatter()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.platform != "win32")]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
    )
