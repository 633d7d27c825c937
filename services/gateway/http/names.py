"""Under which names the gateway may be asked, and which pages are its own."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from infra.addresses import is_loopback, names_of, plain_address
from infra.certificates.names import machine_names
from infra.settings import ServerSettings

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Names(Struct, frozen=True):
    """Under which names a gateway may be asked."""

    names: frozenset[str]
    addresses: bool = False
    """Whether under any IP address too: no name server can point one at us."""
    origins: frozenset[tuple[str, str]] = frozenset()
    """Schemes and hosts of pages that are ours even where a proxy in front hides under which name it was asked."""

    def allow(self, name: str) -> bool:
        return name in self.names or (self.addresses and plain_address(name) is not None)


def names_of_gateway(settings: ServerSettings) -> Names:
    """As the settings say; a gateway that other machines reach has the names and addresses of its machine too."""
    reachable = not is_loopback(settings.http_host)
    told = (settings.http_host, urlsplit(settings.public_url).netloc)
    names = LOOPBACK_NAMES | names_of(settings.allowed_names) | frozenset(filter(None, map(host_name, told)))
    if reachable:
        names |= frozenset(machine_names())
    own = origin_of(settings.public_url) if settings.public_url else None
    return Names(names, reachable, frozenset({own} if own else ()))


def same_origin(origin: str, scheme: str, host: str, names: Names) -> bool:
    """Whether a page of `origin` is ours, when we were asked as `host` over `scheme`.

    A proxy that is not trusted does not tell that it encrypts: an https page is ours over http, too, never the reverse.
    """
    given = origin_of(origin)
    if given is None:
        return False
    if given in names.origins:
        return True
    asked = origin_of(f"{scheme}://{host}")
    return asked is not None and given[1] == asked[1] and given[0] in (asked[0], "https")


def origin_of(url: str) -> tuple[str, str] | None:
    """Scheme and host of an Origin header or address, without the ports 80 and 443; None for `null` and the like."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or parts.path not in ("", "/") or "@" in parts.netloc:
        return None
    try:
        port = parts.port
    except ValueError:
        return None
    name = _plain(parts.hostname or "")
    return (parts.scheme, name if port in (None, 80, 443) else f"{name} {port}") if name else None


def host_name(host: str) -> str:
    """The name in a Host header or an address, without port, brackets and last dot, lower case; empty for none."""
    parts = _split(f"//{host}")
    return _plain(parts.hostname or "") if parts else ""


def _plain(name: str) -> str:
    return plain_address(name) or name.removesuffix(".")


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None
