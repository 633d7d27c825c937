"""Ed25519 keys in NATS' form (nkeys): seeds in files of their owner alone, public keys as text.

The first letter of a public key names what it is of: O operator, A account, U user.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Literal

import nkeys
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from infra.files import write_private as write_private

Kind = Literal["operator", "account", "user"]

_PREFIXES: dict[Kind, int] = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}


class BadKey(Exception):
    """Text or a file that holds no usable key; its own text says which, and what to do."""


class Key:
    """A key pair that can sign."""

    def __init__(self, seed: str) -> None:
        """Raises BadKey."""
        try:
            self._pair = nkeys.from_seed(bytearray(seed.strip().encode()))
            self.public: str = self._pair.public_key.decode()
        except Exception:  # nkeys raises many kinds for one thing; none of them may show the seed
            raise BadKey("not a valid seed") from None
        self.seed = seed.strip()

    def __repr__(self) -> str:
        return f"Key({self.public})"

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, 64 bytes."""
        signature: bytes = self._pair.sign(data)
        return signature


def make_key(kind: Kind) -> Key:
    return Key(nkeys.encode_seed(os.urandom(32), _PREFIXES[kind]).decode())


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
    return text.startswith("U") and _raw_public(text) is not None


def verifies(public: str, signature: bytes, data: bytes) -> bool:
    """Whether `signature` of `data` was made by the owner of the public key."""
    key = _raw_public(public)
    if key is None:
        return False
    try:
        VerifyKey(key).verify(data, signature)
    except (CryptoError, ValueError):  # the latter for one of a wrong length
        return False
    return True


def _raw_public(text: str) -> bytes | None:
    """The 32 bytes of a public key, between its kind and its checksum; None when it is none."""
    try:
        raw = base64.b32decode(text)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 35 or nkeys.crc16_checksum(raw[:33]) != raw[33:]:
        return None
    return raw[1:33]
