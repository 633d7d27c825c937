"""What `sonde up` shows to a person: what was started, the address, each problem once, and when it is over.

It is a log handler: commands and services log events, this turns the few that a person wants into plain lines. All
others are in `sonde.log`.

Left to the file on purpose: what a service logs while it retries. `infra.cli.watch` says once that a server or the disk
is the reason, and when that is over.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

from infra.bus.patience import Seldom
from infra.cli import watch
from infra.cli.tables import size
from infra.log import in_colour

UP = "infra.cli.up"
DEMO = ("demo.history", "demo.service")
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_NO_SPACE = ("errno 28", "no space left", "disk is full", "diskfull")
_CONSEQUENCES = {"bus": "agents keep their samples on disk", "database": "batches wait on the bus"}
_FACTS = ("error", "reason", "host", "family", "path", "directory", "mount", "device", "gpu", "answer", "clocks")
"""Facts that help a person, in the order in which they are shown."""


class Terminal(logging.Handler):
    """Writes the lines; `colour` None: as the stream and the environment want it."""

    def __init__(self, stream: TextIO | None = None, colour: bool | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stdout
        self._colour = in_colour(self._stream) if colour is None else colour
        self._seldom = Seldom()

    def emit(self, record: logging.LogRecord) -> None:
        told = line(record)
        if told is None:
            return
        mark, text, style = told
        by_services = mark in ("PROBLEM", "WARNING") and record.name != watch.__name__
        if by_services and not self._seldom.due(record.getMessage(), time.monotonic()):
            return
        self.show(mark, text, style)

    def show(self, mark: str, text: str, style: str = "") -> None:
        """Write one line that is for the terminal alone."""
        try:
            self._stream.write(self._laid_out(mark, text, style) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone; what we do goes on
            pass

    def _laid_out(self, mark: str, text: str, style: str) -> str:
        shown = "".join(character if character.isprintable() else "?" for character in text)
        if not mark:
            return self._painted(shown, style)
        if mark in ("PROBLEM", "WARNING", "OVER"):
            return f"{time.strftime('%H:%M:%S')} {self._painted(f'{mark:<8}', style)} {shown}"
        return f"  {self._painted(f'{mark:<10}', 'dim')} {self._painted(shown, style)}"

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour and style else text


def line(record: logging.LogRecord) -> tuple[str, str, str] | None:
    """Mark, text and style of the line for `record`; None when it is for the file only."""
    if record.name == UP:
        return _of_start(record)
    if record.name == watch.__name__:
        return _of_watch(record)
    if record.name in DEMO:
        return _of_demo(record)
    if record.exc_info or record.levelno < logging.WARNING or _is_known_otherwise(record):
        return None
    text = record.getMessage() + _facts(record)
    return ("PROBLEM", text, "red") if record.levelno >= logging.ERROR else ("WARNING", text, "yellow")


def _is_known_otherwise(record: logging.LogRecord) -> bool:
    """Whether it follows from what the watch says: a full disk, or a retry of what did not answer."""
    facts = " ".join(str(record.__dict__.get(name, "")) for name in ("error", "reason")).lower()
    if any(text in facts for text in _NO_SPACE):
        return True
    retries = "error" in record.__dict__ or record.name.startswith(("infra.bus", "infra.storage"))
    return record.levelno == logging.WARNING and retries


def _of_start(record: logging.LogRecord) -> tuple[str, str, str] | None:
    fact = record.__dict__
    match record.getMessage():
        case "starting":
            return "", f"sonde {fact['version']}, data in {fact['data']}", "bold"
        case "server started":
            return "started", f"{fact['server']} at {fact['address']}", ""
        case "running":
            return "dashboard", f"{fact['address']}   (Ctrl-C stops)", "cyan"
        case "parts started":
            return "started", ", ".join(fact["parts"]), ""
        case "stopping":
            return "", "stopping", "dim"
        case "stopped":
            return "", "stopped", "dim"
    return None


def _of_demo(record: logging.LogRecord) -> tuple[str, str, str] | None:
    fact = record.__dict__
    match record.getMessage():
        case "writing history":
            every = "second" if fact["every_s"] == 1 else f"{fact['every_s']} s"
            why = f" (this machine has {fact['cores']} cores)" if fact["every_s"] > 1 else ""
            return "simulating", f"{fact['hosts']:,} hosts, a sample every {every}{why}, {_history(fact['days'])}", ""
        case "history progress":
            which = "the last hours" if fact["raw"] else "the time before"
            return "simulating", f"{which} of {fact['done']:,} of {fact['hosts']:,} hosts", ""
        case "history written":
            return "simulated", f"{fact['rows']:,} samples of the past in {fact['seconds']:g} s", ""
    return None


def _history(days: float) -> str:
    return f"{days:g} days of history" if days >= 1 else f"{24 * days:.1g} hours of history"


def _of_watch(record: logging.LogRecord) -> tuple[str, str, str] | None:
    fact = record.__dict__
    match record.getMessage():
        case "server not available":
            server = fact["server"]
            return "PROBLEM", f"{server} not available: {fact['error']}; {_CONSEQUENCES[server]}", "red"
        case "server available again":
            return "OVER", f"{fact['server']} available again after {fact['after_s']} s", "green"
        case "disk full":
            free = size(fact["free_bytes"])
            return "PROBLEM", f"disk full: {free} free at {fact['directory']}; delete files there", "red"
        case "disk has free space again":
            return "OVER", f"disk has free space again: {size(fact['free_bytes'])} at {fact['directory']}", "green"
    return None


def _facts(record: logging.LogRecord) -> str:
    shown = [f"{name} {record.__dict__[name]}" for name in _FACTS if record.__dict__.get(name) not in (None, "")]
    return f" ({', '.join(shown)})"[:300] if shown else ""
