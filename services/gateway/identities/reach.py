"""Where machines and people reach the gateway and the bus, and why other machines cannot."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from infra.addresses import bracketed, is_loopback
from infra.settings import ServerSettings

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- compared, not bound


class Reach(Struct, frozen=True):
    """What a machine has to know to join."""

    url: str
    """Of the gateway, without a slash at its end."""
    bus: tuple[str, ...]
    """Addresses of the bus."""
    ca_pem: str = ""
    """Certificates that vouch for both; empty: those that the system trusts do."""
    pin: str = ""
    """Base64 of the SHA-256 of the gateway's public key, where the certificate authority is our own."""
    obstacle: str = ""
    """Why other machines cannot enrol, and which setting changes that; empty when they can."""

    def page(self, host: str) -> str:
        """Address of the host's page."""
        return f"{self.url}/hosts/{host}"

    def line(self, secret: str) -> str:
        """What to paste on a machine so that it joins; empty where it could not."""
        if self.obstacle:
            return ""
        trust = f"-fsSk --pinnedpubkey 'sha256//{self.pin}'" if self.pin else "-fsS"
        return f"curl {trust} {self.url}/install.sh | sh -s -- --token {secret}"


def reach_of(settings: ServerSettings, ca_pem: str = "", pin: str = "") -> Reach:
    """What the settings of the gateway say; `ca_pem` and `pin` are those of a certificate authority of our own."""
    # The bus may be another's, with a certificate authority that is not ours.
    trusted = "".join(dict.fromkeys(filter(None, (ca_pem, _given_ca(settings)))))
    return Reach(_url(settings), _bus(settings), trusted, pin, obstacle(settings))


def obstacle(settings: ServerSettings) -> str:
    """Why other machines do not reach gateway or bus, with the remedy; empty when they do."""
    if not settings.public_url and is_loopback(settings.http_host):
        return (
            f"the gateway listens on {settings.http_host} only; set SONDE_HTTP_HOST and SONDE_BUS_HOST to an address of"
            " this machine that others reach, and SONDE_TLS to own, files or in-front"
        )
    if not settings.public_url and settings.http_host in _ANYWHERE:
        return "no address is known under which machines reach the gateway; set SONDE_PUBLIC_URL"
    loopback = [url for url in _bus(settings) if is_loopback(urlsplit(url).hostname or "")]
    if loopback or (settings.bus_port and not settings.bus_url and is_loopback(settings.bus_host)):
        return (
            f"the bus listens on {settings.bus_host} only; set SONDE_BUS_HOST to an address of this machine that others"
            " reach, or SONDE_BUS_URL to the one under which they do"
        )
    return ""


def _url(settings: ServerSettings) -> str:
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if settings.tls in ("own", "files") else "http"
    return f"{scheme}://{bracketed(settings.http_host)}:{settings.port}"


def _bus(settings: ServerSettings) -> tuple[str, ...]:
    if settings.bus_url:
        return tuple(settings.bus_url.split(","))
    host = settings.bus_host
    if host in _ANYWHERE or (settings.public_url and not is_loopback(host)):
        host = urlsplit(_url(settings)).hostname or ""
    if not settings.bus_port or is_loopback(host) or host in _ANYWHERE:
        return (_without_user(settings.nats_url),)
    scheme = "nats" if settings.tls == "none" else "tls"
    return (f"{scheme}://{bracketed(host)}:{settings.bus_port}",)


def _without_user(url: str) -> str:
    """The address alone: user and password in it are the gateway's own."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _given_ca(settings: ServerSettings) -> str:
    """The certificates that the gateway itself needs for the bus: agents need them too. Raises OSError."""
    return Path(settings.nats_ca).read_text() if settings.nats_ca else ""
