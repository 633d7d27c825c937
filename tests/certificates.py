"""Certificates for tests: our own as settings give them, of any age, and files like those that somebody else made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.certificates.issue import certificate_text, key_text, make_authority, make_key, sign_server
from infra.certificates.listening import Tls, certificates_directory, tls_of
from infra.certificates.names import listener_names
from infra.certificates.own import ensure_certificates
from infra.settings import ServerSettings


def own(data: Path, age: timedelta = timedelta(), **settings: object) -> tuple[ServerSettings, Tls]:
    """Settings with `SONDE_TLS=own`, and the certificates that they had made `age` ago."""
    made = ServerSettings(data=str(data), tls="own", **settings)  # type: ignore[arg-type]
    ensure_certificates(certificates_directory(made), listener_names(made), datetime.now(UTC) - age)
    return made, tls_of(made)


def given(directory: Path, name: str = "given", age: timedelta = timedelta(), names: tuple[str, ...] = ()) -> Tls:
    """Files of a certificate for loopback and `names`, signed `age` ago by an authority of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC) - age
    authority_key, key = make_key(), make_key()
    authority = make_authority(authority_key, now)
    certificate = sign_server(authority, authority_key, key, ("localhost", "127.0.0.1", *names), now)
    files = {"pem": certificate_text(certificate), "key": key_text(key), "ca": certificate_text(authority)}
    for suffix, text in files.items():
        (directory / f"{name}.{suffix}").write_text(text)
    return Tls(*(str(directory / f"{name}.{suffix}") for suffix in files))
