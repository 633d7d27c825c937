"""Compression that viewers share: each piece stands alone, and all together are one stream."""

from __future__ import annotations

import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.live.encoding import BEGIN, Encoding, choose, packed
from services.gateway.live.event import Event, chunk, named
from tests.gateway.live.viewers import decoded
from tests.gateway.running import gateway, ready

BROWSER = {"sec-fetch-mode": "cors"}
PIECES = st.lists(st.binary(max_size=3000), max_size=20)


@pytest.mark.parametrize(
    ("headers", "encoding"),
    [
        ({}, "identity"),
        ({"accept-encoding": "br"}, "identity"),
        ({"accept-encoding": "gzip, deflate"}, "gzip"),
        ({"accept-encoding": "GZIP;q=0.5"}, "gzip"),
        ({"accept-encoding": "gzip;q=0"}, "identity"),
        ({"accept-encoding": "gzip;q=what, , ;;;"}, "identity"),
        ({"accept-encoding": "gzip, deflate, zstd"}, "gzip"),
        ({"accept-encoding": "gzip, deflate, br, zstd", **BROWSER}, "zstd"),
        ({"accept-encoding": "gzip, zstd;q=0", **BROWSER}, "gzip"),
        ({"accept-encoding": "gzip, deflate, br", **BROWSER}, "gzip"),
    ],
)
def test_the_encoding_is_one_that_the_client_can_take(headers: dict[str, str], encoding: Encoding) -> None:
    assert choose(headers) == encoding


@given(PIECES)
def test_all_of_a_gzip_stream_so_far_can_be_read_after_each_piece(pieces: list[bytes]) -> None:
    decompress = zlib.decompressobj(31)
    read = decompress.decompress(BEGIN["gzip"])
    for number, piece in enumerate(pieces, 1):
        read += decompress.decompress(packed("gzip", piece))
        assert read == b"".join(pieces[:number])


@given(PIECES)
def test_pieces_of_zstandard_are_frames_of_their_own(pieces: list[bytes]) -> None:
    together = b"".join(packed("zstd", piece) for piece in pieces)
    assert decoded("zstd", together) == b"".join(pieces)
    for piece in pieces:
        assert zstandard.ZstdDecompressor().decompress(packed("zstd", piece), allow_extra_data=False) == piece


def test_an_event_is_made_once_for_all_who_get_it_in_the_same_form() -> None:
    event = named("frame", b"{}", event_id=b"e-1")
    assert event.piece("gzip") is event.piece("gzip")
    assert event.piece("identity") == chunk(b"id: e-1\nevent: frame\ndata: {}\n\n")
    assert event.piece("identity", bare=True) == chunk(b"event: frame\ndata: {}\n\n")


def test_of_several_events_the_last_has_the_id() -> None:
    text = named("host", b"1", b"2", event_id=b"e-1").text()
    assert text == b"event: host\ndata: 1\n\nid: e-1\nevent: host\ndata: 2\n\n"


def test_an_event_without_an_id_has_one_form() -> None:
    event = Event(b": comment\n\n")
    assert event.piece("identity", bare=True) is event.piece("identity")


@pytest.mark.parametrize(("asked", "given_back"), [("identity", None), ("gzip", "gzip"), ("zstd", None)])
async def test_the_answer_says_how_it_is_encoded(
    database_url: str, bus_url: str, asked: str, given_back: str | None
) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        async with client.stream("GET", "/live", headers={"Accept-Encoding": asked}) as response:
            async for text in response.aiter_text():
                if "event: complete" in text:
                    break
    assert response.headers.get("content-encoding") == given_back
    assert response.headers["vary"] == "Accept-Encoding"
