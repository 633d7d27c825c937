"""The one way to servers outside: webhooks and whatever else people name an address of.

Such an address may be mistaken or malicious, and whoever may set one must not be able to ask this network's own
machines in our name. So the name is resolved here, every address that comes out of it is judged, and the connection
goes to the judged one; no proxy of the environment and no redirect leads elsewhere. Time and size of an answer are
bounded as a whole. Addresses often are secrets: no error repeats any part of one but what its host resolved to.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import httpx
from msgspec import Struct

from infra.addresses import bracketed, is_public
from schemas.webaddress import web_address_fault

TOTAL_S = 10.0
"""For one request with everything: resolving, connecting, sending, reading."""
ANSWER_BYTES = 64 * 1024
"""Of an answer; what comes after them is not read."""

Reason = Literal["invalid_address", "forbidden_address", "no_such_host", "no_connection", "no_answer", "timeout"]


class OutboundError(Exception):
    """No answer came; the text says why and what to do, and holds no secret."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason


class Answer(Struct, frozen=True):
    """What a server answered, whatever it means."""

    status: int
    headers: httpx.Headers
    body: bytes
    """Its first `ANSWER_BYTES`, as they were sent."""

    def text(self, most: int) -> str:
        """The first `most` characters that any text column takes."""
        return self.body.decode(errors="replace").replace("\0", "")[:most]


class _Progress(Struct):
    """How far a request has come."""

    begun: bool = False
    """Something of it was sent: the server may have taken it."""


class Outbound:
    """Asks servers outside. `private`: also those of this machine and network."""

    def __init__(self, http: httpx.AsyncClient, private: bool) -> None:
        self._http = http
        self.private = private

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], total_s: float = TOTAL_S) -> Answer:
        """The answer to a POST, redirects included. Raises OutboundError."""
        progress = _Progress()
        try:
            async with asyncio.timeout(total_s):
                return await self._post(url, body, headers, progress)
        except TimeoutError:
            if not progress.begun:
                detail = f"no connection within {total_s:g} s; look whether the server can be reached, and at DNS"
                raise OutboundError("no_connection", detail) from None
            detail = f"no whole answer within {total_s:g} s; look whether the server works and can be reached"
            raise OutboundError("timeout", detail) from None

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], progress: _Progress) -> Answer:
        target = _parsed(url)
        fault: Exception | None = None
        port = target.port or {"http": 80, "https": 443}[target.scheme]
        for address in await allowed_addresses(target.host, port, self.private):
            try:
                return await self._ask(target, address, body, headers, progress)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                fault = error  # such as an IPv6 address where there is no route: the next may do
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                detail = f"the server did not answer in HTTP ({type(error).__name__}); look whether it is the right one"
                raise OutboundError("no_answer", detail) from None
        detail = f"no connection ({type(fault).__name__}); look whether the server runs, its port and its certificate"
        raise OutboundError("no_connection", detail) from None

    async def _ask(
        self, target: httpx.URL, address: str, body: bytes, headers: Mapping[str, str], progress: _Progress
    ) -> Answer:
        opened: list[Any] = []

        async def note(event: str, facts: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                opened.append(facts["return_value"])
            elif event == "http11.send_request_headers.started":
                progress.begun = True

        sent = {**headers, "Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        extensions = {
            "sni_hostname": target.raw_host.decode("ascii"),  # whom the certificate has to name
            "trace": note,
        }
        try:
            async with self._http.stream(
                "POST", target.copy_with(host=bracketed(address)), content=body, headers=sent, extensions=extensions
            ) as response:
                read = bytearray()
                async for part in response.aiter_raw():
                    read += part
                    if len(read) >= ANSWER_BYTES:
                        break
                return Answer(response.status_code, response.headers, bytes(read[:ANSWER_BYTES]))
        except BaseException:
            for stream in opened:  # the client forgets a connection that is given up within its handshake
                with contextlib.suppress(Exception):
                    await stream.aclose()
            raise


async def allowed_addresses(host: str, port: int, private: bool) -> list[str]:
    """What `host` resolves to, all of it allowed: without `private` of the Internet. Raises OutboundError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise OutboundError("no_such_host", "the host cannot be resolved; look at its name and at DNS") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not private and not is_public(address):
            detail = (
                f"the host is at {address}, which is not an address of the Internet; set SONDE_OUTBOUND_PRIVATE=1 "
                "to allow addresses of this machine and network"
            )
            raise OutboundError("forbidden_address", detail)
    return addresses


def _parsed(url: str) -> httpx.URL:
    """Raises OutboundError."""
    fault = web_address_fault(url)
    if not fault:
        with contextlib.suppress(httpx.InvalidURL, ValueError):
            return httpx.URL(url).copy_with(fragment=None)
        fault = "must be an address that HTTP allows"
    raise OutboundError("invalid_address", f"the address {fault}")


@contextlib.asynccontextmanager
async def outbound(private: bool) -> AsyncIterator[Outbound]:
    """A client for as long as the block lasts."""
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=0)  # a kept one was vouched for by its name
    # Only the certificates that the process is told to trust come from the environment.
    context = await asyncio.to_thread(httpx.create_ssl_context)
    async with httpx.AsyncClient(
        verify=context, trust_env=False, follow_redirects=False, limits=limits, timeout=TOTAL_S
    ) as http:
        yield Outbound(http, private)
