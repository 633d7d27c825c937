"""The API token with which a benchmark asks the gateway."""

from __future__ import annotations

from infra.storage.database import Connection
from services.gateway.people.api_tokens import make_api_token

LIFE_S = 86_400


async def bearer(database: Connection) -> dict[str, str]:
    """The header of an administrator's token, made straight in the database."""
    _, secret = await make_api_token(database, None, "a benchmark", "admin", LIFE_S)
    return {"Authorization": f"Bearer {secret}"}
