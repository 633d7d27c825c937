"""Content encodings of the live stream that viewers can share: each event is compressed once, on its own.

Zstandard has frames for that. They are offered only to browsers: httpx and urllib3 fail on a frame that begins with a
read. Gzip has members, which Chromium ignores after the first, so its events are pieces of one endless member: deflate
without references to what was before, flushed to a whole byte. That member never ends, nor does it need to.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Literal

import zstandard

Encoding = Literal["identity", "gzip", "zstd"]

BEGIN: dict[Encoding, bytes] = {"identity": b"", "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff", "zstd": b""}
"""What a stream begins with: the head of the one gzip member."""
LEVEL = 1
_RAW_DEFLATE = -15
_CODING = re.compile(r"\s*([a-z*-]{1,20})\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*\Z")
_zstd = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)


def choose(headers: Mapping[str, str]) -> Encoding:
    """The encoding for a request with these headers, whose names are in lower case."""
    taken = {name for name, weight in _codings(headers.get("accept-encoding", "")) if weight > 0}
    if "zstd" in taken and "sec-fetch-mode" in headers:
        return "zstd"
    return "gzip" if "gzip" in taken else "identity"


def _codings(text: str) -> list[tuple[str, float]]:
    """Codings with their weights; what cannot be read counts as not there."""
    found = [_CODING.match(part) for part in text[:500].lower().split(",")]
    return [(match[1], float(match[2] or 1)) for match in found if match]


def packed(encoding: Encoding, data: bytes) -> bytes:
    """`data` as a part of a stream of that encoding, which does not depend on what goes before it."""
    if encoding == "zstd":
        return _zstd.compress(data)
    if encoding == "gzip":
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
        return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return data
