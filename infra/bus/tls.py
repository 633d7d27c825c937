"""TLS 1.3 to the bus, with the handshake first: whom we trust, and a transport that survives a handshake that fails.

nats-py upgrades a plain connection. When that fails it waits for the plain one to end, which nobody tells it, and never
tries again: an agent would stay away for good because the server's certificate was out of date for a minute.
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import ParseResult

import nats.errors
from nats.aio.client import Client
from nats.aio.transport import TcpTransport

from infra.bus.client import BusClient

_CLOSE_WITHIN_S = 1.0


class UntrustedServer(nats.errors.Error):
    """TLS with the server is not possible; the text says why and what to do."""

    def __str__(self) -> str:
        return str(self.args[0])


def is_encrypted(url: str) -> bool:
    return url.startswith("tls://")


def trust(ca: str) -> ssl.SSLContext:
    """TLS 1.3 with a server that the certificates in the file `ca`, or else the system's, vouch for.

    Raises UntrustedServer.
    """
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise UntrustedServer(
            f"certificates file {ca}: {str(why).lower()}; give a readable PEM file of the bus's certificate authority"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def client_for(url: str) -> Client:
    """A client, not connected yet, with a transport that fits the address."""
    client = BusClient()
    if is_encrypted(url):
        client._transport = EncryptedTransport()
    return client


class EncryptedTransport(TcpTransport):
    """nats-py's, whose end can be waited for whatever became of the handshake, also when nobody answers any more."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._encrypted = False

    def __bool__(self) -> bool:
        return True  # else the client puts one of its own in this place

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        self._encrypted = False
        await super().connect(uri, buffer_size, connect_timeout)

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: int
    ) -> None:
        host = uri if isinstance(uri, str) else uri.hostname
        try:
            await super().connect_tls(uri, ssl_context, buffer_size, connect_timeout)
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message.rstrip(".")
            raise UntrustedServer(
                f"certificate of {host} not trusted: {why}; give the certificate authority of this bus, "
                "or let its server have a certificate that is valid for this name"
            ) from None
        except ssl.SSLError as error:
            why = str(error.reason).replace("_", " ").lower()
            raise UntrustedServer(
                f"no TLS 1.3 with {host}: {why}; if its bus does without TLS, the address begins with nats://"
            ) from None
        self._encrypted = True
        writer = self._io_writer
        assert writer is not None  # noqa: S101 -- it is made by the upgrade
        writer.transport.get_protocol()._over_ssl = True  # type: ignore[attr-defined]  # else its end logs a warning

    async def wait_closed(self) -> None:
        if not self._encrypted:
            return
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await super().wait_closed()  # type: ignore[no-untyped-call]
        except TimeoutError:  # the end of TLS is a farewell of both sides, for which the standard library waits 30 s
            if self._io_writer is not None:
                self._io_writer.transport.abort()
        except OSError:  # whichever side cut it short: it has ended
            pass
