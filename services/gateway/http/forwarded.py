"""Who asks, how and under which name, where proxies pass requests on: X-Forwarded-For, -Proto and -Host, or Forwarded.

These headers are believed from trusted proxies alone. Each proxy appends the address that it was asked from, so the
right-most address that is not a trusted proxy's is the client's; what stands left of it the client may have made up.
Of name and scheme the right-most value counts, the only one that a trusted proxy surely wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, structs
from starlette.datastructures import Headers

from infra.addresses import Network, plain_address, within

X_FOR, X_PROTO, X_HOST, FORWARDED = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"
HEADERS = (FORWARDED, X_FOR, X_HOST, X_PROTO, "x-real-ip", "via")
"""By which a proxy shows itself; a request that carries one did not come straight from a browser of this machine."""
_X = (X_FOR, X_PROTO, X_HOST)
_SCHEMES = ("http", "https")
_NODE = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[0-9.]+))(?::[0-9A-Za-z._-]+)?\Z")
_ESCAPED = re.compile(r"\\(.)")


class Asker(Struct, frozen=True):
    """Where a request came from before any trusted proxy had it."""

    address: str
    scheme: str
    host: str
    """As a Host header has it: with a port unless it is the scheme's."""
    proxied: bool = False
    """Whether a trusted proxy passed it on and said so."""


class Contradiction(Exception):
    """Forwarded and X-Forwarded-* of one request disagree: one of them is not the proxy's."""


def asker_of(peer: str, scheme: str, headers: Headers, proxies: Sequence[Network], in_front: bool = False) -> Asker:
    """Who asks over the connection from `peer`. `in_front`: what a proxy passes on came encrypted unless it denies it.

    Raises Contradiction.
    """
    address = plain_address(peer) or peer
    plain = Asker(address, scheme, headers.get("host", ""))
    if not within(address, proxies):
        return plain
    told = []
    if any(name in headers for name in _X):
        told.append(_by_x(plain, headers, proxies))
    if FORWARDED in headers:
        told.append(_by_forwarded(plain, headers, proxies))
    if not told:
        return plain
    if len(set(told)) > 1:
        raise Contradiction
    return told[0] if told[0].scheme else structs.replace(told[0], scheme="https" if in_front else scheme)


def _by_x(plain: Asker, headers: Headers, proxies: Sequence[Network]) -> Asker:
    address = _client(plain.address, _values(headers, X_FOR), proxies)
    return _asker(plain, address, _last(_values(headers, X_PROTO)), _last(_values(headers, X_HOST)))


def _by_forwarded(plain: Asker, headers: Headers, proxies: Sequence[Network]) -> Asker:
    elements = [_parameters(element) for line in headers.getlist(FORWARDED) for element in _split(line, ",")]
    last = elements[-1] if elements else {}
    address = _client(plain.address, (element.get("for", "") for element in elements), proxies)
    return _asker(plain, address, last.get("proto", ""), last.get("host", ""))


def _asker(plain: Asker, address: str, scheme: str, host: str) -> Asker:
    """An empty `scheme` or `host`: the proxy did not tell it. The scheme is left empty then."""
    scheme = scheme.lower() if scheme.lower() in _SCHEMES else ""
    return Asker(address, scheme, host or plain.host, proxied=True)


def _client(address: str, hops: Iterable[str], proxies: Sequence[Network]) -> str:
    """From `address` backwards along `hops`, whose last is the nearest, up to the first that is no trusted proxy.

    A hop that is no address, as `unknown`, hides who was behind it: whoever named it stands for it.
    """
    for hop in reversed(list(hops)):
        found = node_address(hop) if within(address, proxies) else ""
        if not found:
            break
        address = found
    return address


def node_address(node: str) -> str:
    """The IP address in `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1` or `[2001:db8::1]:80`; empty when there is none."""
    match = _NODE.match(node)
    return plain_address((match["six"] or match["four"]) if match else node) or ""


def _values(headers: Headers, name: str) -> list[str]:
    return [value.strip() for line in headers.getlist(name) for value in line.split(",")]


def _last(values: Sequence[str]) -> str:
    return values[-1] if values else ""


def _parameters(element: str) -> dict[str, str]:
    """The parameters of one element of a Forwarded header: `for="[2001:db8::1]:80";proto=https`."""
    found: dict[str, str] = {}
    for pair in _split(element, ";"):
        name, separator, value = pair.partition("=")
        if separator:
            found[name.strip().lower()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return _ESCAPED.sub(r"\1", value[1:-1]) if quoted else value


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts of `text` between separators outside quotes."""
    begin, quoted, escaped = 0, False, False
    for at, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            yield text[begin:at].strip()
            begin = at + 1
    yield text[begin:].strip()
