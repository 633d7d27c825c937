"""Checking certificate files that somebody gave us, before a listener shows them to others."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from infra.certificates.context import scratch
from infra.certificates.issue import names_in
from infra.settings import SettingError

T = TypeVar("T")


def check_files(certificate: str, key: str, now: datetime) -> None:
    """Raise SettingError unless the files hold a certificate that is valid at `now`, and its key."""
    if not certificate or not key:
        field = "TLS_KEY" if certificate else "TLS_CERTIFICATE"
        what = "its private key" if certificate else "the certificate chain"
        raise SettingError(f"SONDE_{field}: empty, and SONDE_TLS is files; give the path of {what} (PEM)")
    chain = _read("SONDE_TLS_CERTIFICATE", certificate, "a certificate chain", _certificates)
    leaf = chain[0]
    public = _read("SONDE_TLS_KEY", key, "a private key without a password", _public_key)
    if leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public:
        raise SettingError(
            f"SONDE_TLS_KEY: {key!r}: not the key of the first certificate in {certificate}; give the two that belong "
            "together, the certificate of the server first in its file"
        )
    if now >= leaf.not_valid_after_utc:
        raise SettingError(
            f"SONDE_TLS_CERTIFICATE: {certificate!r}: expired on {leaf.not_valid_after_utc:%Y-%m-%d}; renew it"
        )
    if now < leaf.not_valid_before_utc:
        raise SettingError(
            f"SONDE_TLS_CERTIFICATE: {certificate!r}: valid only from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC; "
            "wait, or correct the clock of this machine"
        )
    try:
        scratch(certificate, key)
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, ssl.SSLError) else error
        raise SettingError(
            f"SONDE_TLS_CERTIFICATE: {certificate!r}: OpenSSL refuses it: {why}; make a new one"
        ) from None


def expiry(certificate: str) -> datetime:
    """When the first certificate of a file expires. Raises SettingError."""
    return _read("SONDE_TLS_CERTIFICATE", certificate, "a certificate chain", _certificates)[0].not_valid_after_utc


def first_name(certificate: str) -> str:
    """A host name or address that the first certificate of a file is for; empty when it names none.

    Raises SettingError.
    """
    leaf = _read("SONDE_TLS_CERTIFICATE", certificate, "a certificate chain", _certificates)[0]
    names = sorted(name for name in names_in(leaf) if not name.startswith("*."))
    return names[0] if names else ""


def _read(field: str, path: str, what: str, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(Path(path).read_bytes())
    except OSError as error:
        reason = str(error.strerror).lower()
        raise SettingError(f"{field}: {path!r}: {reason}; give the path of a file that this user may read") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingError(f"{field}: {path!r}: not {what}; give the path of a PEM file with one") from None


def _certificates(data: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(data)


def _public_key(data: bytes) -> bytes:
    public = load_pem_private_key(data, None).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
