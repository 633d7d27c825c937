"""The certificate authority that Sonde makes, and its listeners' certificate, in a directory of their own.

    ca.pem       what agents and browsers are to trust; its fingerprint is in the line that installs an agent
    ca.key       signs; needed whenever the certificate is renewed
    server.pem   the certificate of gateway and bus: 90 days, renewed when a third of that is left
    server.key   its key, kept when the certificate is renewed: whoever has pinned the key need not be told

Each file is replaced whole, a key before its certificate, so an interrupted run leaves what the next one completes.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.certificates.issue import (
    LIFE,
    PrivateKey,
    certificate_text,
    key_text,
    make_authority,
    make_key,
    names_in,
    public_bytes,
    sign_server,
)
from infra.files import locked, write_private, write_whole
from infra.settings import SettingError

logger = logging.getLogger(__name__)

RENEW_LEFT = LIFE / 3
"""How much of its life is left when the certificate is renewed."""
CA, CA_KEY, SERVER, SERVER_KEY = "ca.pem", "ca.key", "server.pem", "server.key"


class CertificateError(SettingError):
    """Our own certificates cannot be used; the text names the file and the remedy."""


def ensure_certificates(directory: Path, names: Sequence[str], now: datetime) -> None:
    """Make what is missing in `directory`, and renew what is due; several processes may ask at once.

    `names`: under which the listeners are reached. Raises CertificateError.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(directory / "lock"):
            for unfinished in directory.glob(".*.new"):
                unfinished.unlink()
            authority = _authority(directory, now)
            key = _server_key(directory)
            present = _certificate(directory / SERVER)
            if present is None or not _serves(present, authority, key, names, now):
                _sign(directory, authority, key, names, now)
    except OSError as error:
        raise CertificateError(
            f"{error.filename or directory}: {str(error.strerror).lower()}; "
            "the certificates need a directory that this user may write"
        ) from None


def fingerprint(directory: Path) -> str:
    """SHA-256 of the authority's certificate, 64 hexadecimal digits. Raises CertificateError."""
    return _needed(directory / CA).fingerprint(hashes.SHA256()).hex()


def pin(directory: Path) -> str:
    """SHA-256 of the listeners' public key in base64, as `curl --pinnedpubkey sha256//...` has it.

    Raises CertificateError.
    """
    return base64.b64encode(hashlib.sha256(public_bytes(_needed(directory / SERVER))).digest()).decode()


def _authority(directory: Path, now: datetime) -> x509.Certificate:
    path = directory / CA
    found = _certificate(path)
    if found is None:
        if path.exists():
            raise CertificateError(f"{path}: not a certificate; restore it from a backup")
        found = make_authority(_key(directory / CA_KEY) or _make_key(directory / CA_KEY), now)
        write_whole(path, certificate_text(found))
        digest = found.fingerprint(hashes.SHA256()).hex()
        logger.info("certificate authority created", extra={"path": str(path), "fingerprint": digest})
    if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
        raise CertificateError(
            f"{path}: valid from {found.not_valid_before_utc:%Y-%m-%d} to {found.not_valid_after_utc:%Y-%m-%d}, "
            f"and it is {now:%Y-%m-%d}; correct the clock, or move {directory} away and enrol all agents again"
        )
    return found


def _server_key(directory: Path) -> PrivateKey:
    return _key(directory / SERVER_KEY) or _make_key(directory / SERVER_KEY)


def _make_key(path: Path) -> PrivateKey:
    key = make_key()
    write_private(path, key_text(key))
    return key


def _key(path: Path) -> PrivateKey | None:
    """The key in a file; None when there is no file. Raises CertificateError."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except (TypeError, ValueError):  # the former for one that asks for a password
        key = None
    if not isinstance(key, PrivateKey):
        raise CertificateError(f"{path}: not a private key of ours; restore it from a backup")
    return key


def _certificate(path: Path) -> x509.Certificate | None:
    """The certificate in a file; None when there is none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _needed(path: Path) -> x509.Certificate:
    try:
        found = _certificate(path)
    except OSError as error:
        raise CertificateError(f"{path}: {str(error.strerror).lower()}; run this as the user of `sonde up`") from None
    if found is None:
        raise CertificateError(f"{path}: no certificate there; start the gateway with SONDE_TLS=own")
    return found


def _serves(
    present: x509.Certificate, authority: x509.Certificate, key: PrivateKey, names: Sequence[str], now: datetime
) -> bool:
    """Whether the certificate is good for a while yet, and cannot be made a better one."""
    end = present.not_valid_after_utc
    lasts = end - now > RENEW_LEFT or end == authority.not_valid_after_utc
    ours = public_bytes(present) == public_bytes(key) and _signed_by(authority, present)
    return ours and lasts and present.not_valid_before_utc <= now and names_in(present).issuperset(names)


def _signed_by(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _sign(directory: Path, authority: x509.Certificate, key: PrivateKey, names: Sequence[str], now: datetime) -> None:
    path = directory / CA_KEY
    authority_key = _key(path)
    if authority_key is None:
        raise CertificateError(f"{path}: no such file, and a certificate is to be signed; restore it from a backup")
    if public_bytes(authority_key) != public_bytes(authority):
        raise CertificateError(f"{path}: not the key of {CA} beside it; restore both from one backup")
    made = sign_server(authority, authority_key, key, names, now)
    write_whole(directory / SERVER, certificate_text(made))
    facts = {"path": str(directory / SERVER), "expires": f"{made.not_valid_after_utc:%Y-%m-%d}", "names": list(names)}
    logger.info("certificate issued", extra=facts)
