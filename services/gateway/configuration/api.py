"""`/configuration`: the whole configuration as one TOML document, exported, compared and imported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from infra.storage.database import Pool
from schemas.catalogue import Family
from schemas.configuration import Difference, Differences, Kind
from schemas.hosts import TENDED_KEY
from schemas.matching import NO_NUL, TEXT
from schemas.people import Scope
from services.gateway.agents.tending import Tended, take_in
from services.gateway.alerting.channels import CHANNELS_KEY
from services.gateway.alerting.routes import ROUTES_KEY
from services.gateway.configuration import sql
from services.gateway.configuration.differences import differences
from services.gateway.configuration.document import read, written
from services.gateway.configuration.store import apply, check, load
from services.gateway.configuration.telling import owned, with_stored_secrets
from services.gateway.fleet.memory import Fleet
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Media, Nothing, Operation
from services.gateway.http.requests import MOST_BODY_BYTES
from services.gateway.settings.announce import RULES_KEY, Announce

TOML = "application/toml"
KEYS: Mapping[Kind, str] = {"rule": RULES_KEY, "route": ROUTES_KEY, "channel": CHANNELS_KEY, "host": TENDED_KEY}
"""What is announced when something of a kind changed."""
SECTIONS: tuple[Scope, ...] = ("hosts", "agents", "alerting")
"""What a document has besides settings."""


class ImportQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query of PUT /configuration."""

    dry_run: bool = False
    """Only say what would change."""
    prune: bool = False
    """Also delete what the document lacks: rules, routes and channels of the owner; without one also settings but
    secrets, agents' settings, what is said of hosts."""
    owner: Annotated[str, Meta(min_length=1, max_length=60, pattern=NO_NUL, description=TEXT)] | None = None
    """In whose name: rules, routes and channels of the document become theirs. None: whose each says, else people's."""
    adopt: bool = False
    """Also take over rules, routes and channels that belong to people, or to another owner."""


def configuration_operations(
    pool: Pool,
    fleet: Fleet,
    announce: Announce,
    tell: Callable[[str], None],
    configs_changed: asyncio.Event,
    catalogue: tuple[Family, ...],
) -> list[Operation]:
    """`tell` spreads to viewers that something of a host is news; `configs_changed` is set when agents have news."""

    async def export(_: Call[Nothing, None]) -> Response:
        async with connected(pool) as database, database.transaction(isolation="repeatable_read", readonly=True):
            stored = await load(database)
        text = written(stored.shown(), stored.remarks)
        names = {"Content-Disposition": 'attachment; filename="sonde.toml"'}
        return Response(text, headers=names, media_type=f"{TOML}; charset=utf-8")

    async def put(call: Call[ImportQuery, bytes]) -> Differences:
        wanted = owned(await asyncio.to_thread(read, call.body, catalogue), call.query.owner)
        tended: list[Tended] = []
        async with connected(pool) as database, database.transaction():
            await database.execute(sql.LOCK)
            stored = await load(database)
            wanted = with_stored_secrets(stored.items, wanted)
            asked = call.query
            found = list(differences(stored.items, wanted, stored.hosts, asked.prune, asked.owner, asked.adopt))
            changes = [each for each in found if each.what in ("created", "changed", "deleted")]
            check(stored.items, changes, wanted, catalogue)
            if not call.query.dry_run:
                for change in changes:
                    host = await apply(database, call, change, wanted)
                    tended += [host] if host else []
        if not call.query.dry_run:
            await tell_all(changes, tended)
        shown = [each for each in found if each.what != "unchanged"]
        return Differences(not call.query.dry_run, shown, len(found) - len(shown))

    async def tell_all(changes: list[Difference], tended: list[Tended]) -> None:
        for host in tended:
            take_in(fleet, tell, host)
        kinds = {change.kind for change in changes}
        if "agent" in kinds:
            configs_changed.set()
        keys = [change.name for change in changes if change.kind == "setting"]
        keys += [key for kind, key in KEYS.items() if kind in kinds]
        for key in keys:
            await announce(key, 0)

    return [
        Operation(
            "GET",
            "/configuration",
            export,
            tag="settings",
            summary="The whole configuration, without secrets, as one document",
            role="admin",
            reaches=SECTIONS,
            answers={
                200: Media(
                    (TOML,), "Settings, rules, routes, channels, agents' settings, and what people say of hosts."
                )
            },
        ),
        Operation(
            "PUT",
            "/configuration",
            put,
            tag="settings",
            summary="Make the configuration what a document says, or say what would change",
            role="admin",
            reaches=SECTIONS,
            answers={200: Differences},
            query=ImportQuery,
            body=Media((TOML,), "A document as GET answers it, or a part of one.", MOST_BODY_BYTES),
            description="All of it in one transaction. What the document lacks stays, unless `prune` is given; what "
            "belongs to another owner is skipped, unless `adopt` is. A channel's secret that it lacks stays as it is.",
        ),
    ]
