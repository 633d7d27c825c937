"""What one connection may send and how long it may take, and how many there may be."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra.addresses import networks_of
from infra.certificates.context import server_context
from services.gateway.http import connections, protocol
from services.gateway.http.connections import Connections
from services.gateway.http.protocol import (
    HEAD_WITHIN_CROWDED_S,
    HEAD_WITHIN_S,
    MOST_HEAD_BYTES,
    Waiting,
    overdue,
)
from tests.certificates import given
from tests.gateway.http.serving import raw, serving
from tests.waiting import eventually

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def here(request: Request) -> Response:
    return PlainTextResponse("here")


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


APP = Starlette(routes=[Route("/", here), Route("/length", length, methods=["POST"])])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of a fraction of a second instead of many."""
    monkeypatch.setattr(protocol, "HEAD_WITHIN_S", 0.3)
    monkeypatch.setattr(protocol, "BODY_WITHIN_S", -4.7)
    monkeypatch.setattr(protocol, "UNREAD_WITHIN_S", 0.3)
    monkeypatch.setattr("services.gateway.http.server.SWEEP_EVERY_S", 0.05)


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost: ",
        ASK + b"G",  # a first request that is whole frees nobody from bringing the next
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1",  # answered (405) before its body is there
        b"POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1",
    ],
)
async def test_whoever_sends_less_than_a_request_is_cut(begin: bytes, impatient: None) -> None:
    async with serving(APP) as (server, port), raw(port) as slow:
        await slow.send(begin)
        await slow.rest()
        await eventually(lambda: server.taken.count == 0)


async def test_dripping_does_not_lengthen_a_heads_time(impatient: None) -> None:
    async with serving(APP) as (_, port), raw(port) as slow:
        await slow.send(ASK)
        assert b"here" in await slow.some()
        await slow.send(b"GET / HTTP/1.1\r\nX: ")
        ended = asyncio.ensure_future(slow.rest())
        while not ended.done():
            await slow.send(b"y")
            await asyncio.wait([ended], timeout=0.02)
        assert await ended == b""


async def test_whoever_reads_nothing_of_a_large_answer_is_cut(impatient: None) -> None:
    async def large(request: Request) -> Response:
        return Response(b"x" * 32_000_000)

    async with serving(Starlette(routes=[Route("/", large)])) as (server, port), raw(port) as deaf:
        await deaf.send(ASK)
        await eventually(lambda: server.taken.count == 1)
        await eventually(lambda: server.taken.count == 0)


async def test_a_request_that_takes_us_long_is_not_cut(impatient: None) -> None:
    release = asyncio.Event()

    async def slow(request: Request) -> Response:
        await release.wait()
        return PlainTextResponse("late")

    async with serving(Starlette(routes=[Route("/", slow)])) as (_, port), raw(port) as patient, raw(port) as silent:
        await patient.send(ASK)
        await silent.rest()  # the bounds have passed
        release.set()
        assert b"late" in await patient.some()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * MOST_HEAD_BYTES,
        b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD_BYTES,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MOST_HEAD_BYTES // 6 + 1),
        ASK + b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD_BYTES,
    ],
)
async def test_a_head_without_end_is_answered_431_and_ended(head: bytes) -> None:
    async with serving(APP) as (server, port), raw(port) as endless:
        if head.startswith(ASK):
            await endless.send(ASK)
            assert b"here" in await endless.some()
        await endless.send(head.removeprefix(ASK))
        assert (await endless.rest()).startswith(b"HTTP/1.1 431 ")
        await eventually(lambda: server.taken.count == 0)


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"", b"\r\n"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        (b"POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"Trailer: one\r\n"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 9999 + b"\r\na\r\n"),
    ],
)
async def test_a_request_without_end_is_ended(begin: bytes, more: bytes) -> None:
    async with serving(APP) as (server, port), raw(port) as endless:
        await endless.send(begin)
        ended = asyncio.ensure_future(endless.rest())
        block = more * (65536 // len(more) + 1)
        for _ in range(protocol.MOST_REQUEST_BYTES // len(block) + 1000):
            await endless.send(block)
            if server.taken.count == 0:
                break
        await ended
        await eventually(lambda: server.taken.count == 0)


async def test_an_address_gets_so_many_connections_and_others_go_on() -> None:
    async with serving(APP, connections=Connections(most_per_address=2)) as (server, port):
        async with raw(port) as first, raw(port) as _, raw(port) as third, raw(port, "127.0.0.2") as other:
            assert await third.rest() == b""
            assert server.taken.refused == 1
            for each in (first, other):
                await each.send(ASK)
                assert b"here" in await each.some()
        await eventually(lambda: server.taken.count == 0)
        async with raw(port) as again:
            await again.send(ASK)
            assert b"here" in await again.some()


async def test_a_trusted_proxy_gets_as_many_as_it_likes_and_keeps_them() -> None:
    limits = Connections(networks_of("127.0.0.2"), most_per_address=1)
    async with contextlib.AsyncExitStack() as stack:
        server, port = await stack.enter_async_context(serving(APP, connections=limits))
        for source in ("127.0.0.2", "127.0.0.2", "127.0.0.1"):
            each = await stack.enter_async_context(raw(port, source))
            await each.send(ASK)
            assert b"here" in await each.some()
        kept = {each.client[0]: each.timeout_keep_alive for each in server.server_state.connections}
    assert kept == {"127.0.0.2": protocol.KEEP_ALIVE_PROXY_S, "127.0.0.1": protocol.KEEP_ALIVE_S}


async def test_past_the_most_of_all_nobody_is_taken_until_somebody_leaves() -> None:
    limits = Connections(networks_of("127.0.0.0/8"), most=2)
    async with serving(APP, connections=limits) as (server, port), raw(port) as first, raw(port, "127.0.0.2") as second:
        await eventually(lambda: server.taken.count == 2)
        async with raw(port, "127.0.0.3") as late:
            assert await late.rest() == b""
        for each in (first, second):
            await each.send(b"no request\r\n\r\n")
            await each.rest()
        await eventually(lambda: server.taken.count == 0)
        async with raw(port, "127.0.0.3") as again:
            await again.send(ASK)
            assert b"here" in await again.some()


def test_when_half_is_taken_heads_get_less_time() -> None:
    limits = Connections(most=4)
    places = [limits.enter(f"192.0.2.{number}", 0) for number in range(3)]
    assert limits.crowded
    head = Waiting("head", 1)
    between_s = (HEAD_WITHIN_CROWDED_S + HEAD_WITHIN_S) / 2
    assert overdue(head, 0, between_s, limits.crowded)
    for place in places:
        assert place is not None
        place.leave()
        place.leave()
    assert limits.count == 0
    assert not overdue(head, 0, between_s, limits.crowded)


def test_ipv6_addresses_of_one_network_are_one_peer() -> None:
    limits = Connections(most_per_address=1)
    assert limits.enter("2001:db8::1", 0)
    assert limits.enter("2001:db8::2", 0) is None
    assert limits.enter("2001:db8:0:1::1", 0)


async def test_a_handshake_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HANDSHAKE_WITHIN_S", 0.3)
    tls = given(tmp_path)
    context, trust = server_context(tls.certificate, tls.key), ssl.create_default_context(cafile=tls.ca)
    async with serving(APP, context) as (server, port):
        async with raw(port) as silent, raw(port) as half, raw(port) as plain:
            await half.send(b"\x16\x03\x01\x02\x00\x01")
            await plain.send(ASK)
            for each in (silent, half, plain):
                await each.rest()
        await eventually(lambda: server.taken.count == 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="localhost")
        writer.write(ASK)
        assert b"200" in await reader.readline()
        writer.close()
        await writer.wait_closed()


def test_descriptors_are_kept_for_files_and_the_database() -> None:
    assert connections.room(16) == 16
