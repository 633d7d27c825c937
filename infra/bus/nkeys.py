"""Ed25519 keys as NATS writes them (nkeys): seeds, public keys and signatures.

A seed is base32 of two bytes (that it is one, and of what), 32 secret bytes and a checksum; a public key is base32 of
one byte, 32 bytes and a checksum. NATS' own package is published as source only, which a machine without a compiler's
tools or without a package index could not install: https://docs.nats.io/reference/reference-protocols/nkeys
"""

from __future__ import annotations

import base64
import binascii

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3
"""The kinds of keys: what the first letter of a public key becomes, O, A and U."""
_SEED = 18 << 3
_KINDS = (OPERATOR, ACCOUNT, USER)
_KEY_BYTES = 32
_CHECKSUM_BYTES = 2


class NotASeed(ValueError):
    """The text is no seed of a kind that we know. It does not say which text: that is a secret."""


class KeyPair:
    """The key of one seed."""

    def __init__(self, seed: str | bytes) -> None:
        """Raises NotASeed."""
        kind, secret = _decode_seed(seed)
        self._signing = SigningKey(secret)
        self.public_key = encode_public(kind, bytes(self._signing.verify_key))

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, 64 bytes."""
        return self._signing.sign(data).signature


def encode_seed(kind: int, secret: bytes) -> str:
    """The seed of 32 secret bytes."""
    return _encode(bytes((_SEED | kind >> 5, (kind & 31) << 3)) + secret)


def encode_public(kind: int, key: bytes) -> str:
    return _encode(bytes((kind,)) + key)


def decode_public(text: str) -> tuple[int, bytes] | None:
    """Kind and the 32 bytes of a public key; None when the text is none."""
    raw = _decode(text)
    if raw is None or len(raw) != 1 + _KEY_BYTES or raw[0] not in _KINDS:
        return None
    return raw[0], raw[1:]


def verifies(public_key: str, signature: bytes, data: bytes) -> bool:
    """Whether the owner of `public_key` made this signature of `data`."""
    found = decode_public(public_key)
    if found is None:
        return False
    try:
        VerifyKey(found[1]).verify(data, signature)
    except (CryptoError, ValueError):  # the latter for one of a wrong length
        return False
    return True


def _decode_seed(seed: str | bytes) -> tuple[int, bytes]:
    raw = _decode(seed)
    if raw is None or len(raw) != 2 + _KEY_BYTES or raw[0] & 0xF8 != _SEED:
        raise NotASeed("not a valid seed")
    kind = (raw[0] & 7) << 5 | raw[1] >> 3
    if kind not in _KINDS:
        raise NotASeed("not the seed of an operator, an account or a user")
    return kind, raw[2:]


def _encode(raw: bytes) -> str:
    return base64.b32encode(raw + _checksum(raw)).decode().rstrip("=")


def _decode(text: str | bytes) -> bytes | None:
    """The bytes before the checksum; None when it is wrong, or the text is no base32."""
    encoded = text.encode() if isinstance(text, str) else bytes(text)
    try:
        raw = base64.b32decode(encoded + b"=" * (-len(encoded) % 8))
    except (binascii.Error, ValueError):
        return None
    body, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    return body if checksum == _checksum(body) else None


def _checksum(raw: bytes) -> bytes:
    """CRC-16/XMODEM, low byte first."""
    return binascii.crc_hqx(raw, 0).to_bytes(_CHECKSUM_BYTES, "little")
