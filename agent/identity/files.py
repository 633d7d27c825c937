"""Writing the identity: each file whole or not at all, in an order in which every interruption can be gone on from."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agent.identity.state import Identity, IdentityError, ca_path, credentials_path, directory_of
from infra.authority.keys import BadKey, Key, make_key
from infra.bus.credentials import credentials_text
from infra.files import write_private

if sys.platform != "win32":
    import fcntl

SEED = "seed"
NEW_SEED = "seed.new"


@contextlib.contextmanager
def only_one(data: str) -> Iterator[None]:
    """The directory is there, and no other process enrols in it meanwhile. Raises IdentityError."""
    directory = directory_of(data)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        directory.chmod(0o700)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise IdentityError(
            f"{error.filename or directory}: {str(error.strerror).lower()}; run this as the user of the agent, or as "
            "root, or set SONDE_DATA to its data directory"
        ) from None
    try:
        if sys.platform != "win32":
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise IdentityError(f"{directory}: another process is enrolling there; wait until it is done") from None
        yield
    finally:
        os.close(lock)


def read_seed(path: Path) -> Key | None:
    """The key in a file; None without the file. Raises IdentityError."""
    try:
        return Key(path.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IdentityError(f"{path}: {str(error.strerror).lower()}") from None
    except (BadKey, UnicodeDecodeError):
        raise IdentityError(f"{path}: not a valid seed; remove it and enrol with a new token") from None


def key_to_enrol(data: str, again: bool) -> Key:
    """The key to enrol with: the one of an earlier attempt, else a new one.

    `again`: a successor of the one in use. Raises IdentityError.
    """
    return read_seed(directory_of(data) / (NEW_SEED if again else SEED)) or new_key(data, again)


def new_key(data: str, again: bool) -> Key:
    """A new key to enrol with, which is on the disk before anybody hears of it. Raises IdentityError."""
    key = make_key("user")
    _write(directory_of(data) / (NEW_SEED if again else SEED), key.seed + "\n")
    return key


def key_of(data: str, identity: Identity) -> Key:
    """The key of an identity. Raises IdentityError."""
    directory = directory_of(data)
    for name in (SEED, NEW_SEED):
        key = read_seed(directory / name)
        if key is not None and key.public == identity.public_key:
            return key
    raise IdentityError(
        f"{directory / SEED}: not the key of {identity.host}; restore it from a backup, or enrol again with a token: "
        "sonde agent enrol --again"
    )


def accept(data: str, identity: Identity, key: Key) -> None:
    """Be `identity` from now on: the first write decides, `complete` does the rest. Raises IdentityError."""
    _write(directory_of(data) / "identity.json", msgspec.json.format(msgspec.json.encode(identity)).decode() + "\n")
    complete(data, identity, key)


def complete(data: str, identity: Identity, key: Key) -> None:
    """Make the files that follow from `identity` and its key, unless they are as they should be."""
    _ensure(credentials_path(data), credentials_text(identity.jwt, key.seed))
    _ensure(ca_path(data), identity.ca)


def promote(data: str, identity: Identity) -> None:
    """The last step of enrolling again: the accepted key takes the place of the one before. Raises IdentityError."""
    successor = directory_of(data) / NEW_SEED
    key = read_seed(successor)
    if key is not None and key.public == identity.public_key:
        _write(directory_of(data) / SEED, key.seed + "\n")
        successor.unlink()


def is_unfinished(data: str, identity: Identity) -> bool:
    """Whether `identity` comes from an `enrol --again` that did not get to its last step."""
    key = read_seed(directory_of(data) / NEW_SEED)
    return key is not None and key.public == identity.public_key


def _ensure(path: Path, text: str) -> None:
    try:
        held = path.read_text()
    except OSError:
        held = ""
    if held != text:
        _write(path, text)


def _write(path: Path, text: str) -> None:
    try:
        write_private(path, text)
    except OSError as error:
        raise IdentityError(
            f"{error.filename or path}: {str(error.strerror).lower()}; the identity must be writable for the agent"
        ) from None
