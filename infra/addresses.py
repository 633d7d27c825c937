"""Addresses of the bus and the database: whether one is valid, and how it is shown without the secrets in it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

BUS_SCHEMES = ("nats", "tls", "ws", "wss")
DATABASE_SCHEMES = ("postgresql", "postgres")
GATEWAY_SCHEMES = ("https", "http")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that the Internet has; of the rest it depends on the version of Python what counts as global."""
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""Of RFC 6890, never the Internet's; a cloud has its metadata there."""

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\Z")
_USER = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>[^\s/?#]*)@", re.IGNORECASE)
_SECRET_ARGUMENT = re.compile(r"(?P<name>password|passfile|sslpassword)=[^&\s]*", re.IGNORECASE)


def redact(text: str) -> str:
    """`text` without the secrets of the addresses in it. A user of the bus without a password is a token: a secret."""

    def hide(found: re.Match[str]) -> str:
        user, separator, _ = found["user"].partition(":")
        secret = found["scheme"].lower() in BUS_SCHEMES and not separator
        shown = "***" if secret else f"{user}:***" if separator else user
        return f"{found['scheme']}://{shown}@"

    return _SECRET_ARGUMENT.sub(r"\g<name>=***", _USER.sub(hide, text))


def bus_fault(url: str) -> str:
    """Why `url` is no address of a bus, with the remedy; empty when it is one."""
    return _fault(url, BUS_SCHEMES, "nats://HOST:4222", need_host=True)


def database_fault(url: str) -> str:
    """Why `url` is no address of a PostgreSQL database, with the remedy; empty when it is one."""
    return _fault(url, DATABASE_SCHEMES, "postgresql://USER@HOST:5432/sonde", need_host=False)


def is_loopback(host: str) -> bool:
    """Whether an address of this machine that only it can reach, also an IPv4 one as IPv6 has it."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet, also where IPv6 wraps one of IPv4."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and found not in _PROTOCOLS
    inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
    if found in _NAT64:
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(str(inner))
    return found.is_global and found in _UNICAST


def plain_address(text: str) -> str | None:
    """An IP address in its usual spelling, an IPv4 one also where IPv6 has it; None for what is none.

    With a zone (`fe80::1%eth0`) it is none: a zone means nothing to others, and may be any text.
    """
    if "%" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def within(address: str, networks: Iterable[Network]) -> bool:
    """Whether `address` is an IP address in one of `networks`."""
    plain = plain_address(address)
    return plain is not None and any(ipaddress.ip_address(plain) in network for network in networks)


def neighbourhood(address: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 of an IPv6 one, of which everybody has that many."""
    plain = plain_address(address.partition("%")[0])
    if plain is None:
        return address[:60]
    return str(ipaddress.ip_network(f"{plain}/64", strict=False)) if ":" in plain else plain


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks of a list such as `10.0.0.5, 2001:db8::/64`. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def networks_fault(text: str) -> str:
    """Why `text` is no list of addresses to trust, with the remedy; empty when it is one, or is empty."""
    try:
        found = networks_of(text)
    except ValueError as error:
        return f"{error}; give addresses or networks separated by commas: 127.0.0.1,10.0.0.0/24"
    if any(network.prefixlen == 0 for network in found):
        return "trusts every address; give those of your proxies only"
    return ""


def names_of(text: str) -> frozenset[str]:
    """The names of a list such as `sonde.example.org, 192.0.2.7`, lower case."""
    return frozenset(part.strip().strip("[]").rstrip(".").lower() for part in text.split(",") if part.strip())


def names_fault(text: str) -> str:
    """Why `text` is no list of host names, with the remedy; empty when it is one, or is empty."""
    wrong = [name for name in sorted(names_of(text)) if not (_NAME.match(name) or plain_address(name))]
    if not wrong:
        return ""
    return f"{wrong[0]!r} is no host name; give names without scheme and port, separated by commas: sonde.example.org"


def bracketed(host: str) -> str:
    """`host` as addresses have it before a port."""
    return f"[{host}]" if ":" in host else host


def local_address(host: str) -> str:
    """How this machine reaches a listener on `host`, as addresses have it."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 -- compared, not bound
    return bracketed(anywhere.get(host, host))


def optional_bus_fault(urls: str) -> str:
    """As `bus_fault`, for none or several addresses separated by commas."""
    return next(filter(None, (bus_fault(url) for url in urls.split(","))), "") if urls else ""


def gateway_fault(url: str) -> str:
    """Why `url` is no address of a gateway, with the remedy; empty when it is one, or is empty."""
    if not url:
        return ""
    fault = _fault(url, GATEWAY_SCHEMES, "https://HOST:8080", need_host=True)
    if not fault and urlsplit(url).path not in ("", "/"):
        return "the address has a path; write https://HOST:8080"
    return fault


def issuer_fault(url: str) -> str:
    """Why `url` is no address of an identity provider, with the remedy; empty when it is one, or is empty."""
    if not url:
        return ""
    fault = _fault(url, GATEWAY_SCHEMES, "https://id.example.org", need_host=True)
    if not fault and not is_private_or_encrypted(url):
        return "the provider must be asked over TLS; write https://"
    return fault


def is_private_or_encrypted(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def header_fault(name: str) -> str:
    """Why `name` is no name of a header, with the remedy; empty when it is one, or is empty."""
    if not name or re.fullmatch(r"[A-Za-z0-9-]{1,100}", name):
        return ""
    return "not the name of a header; write letters, digits and hyphens: X-Forwarded-User"


def fingerprint_fault(text: str) -> str:
    """Why `text` is no SHA-256 fingerprint, with the remedy; empty when it is one, or is empty."""
    if not text or re.fullmatch(r"[0-9a-f]{64}", text.replace(":", "").lower()):
        return ""
    return "not a SHA-256 fingerprint; write its 64 hexadecimal digits"


def _fault(url: str, schemes: tuple[str, ...], example: str, need_host: bool) -> str:
    if not url:
        return f"empty; write {example}"
    try:
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2]
    except ValueError as error:
        return f"not an address ({error}); write {example}"
    if parts.scheme not in schemes or "://" not in url:
        return f"the address must begin with {schemes[0]}://; write {example}"
    if any(character.isspace() for character in url):
        return f"the address contains a space; write {example}"
    if need_host and not hosts.partition(":")[0]:
        return f"the address has no host; write {example}"
    for host in hosts.split(","):
        port = host.rpartition(":")[2] if re.search(r":[^\]]*$", host) else ""
        if port and not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
            return f"port {unquote(port)} is not a number from 1 to 65535; write {example}"
    return ""
