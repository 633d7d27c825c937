"""Ed25519 keys in NATS' form (nkeys): seeds in files of their owner alone, public keys as text.

The first letter of a public key names what it is of: O operator, A account, U user.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from infra.bus import nkeys

Kind = Literal["operator", "account", "user"]

_KINDS: dict[Kind, int] = {
    "operator": nkeys.OPERATOR,
    "account": nkeys.ACCOUNT,
    "user": nkeys.USER,
}


class BadKey(Exception):
    """Text or a file that holds no usable key; its own text says which, and what to do."""


class Key:
    """A key pair that can sign."""

    def __init__(self, seed: str) -> None:
        """Raises BadKey."""
        try:
            self._pair = nkeys.KeyPair(seed.strip())
        except nkeys.NotASeed as error:
            raise BadKey(str(error)) from None
        self.public = self._pair.public_key
        self.seed = seed.strip()

    def __repr__(self) -> str:
        return f"Key({self.public})"

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, 64 bytes."""
        return self._pair.sign(data)


def make_key(kind: Kind) -> Key:
    return Key(nkeys.encode_seed(_KINDS[kind], os.urandom(32)))


def read_key(path: Path) -> Key:
    """The key in the file `path`. Raises BadKey."""
    try:
        return Key(path.read_text())
    except OSError as error:
        raise BadKey(f"{path}: {str(error.strerror).lower()}; restore it from a backup of the authority") from None
    except (BadKey, UnicodeDecodeError):
        raise BadKey(f"{path}: not a valid seed; restore it from a backup of the authority") from None


def is_public_user_key(text: str) -> bool:
    """Whether `text` is the public key of a user, checksum included."""
    found = nkeys.decode_public(text)
    return found is not None and found[0] == nkeys.USER


def verifies(public: str, signature: bytes, data: bytes) -> bool:
    """Whether `signature` of `data` was made by the owner of the public key."""
    return nkeys.verifies(public, signature, data)
