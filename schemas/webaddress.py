"""Whether a text is an address that a browser or a webhook can have. Pure; says nothing of what is inside."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z", re.IGNORECASE)
_MOST_HOST = 253


def web_address_fault(text: str) -> str:
    """Why `text` is no http or https address, with the remedy; empty when it is one.

    The text may hold a secret, so no part of it is repeated.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "must have a port from 1 to 65535, or none, and an IPv6 address in brackets"
    if parts.scheme not in ("http", "https") or not host:
        return "must start with http:// or https:// and name a host"
    if port == 0:
        return "must have a port from 1 to 65535, or none"
    if not _is_host(host):
        return "must name a host as DNS has it, or an IP address"
    return ""


def host_fault(text: str) -> str:
    """Why `text` is no host, a name or an IP address, with the remedy; empty when it is one."""
    return "" if text and _is_host(text) else "must name a host as DNS has it, or an IP address"


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    try:
        name = host.removesuffix(".").encode("idna").decode("ascii")
        name.encode("ascii").decode("idna")  # xn-- and nothing that it could stand for
    except UnicodeError:
        return False
    return len(name) <= _MOST_HOST and all(_LABEL.match(label) for label in name.split("."))
