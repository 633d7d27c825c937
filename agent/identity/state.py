"""Who this machine is, as kept in `agent/identity/` of the data directory (mode 0700):

    seed           the private key (0600), made first: whatever is interrupted goes on with the same one
    seed.new       its successor, until that is accepted
    identity.json  host, addresses, JWT: the one file that counts, replaced in one step
    agent.creds    JWT and seed for the bus (0600)
    ca.pem         certificates that vouch for gateway and bus, if not the system's do

The last two are made from the others, and made again when they disagree.
"""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.settings import AgentSettings
from schemas.enrolment import name_fault
from schemas.subjects import host_from_name, valid_host


class IdentityError(Exception):
    """The identity cannot be used or made; the text says why and what to do."""


class Identity(Struct, frozen=True):
    """`identity.json`; nothing of it is secret."""

    host: str
    gateway: str
    """Address at which it was enrolled."""
    public_key: str
    jwt: str
    issued: int
    """Unix seconds, of the gateway's clock, as the other times."""
    expires: int
    enrolled: int
    bus: list[str]
    page: str
    """Address of the host's page."""
    ca: str = ""
    """Certificates (PEM) that vouch for gateway and bus; empty: those that the system trusts do."""
    ca_fingerprint: str = ""
    """SHA-256 by which the first of them was known; empty: none was."""
    ahead_s: float = 0
    """How far the gateway's clock was ahead of this machine's when it last answered."""


def directory_of(data: str) -> Path:
    return Path(data).absolute() / "agent" / "identity"


def credentials_path(data: str) -> Path:
    return directory_of(data) / "agent.creds"


def ca_path(data: str) -> Path:
    return directory_of(data) / "ca.pem"


def load(data: str) -> Identity | None:
    """The identity in this data directory; None without one. Raises IdentityError."""
    path = directory_of(data) / "identity.json"
    try:
        identity = msgspec.json.decode(path.read_bytes(), type=Identity)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = str(error.strerror).lower()
        raise IdentityError(f"{path}: {reason}; run this as the user of the agent, or as root") from None
    except msgspec.MsgspecError:
        raise IdentityError(
            f"{path}: not readable; remove it and enrol again with a token: the key beside it stays the same"
        ) from None
    if not valid_host(identity.host):
        raise IdentityError(f"{path}: {identity.host[:60]!r} is no host id; remove it and enrol again with a token")
    return identity


def read_ca(path: str) -> str:
    """The certificates in the file that SONDE_CA names; empty without one. Raises IdentityError."""
    try:
        return Path(path).read_text() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise IdentityError(f"SONDE_CA: {path!r}: {reason.lower()}; give the path of a PEM file") from None


def wished_name(settings: AgentSettings) -> str:
    """The host id that a machine without an identity takes, or asks for."""
    name = settings.host or host_from_name(socket.gethostname())
    return f"{name[:38]}-1" if not settings.host and name_fault(name) else name


def host_of(settings: AgentSettings) -> str:
    """The host id as far as it is known: of the identity, else of the settings, else made from the machine's name."""
    try:
        identity = None if settings.nats_credentials else load(settings.data)
    except IdentityError:
        identity = None
    return wished_name(settings) if identity is None else identity.host
