"""Who a program is to the bus: the user JWT and the seed in a .creds file.

The file is read at every connection, so that it can be renewed under a running program. nats-py's own reader never
returns from a file without a JWT in it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import nats.errors

_JWT = re.compile(rb"-BEGIN NATS USER JWT-+\s+([\w.=-]+)\s")
_SEED = re.compile(rb"-BEGIN USER NKEY SEED-+\s+([A-Z2-7]+)\s")


class BadCredentials(nats.errors.Error):
    """The file does not say who we are; its text names the file and the remedy."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"credentials file {path}: {reason}")
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[0])


def read_credentials(path: str) -> tuple[bytes, bytes]:
    """User JWT and seed. Raises BadCredentials."""
    try:
        text = Path(path).read_bytes() + b"\n"
    except OSError as error:
        raise BadCredentials(path, f"{error.strerror}; create the file, readable by this program") from None
    jwt, seed = _JWT.search(text), _SEED.search(text)
    if jwt is None or seed is None:
        missing = "user JWT" if jwt is None else "seed"
        raise BadCredentials(path, f"it has no {missing}; it must hold both blocks of a NATS .creds file")
    return jwt[1], seed[1]


def credentials_text(token: str, seed: str) -> str:
    """The content of a `.creds` file, which any NATS client takes."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        "The seed below is a secret: whoever has it is this user.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def user_name(path: str) -> str:
    """The name in the JWT of a .creds file, which its permissions go by. Raises BadCredentials."""
    jwt, _ = read_credentials(path)
    try:
        claims = jwt.split(b".")[1]
        name = json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))["name"]
    except (IndexError, KeyError, TypeError, ValueError):
        raise BadCredentials(path, "its user JWT is not readable; replace the file") from None
    return str(name)


def identity(path: str) -> tuple[Callable[[str], bytes], Callable[[], bytes]]:
    """What a nats-py client calls to answer the server's challenge: `signature_cb`, then `user_jwt_cb`.

    Both answer with what is in `path` by then, and raise BadCredentials.
    """
    jwt = b""

    def sign(nonce: str) -> bytes:
        nonlocal jwt
        jwt, seed = read_credentials(path)
        try:
            from infra.bus import nkeys  # a cryptographic library, which a program without credentials does without
        except ImportError as error:
            raise BadCredentials(path, f"the Python package PyNaCl is needed to sign: {error}; install it") from None
        try:
            pair = nkeys.KeyPair(seed)
        except nkeys.NotASeed:
            raise BadCredentials(path, "its seed is not valid; replace the file") from None
        return base64.b64encode(pair.sign(nonce.encode()))

    return sign, lambda: jwt


def stamp(path: str) -> tuple[int, int]:
    """What differs once the file was replaced or written to; zeros while there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
