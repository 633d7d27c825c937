"""What others who vouch for people say of them: groups to a role, and a name that is ours. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from infra.settings import ServerSettings
from schemas.people import RESERVED_NAMES, Role

EVERYBODY = "*"
MOST_GROUPS = 2000
MOST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^a-z0-9._@+-]+")


def role_of(groups: Iterable[str], settings: ServerSettings) -> Role | None:
    """The highest role of any of `groups`; None when none of them has one."""
    held = {*groups, EVERYBODY}
    named: tuple[tuple[Role, str], ...] = (
        ("admin", settings.oidc_admin_groups),
        ("operator", settings.oidc_operator_groups),
        ("viewer", settings.oidc_viewer_groups),
    )
    return next((role for role, text in named if held & listed(text)), None)


def listed(text: str) -> set[str]:
    """The groups of a setting or a header: separated by commas."""
    return {part.strip() for part in text.split(",") if part.strip()}


def groups_in(claims: Mapping[str, Any], path: str) -> list[str] | None:
    """What `claims` say at `path`, whole or by its dots; None when they say nothing there."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    if isinstance(found, list):
        return [each for each in found[:MOST_GROUPS] if isinstance(each, str)]
    return None


def names_for(wanted: Iterable[Any], subject: str) -> list[str]:
    """Names to try for a new user, the best first: the first of `wanted` that has letters, then with numbers.

    The last is one that nobody else has.
    """
    own = f"user-{hashlib.sha256(subject.encode(errors='replace')).hexdigest()[:12]}"
    cleaned = (_clean(each) for each in wanted if isinstance(each, str))
    best = next((name for name in cleaned if name and name not in RESERVED_NAMES), own)
    return [best, *(f"{best[: MOST_NAME - 4]}-{number}" for number in range(2, 20)), own]


def _clean(name: str) -> str:
    return _NOT_IN_NAMES.sub("-", name.lower()).lstrip("._@+-")[:MOST_NAME].rstrip("-")
