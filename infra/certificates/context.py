"""TLS contexts of Python: one that a server shows its certificate with, changed while it serves."""

from __future__ import annotations

import ssl


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """For HTTP/1.1 with browsers and programs: TLS 1.2 or later. Raises OSError."""
    context = scratch(certificate, key)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Show these files to whoever connects from now on; connections that are open go on. Raises OSError.

    A context that fails to load a key has lost the one before, so another one tries first.
    """
    scratch(certificate, key)
    context.load_cert_chain(certificate, key, password="")


def scratch(certificate: str, key: str) -> ssl.SSLContext:
    """A new context with these files. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, password="")  # one that asks for a password fails, instead of asking us
    return context


def client_context(trusted: str, *, issuer: bool) -> ssl.SSLContext:
    """For our own tools: trust what is in the file `trusted`, an `issuer` or else the server's certificate itself.

    The latter is taken under any name: it is the certificate of the listener that we connect to. Raises OSError.
    """
    context = ssl.create_default_context(cafile=trusted)
    if not issuer:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
