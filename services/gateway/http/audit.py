"""The audit log: every change that somebody makes, written in the transaction of the change itself.

What was and what is are Structs or plain data, as the API shows them; whoever records leaves secrets out.
"""

from __future__ import annotations

from typing import Any

import msgspec

from infra.storage.database import Connection
from schemas.people import AuditBy
from services.gateway.http import sql
from services.gateway.http.operations import Call

MOST_BYTES = 32 * 1024
"""Of what was or is; of anything larger only the size is kept."""
NUL = "\x00"


async def record(
    database: Connection, call: Call[Any, Any], target: str, before: Any = None, after: Any = None
) -> None:
    """Note that `call` turned `before` into `after`, None for nothing; run it inside the change's transaction."""
    person = call.person
    by: AuditBy = "command" if person.by == "token" and person.user_id is None else person.by  # lent to a command
    await note(database, person.name, by, person.address, call.operation.name, target, before, after)


async def note(
    database: Connection,
    who: str,
    by: AuditBy,
    address: str,
    action: str,
    target: str,
    before: Any = None,
    after: Any = None,
) -> None:
    """The same of a change that no admitted request makes, such as a login or a command."""
    texts = (plain(text) for text in (who, by, address, action, target[:300]))
    await database.execute(sql.RECORD, *texts, _json(before), _json(after))


def _json(value: Any) -> str | None:
    if value is None:
        return None
    value = msgspec.to_builtins(value)
    text = msgspec.json.encode(value).decode()
    if len(text) > MOST_BYTES:
        return msgspec.json.encode({"bytes": len(text)}).decode()
    return text if "\\u0000" not in text else msgspec.json.encode(_plain_all(value)).decode()


def plain(text: str) -> str:
    """`text` without what PostgreSQL does not store."""
    return text.replace(NUL, "").encode(errors="replace").decode()


def _plain_all(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {_plain_all(key): _plain_all(each) for key, each in value.items()}
    return [_plain_all(each) for each in value] if isinstance(value, list) else value
