"""What the account is to be, from what servers hold, what is saved, and what the table says. Pure.

What was revoked once stays so, whichever of the three was set back: a restored backup of the database or of the
authority brings nobody back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from infra.authority.authority import issued_in, revocations_in, union


class Known(Struct, frozen=True):
    """What is known at the begin of a round."""

    held: Sequence[str]
    """The account's JWT at each server that has one."""
    saved: str
    """As it was last signed here."""
    table: Mapping[str, int]
    """Public key -> Unix seconds."""


class Plan(Struct, frozen=True):
    """What is to be done."""

    wanted: dict[str, int]
    """Revocations that the account is to have."""
    missing: dict[str, int]
    """Those that the table lacks."""
    token: str
    """A JWT that says all this already; empty: one is to be signed."""
    after_s: int
    """When the newest JWT known was issued."""
    level: bool
    """Whether every server that has the account has it so."""


def all_revocations(known: Known) -> dict[str, int]:
    """Every revocation that any of the three knows."""
    return union(known.table, *map(revocations_in, {*known.held, known.saved}))


def plan(known: Known, aged: Collection[str], is_outdated: Callable[[str], bool]) -> Plan:
    """`aged`: keys whose JWTs have all expired. `is_outdated` tells of a JWT whether its roles are not those of now."""
    wanted = {key: at for key, at in all_revocations(known).items() if key not in aged}
    missing = {key: at for key, at in wanted.items() if at > known.table.get(key, 0)}
    tokens = sorted({*known.held, known.saved} - {""}, key=issued_in)
    good = [token for token in tokens if revocations_in(token) == wanted and not is_outdated(token)]
    newest = tokens[-1] if tokens else ""
    token = newest if newest in good else ""
    level = bool(known.held) and all(held in good for held in known.held)
    return Plan(wanted, missing, token, issued_in(newest), level)
