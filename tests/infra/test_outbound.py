"""Servers outside, asked without being led anywhere else: a real server on loopback that misbehaves as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.addresses import is_public
from infra.outbound import ANSWER_BYTES, Answer, OutboundError, outbound
from tests.certificates import given

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answering: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Reads a request's head, then answers as told, whatever that does to the other end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answering(writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{listener.sockets[0].getsockname()[1]}/SECRET"
    finally:
        listener.close()


def answered(status: int, body: str, headers: str = "") -> Answering:
    """Answers with `body`."""

    async def answering(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}\r\n{body}".encode())
        await writer.drain()

    return answering


async def post(url: str, private: bool = True, total_s: float = 10) -> Answer:
    async with outbound(private) as client:
        return await client.post(url, b"{}", {"Content-Type": "application/json"}, total_s)


async def refusal(url: str, private: bool = True, total_s: float = 10) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await post(url, private, total_s)
    assert "SECRET" not in str(caught.value)
    return caught.value


async def test_an_answer_comes_back_with_status_and_body() -> None:
    async with server(answered(404, "no_service")) as url:
        answer = await post(url)
    assert (answer.status, answer.text(100)) == (404, "no_service")


@pytest.mark.parametrize(
    "url",
    [
        "http://xn--/SECRET",
        "http://127.0.0.1:SECRET/",
        "http://127.0.0.1:99999/SECRET",
        "http://user:SECRET@[::1/",
        "http://[fe80::SECRET]/",
        "http:///SECRET",
        "http://a..b/SECRET",
        "http://" + "a" * 64 + ".example/SECRET",
        "http://\u2488.example/SECRET",
        "http://host name/SECRET",
        "ftp://127.0.0.1/SECRET",
        "SECRET",
        "",
    ],
)
async def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    assert (await refusal(url)).reason == "invalid_address"


ANY = "0.0.0.0"  # noqa: S104 -- asked, not bound


ODD = (
    "[fe80::1%25lo]",
    "[::]",
    "127.1",
    "0x7f.1",
    "xn--a",
    "①",
    "%31",
    "u:p@[::1]",
    "localhost:０",
    "a\tb",
    "\ud800",
    "*",
)


@pytest.mark.parametrize("host", ODD)
@pytest.mark.parametrize("tail", ["", "/\0", "/ü?ü#ü", "/\r\nX: y", "\\@evil", "/\ud800"])
async def test_no_address_does_more_than_be_refused_or_answered(host: str, tail: str) -> None:
    with contextlib.suppress(OutboundError):
        await post(f"http://{host}{tail}", total_s=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", ANY, "2130706433"])
async def test_this_machine_is_not_asked(host: str) -> None:
    asked: list[bool] = []

    async def answering(writer: asyncio.StreamWriter) -> None:
        asked.append(True)

    async with server(answering) as url:
        refused = await refusal(url.replace("127.0.0.1", host), private=False)
    assert refused.reason == "forbidden_address"
    assert "SONDE_OUTBOUND_PRIVATE=1" in str(refused)
    assert asked == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "127.9.9.9",
        ANY,
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2002:7f00:1::1",
        "2002:c0a8:101::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "64:ff9b:1:ffff::808:808",
        "2001:0:101:101:0:0:f5ff:fffe",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "fec0::1",
        "feff::1",
        "5f00::1",
        "2001:db8::1",
        "192.0.0.192",
    ],
)
def test_addresses_of_machines_and_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    asked: list[bool] = []

    async def elsewhere(writer: asyncio.StreamWriter) -> None:
        asked.append(True)

    async with server(elsewhere) as there, server(answered(307, "", f"location: {there}\r\n")) as url:
        answer = await post(url)
    assert answer.status == 307
    assert asked == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    async def proxy(writer: asyncio.StreamWriter) -> None:
        asked.append(True)

    async with server(proxy) as there, server(answered(200, "ok")) as url:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, there.removesuffix("/SECRET"))
        assert (await post(url)).status == 200
    assert asked == []


async def test_of_an_answer_without_end_only_the_beginning_is_read() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with server(flood) as url:
        assert len((await post(url)).body) == ANSWER_BYTES


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async def packed(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc")
        await writer.drain()

    async with server(packed) as url:
        assert (await post(url)).body == b"abc"


async def test_an_answer_that_trickles_ends_when_its_time_is_up() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(trickle) as url:
        assert (await refusal(url, total_s=0.5)).reason == "timeout"


async def test_headers_without_end_are_no_answer() -> None:
    async def headers(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\n")
        while True:
            writer.write(b"x-more: " + b"y" * 8000 + b"\r\n")
            await writer.drain()

    async with server(headers) as url:
        assert (await refusal(url)).reason == "no_answer"


async def test_a_server_that_is_not_there_is_said() -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        raise AssertionError

    async with server(never) as url:
        pass
    assert (await refusal(url)).reason == "no_connection"


async def test_a_host_that_does_not_exist_is_said() -> None:
    assert (await refusal("http://nobody.invalid/SECRET")).reason == "no_such_host"


async def test_what_is_no_http_is_said() -> None:
    async def greet(writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await writer.drain()

    async with server(greet) as url:
        assert (await refusal(url)).reason == "no_answer"


async def well(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\nok")
    await writer.drain()


async def test_a_certificate_has_to_name_the_host_of_the_address_not_where_it_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = given(tmp_path)  # for localhost and 127.0.0.1
    monkeypatch.setenv("SSL_CERT_FILE", tls.ca)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)
    async with server(well, context) as url:
        assert (await post(url)).status == 200
        assert (await post(url.replace("127.0.0.1", "localhost"))).status == 200
        assert (await refusal(url.replace("127.0.0.1", "127.0.0.2"))).reason == "no_connection"


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names resolve to these addresses, one answer after the other; the list of names that were asked for."""
    asked: list[str] = []
    left = list(answers)

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_is_resolved_once_and_the_judged_address_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(well) as url:
        asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.99"])
        assert (await post(url.replace("127.0.0.1", "hook.example"))).status == 200
    assert asked == ["hook.example"]


async def test_one_address_of_this_network_among_those_of_a_name_refuses_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    async def answering(writer: asyncio.StreamWriter) -> None:
        asked.append(True)

    async with server(answering) as url:
        resolving(monkeypatch, ["1.1.1.1", "127.0.0.1"])
        refused = await refusal(url.replace("127.0.0.1", "hook.example"), private=False)
    assert refused.reason == "forbidden_address"
    assert asked == []


async def test_the_next_address_of_a_name_is_asked_where_the_first_does_not_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with server(well) as url:
        resolving(monkeypatch, ["127.0.0.99", "127.0.0.1"])
        assert (await post(url.replace("127.0.0.1", "hook.example"))).status == 200


async def test_answers_that_only_announce_one_end_when_their_time_is_up() -> None:
    async def announce(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(announce) as url:
        assert (await refusal(url, total_s=0.5)).reason == "timeout"


async def test_a_server_that_never_ends_its_handshake_ends_when_its_time_is_up() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        left.set()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    try:
        url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/SECRET"
        assert (await refusal(url, total_s=0.5)).reason == "no_connection"
        async with asyncio.timeout(60):
            await left.wait()  # the client has closed the connection
    finally:
        listener.close()


@pytest.mark.parametrize("ending", ["", "content-length: 100\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\nzz\r\n"])
async def test_an_answer_that_is_cut_or_garbled_is_none(ending: str) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 X\r\n{ending}".encode())
        await writer.drain()

    async with server(cut) as url:
        assert (await refusal(url)).reason == "no_answer"


async def test_a_request_that_never_began_has_certainly_not_been_taken() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:  # the kernel completes no more connections than the backlog has room for
        each.setblocking(False)
        each.connect_ex(listener.getsockname())
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/SECRET"
        assert (await refusal(url, total_s=0.5)).reason == "no_connection"
    finally:
        for each in (*waiting, listener):
            each.close()
