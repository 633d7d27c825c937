"""How our listeners, gateway and bus, are encrypted: decided by settings, the same for both."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from infra.addresses import is_loopback, local_address
from infra.bus.credentials import stamp
from infra.certificates.context import client_context
from infra.settings import ServerSettings, SettingError

DIRECTORY = "certificates"
Stamps = tuple[tuple[int, int], ...]


class Tls(Struct, frozen=True):
    """What a listener shows to those who connect."""

    certificate: str = ""
    """Path of its certificate chain (PEM); empty: it does not encrypt."""
    key: str = ""
    """Path of its private key (PEM)."""
    ca: str = ""
    """Path of the certificate (PEM) that vouches for it; empty: others than us do."""


def certificates_directory(settings: ServerSettings) -> Path:
    """Where our own certificates are."""
    return Path(settings.data).absolute() / DIRECTORY


def tls_of(settings: ServerSettings) -> Tls:
    """What the settings say; the files may not be there yet."""
    if settings.tls == "own":
        directory = certificates_directory(settings)
        return Tls(str(directory / "server.pem"), str(directory / "server.key"), str(directory / "ca.pem"))
    if settings.tls == "files":
        return Tls(settings.tls_certificate, settings.tls_key)
    for field in ("tls_certificate", "tls_key"):
        if getattr(settings, field):
            raise SettingError(
                f"SONDE_{field.upper()}: {getattr(settings, field)!r}: not used, because SONDE_TLS is {settings.tls}; "
                "set SONDE_TLS=files, or remove it"
            )
    return Tls()


def prepare(settings: ServerSettings, now: datetime | None = None) -> Tls:
    """As `tls_of`, with files that are there and good: our own are made or renewed, given ones checked.

    To be called before a listener opens. Raises SettingError. It reads and writes files.
    """
    tls = tls_of(settings)
    moment = now or datetime.now(UTC)
    if settings.tls == "own":
        from infra.certificates.names import listener_names  # these bring a cryptographic library of 10 MiB,
        from infra.certificates.own import ensure_certificates  # which a listener without TLS does without

        ensure_certificates(certificates_directory(settings), listener_names(settings), moment)
    elif settings.tls == "files":
        from infra.certificates.given import check_files

        check_files(tls.certificate, tls.key, moment)
    return tls


def require_encryption(field: str, host: str, settings: ServerSettings) -> None:
    """Raise SettingError when others could reach a listener on `host`, set by `field`, without TLS."""
    if settings.tls == "none" and not is_loopback(host):
        raise SettingError(
            f"SONDE_{field.upper()}: {host!r}: other machines can reach this address, and SONDE_TLS is none; "
            "set SONDE_TLS to own (a certificate authority made here), files (certificates of yours) "
            "or in-front (something in front encrypts), or use 127.0.0.1"
        )


def stamps(tls: Tls) -> Stamps:
    """What differs once a file of the listener was replaced."""
    return tuple(stamp(path) for path in (tls.certificate, tls.key))


def local_gateway(settings: ServerSettings) -> str:
    """Address under which this machine reaches its gateway."""
    scheme = "https" if settings.tls in ("own", "files") else "http"
    return f"{scheme}://{local_address(settings.http_host)}:{settings.port}"


def local_trust(settings: ServerSettings) -> ssl.SSLContext:
    """Whom to trust under that address. Raises OSError or SettingError."""
    tls = tls_of(settings)
    if not tls.certificate:
        return ssl.create_default_context()
    return client_context(tls.ca or tls.certificate, issuer=bool(tls.ca))
