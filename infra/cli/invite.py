"""The agent of `sonde up` joins like every other one: with a token, over HTTP, at the gateway beside it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.identity import state
from infra.addresses import bracketed
from infra.certificates.listening import local_gateway
from infra.files import write_private
from infra.settings import AgentSettings, ServerSettings
from infra.storage.database import connection
from schemas.enrolment import NewToken
from services.gateway.enrolment.api_tokens import make_token
from services.gateway.enrolment.tokens import token_hash

NOTE = "the agent of this machine, by sonde up"
TOKEN_S = 86_400

_USABLE = """
SELECT EXISTS (SELECT FROM enrolment_tokens WHERE hash = $1 AND withdrawn IS NULL AND (expires > now() OR used > 0))
"""
_WITHOUT_IDENTITY = """
SELECT EXISTS (SELECT FROM hosts h WHERE h.name = $1 AND h.state = 'active'
    AND NOT EXISTS (SELECT FROM identities i WHERE i.host_id = h.id))
"""


async def invite(server: ServerSettings, local: AgentSettings) -> AgentSettings:
    """The agent's settings: how it reaches bus and gateway here, and what it enrols with, unless it has done so.

    Neither what it enrolled with nor what other machines are told need hold here and now: ports and certificates may be
    others by now. A host that an open installation knew by this machine's name stays that host. Raises IdentityError,
    database errors.
    """
    local = _reaching(server, local)
    if local.nats_credentials or state.load(local.data) is not None:
        return local
    path = state.directory_of(local.data) / "token"
    async with connection(server.database_url, "invite") as database:
        earlier = _read(path)
        if not (earlier and await database.fetchval(_USABLE, token_hash(earlier))):
            name = state.wished_name(local)
            known = await database.fetchval(_WITHOUT_IDENTITY, name)
            wanted = NewToken(note=NOTE, expires_s=TOKEN_S, host=name if known else "")
            _, secret = await make_token(database, wanted)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, secret + "\n")
    return msgspec.structs.replace(local, token_file=str(path))


def _reaching(server: ServerSettings, local: AgentSettings) -> AgentSettings:
    """With given certificates the agent goes by the name that they are for, which has to lead here."""
    bus, gateway = server.nats_url, local_gateway(server)
    if server.nats_server_name:
        bus = f"tls://{bracketed(server.nats_server_name)}:{server.bus_port}"
        gateway = server.public_url or f"https://{bracketed(server.nats_server_name)}:{server.port}"
    return msgspec.structs.replace(local, nats_url=bus, gateway=gateway, ca=local.ca or server.nats_ca)


def _read(path: Path) -> str:
    """The token of an earlier start, with which the agent may be half-way in; empty without one."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
