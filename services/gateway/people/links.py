"""One-time links: whoever has one sets a password for its user, and is logged in. Opening the page uses nothing up."""

from __future__ import annotations

from datetime import datetime

from infra.clock import now_ms, to_time
from infra.storage.database import Connection
from services.gateway.people import sql
from services.gateway.people.credentials import hashed, make_secret

FIRST_S = 86_400
"""How long the link of a first start is good."""
RESET_S = 3_600
"""How long any other one is."""


async def make_link(database: Connection, user_id: int, life_s: int = RESET_S) -> tuple[str, datetime]:
    """Secret and end of a new link of that user; older ones are no more. Inside a transaction."""
    secret, expires = make_secret(), to_time(now_ms() + life_s * 1000)
    await database.execute(sql.DROP_LINKS, user_id)
    await database.execute(sql.ADD_LINK, hashed(secret), user_id, expires)
    return secret, expires


def link_url(base: str, secret: str) -> str:
    """Where the link leads. No browser sends what follows #, so no log of a server has it."""
    return f"{base.rstrip('/')}/login#link={secret}"
