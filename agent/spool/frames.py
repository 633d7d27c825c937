"""How records lie in a spool file: a header with length and checksum, then the payload."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

STATE = 1
"""The payload is the spool's cursor."""
BATCH = 2
"""The payload is an encoded batch."""

_HEADER = struct.Struct("<IIBIQQ")
_CRC_COVERS_FROM = 8
HEADER_BYTES = _HEADER.size
MOST_PAYLOAD_BYTES = 2**24 - 1
_LIKELY = re.compile(rb"(?=.{3}\0.{4}[\x01\x02].{2}\0\0.{5}\0{3}.{6}\0\0)", re.DOTALL)
"""What every header looks like: payload below 16 MiB, a known kind, below 65,536 rows, a number below 2^40, a time
below 2^48 ms. Looking for it finds the next frame behind a damaged stretch without a checksum at every byte."""


class Frame(NamedTuple):
    """One record."""

    kind: int
    number: int
    """Number of the batch; 0 for a state."""
    rows: int
    """Sample times in the batch."""
    time_ms: int
    """Last sample time of the batch, Unix milliseconds."""
    payload: bytes


def pack(frame: Frame) -> bytes:
    header = _HEADER.pack(len(frame.payload), 0, frame.kind, frame.rows, frame.number, frame.time_ms)
    body = header[_CRC_COVERS_FROM:] + frame.payload
    return struct.pack("<II", len(frame.payload), _checksum(len(frame.payload), body)) + body


def _checksum(length: int, body: bytes) -> int:
    """CRC-32 of length and body: a run of zeros, which a file system leaves after a crash, does not pass."""
    return zlib.crc32(body, length + 1)


def unpack(data: bytes, at: int = 0) -> Frame | None:
    """The frame at `at`; None when it is cut off or damaged."""
    if len(data) - at < HEADER_BYTES:
        return None
    length, checksum, kind, rows, number, time_ms = _HEADER.unpack_from(data, at)
    end = at + HEADER_BYTES + length
    if length > MOST_PAYLOAD_BYTES or end > len(data):
        return None
    if _checksum(length, data[at + _CRC_COVERS_FROM : end]) != checksum:
        return None
    return Frame(kind, number, rows, time_ms, data[at + HEADER_BYTES : end])


def scan(data: bytes) -> Iterator[tuple[int, Frame]]:
    """Every frame and where it begins; damaged stretches are passed over."""
    at = 0
    while at < len(data):
        frame = unpack(data, at)
        if frame is not None:
            yield at, frame
            at += HEADER_BYTES + len(frame.payload)
            continue
        likely = (match.start() for match in _LIKELY.finditer(data, at + 1))
        found = next((begin for begin in likely if unpack(data, begin) is not None), None)
        if found is None:
            return
        at = found
