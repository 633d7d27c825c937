"""Viewers of people who are made up, whose connections take what they are told to."""

from __future__ import annotations

import json
import zlib
from typing import Any

import zstandard

from schemas.people import Role
from services.gateway.http.person import Person
from services.gateway.live.encoding import Encoding
from services.gateway.live.feed import EventId, parse_event_id
from services.gateway.live.hub import Hub
from services.gateway.live.viewer import HIGH_BYTES, Viewer


class Connection:
    """Takes everything, or, once it is `stuck`, nothing."""

    def __init__(self) -> None:
        self.taken = b""
        self.stuck = False
        self.closing = False
        self.followed = 0
        """How many events have been looked at."""
        self.last_id: EventId | None = None
        """As a client would send it in Last-Event-ID."""

    def write(self, data: bytes) -> None:
        self.taken += data

    def get_write_buffer_size(self) -> int:
        return HIGH_BYTES + 1 if self.stuck else 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def read(self) -> bytes:
        """The body taken so far, out of its chunks."""
        body, rest = b"", self.taken
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            body += rest[:length]
            assert rest[length : length + 2] == b"\r\n"
            rest = rest[length + 2 :]
        return body

    def note_last_id(self, body: bytes) -> None:
        told = [each for each in ids(body) if each]
        self.last_id = parse_event_id(told[-1]) if told else self.last_id


def decoded(encoding: Encoding, body: bytes) -> bytes:
    """What a client makes of the body so far."""
    if encoding == "gzip":
        return zlib.decompressobj(31).decompress(body)
    if encoding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
            return bytes(reader.read())
    return body


def a_person(name: str = "anna", role: Role = "viewer", **known: Any) -> Person:
    return Person(name, role, "session", **known)


def a_viewer(name: str = "anna", **known: Any) -> Viewer:
    """A viewer of that person, of whom `known` is known, and without a connection yet."""
    return Viewer(a_person(name, **known))


def connected(viewer: Viewer) -> Connection:
    """The connection that `viewer` has from now on."""
    connection = Connection()
    viewer.open(connection)
    return connection


def give_all(hub: Hub, now_ms: int = 1000) -> None:
    """Give everyone who takes them all portions that they lack."""
    while any(feed.give_portion(now_ms) for feed in hub.feeds()):
        pass


def events(body: bytes) -> list[tuple[str, Any]]:
    """Name and data of each event in `body`; comments have neither."""
    return [(fields.get("event", ""), json.loads(fields.get("data", "null"))) for fields in blocks(body)]


def ids(body: bytes) -> list[str]:
    """The id of each event in `body`, empty for those without."""
    return [fields.get("id", "") for fields in blocks(body)]


def blocks(body: bytes) -> list[dict[str, str]]:
    """The fields of each event in `body`."""
    return [dict(line.partition(": ")[::2] for line in block.split("\n")) for block in body.decode().split("\n\n")[:-1]]
