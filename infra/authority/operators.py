"""People who read the bus with clients of their own: a `.creds` file each, which reads all subjects and writes none."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.authority.authority import SYSTEM_USER, Authority, AuthorityError, only_one
from infra.authority.keys import make_key
from infra.authority.roles import SERVICES
from infra.bus.credentials import credentials_text
from infra.files import write_private
from schemas.subjects import valid_host


class Operator(Struct):
    """One person, or one program of hers."""

    name: str
    public_key: str
    made_s: int
    expires_s: int
    """0: never."""


class NoOperator(AuthorityError):
    """Nobody of that name; the text names those that there are."""


def operators_file(authority: Authority) -> Path:
    return authority.directory / "operators.json"


def read_operators(authority: Authority) -> list[Operator]:
    """Everybody who was added and not revoked since, by name. Raises AuthorityError."""
    path = operators_file(authority)
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Operator])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise AuthorityError(f"{path}: not readable ({error}); restore it from a backup") from None


def add_operator(authority: Authority, name: str, days: float = 0) -> str:
    """Add one, whose file ends after `days` (0: never); returns the content of the `.creds` file.

    Raises AuthorityError.
    """
    if not valid_host(name):
        raise AuthorityError(f"operator: {name[:60]!r}: must be 1 to 40 characters, each a-z, 0-9 or -")
    if name in (*SERVICES, SYSTEM_USER):
        raise AuthorityError(f"operator: {name!r} is a service, whose answers it would read; choose another name")
    with only_one(authority.directory):
        present = read_operators(authority)
        if any(operator.name == name for operator in present):
            raise AuthorityError(f"operator: {name!r} exists; revoke it first, or choose another name")
        user, now_s = make_key("user"), int(time.time())
        expires_s = now_s + round(days * 86400) if days else 0
        token = authority.sign_user("operator", user.public, name, now_s, expires_s)
        # Listed before it works: nobody has a file that cannot be revoked.
        _write(authority, [*present, Operator(name, user.public, now_s, expires_s)])
    return credentials_text(token, user.seed)


def revoke_operator(authority: Authority, name: str) -> None:
    """Take the operator `name` off the list, its key revoked in the saved account of the services: push that one.

    Raises NoOperator.
    """
    with only_one(authority.directory):
        present = read_operators(authority)
        found = [operator for operator in present if operator.name == name]
        if not found:
            known = ", ".join(operator.name for operator in present) or "none"
            raise NoOperator(f"operator: {name[:60]!r} does not exist; there are {known}")
        authority.sign_anew("services", {found[0].public_key: int(time.time())})
        _write(authority, [operator for operator in present if operator.name != name])


def _write(authority: Authority, operators: list[Operator]) -> None:
    ordered = sorted(operators, key=lambda operator: operator.name)
    write_private(operators_file(authority), msgspec.json.encode(ordered).decode())
