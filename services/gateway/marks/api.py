"""`/hosts/{host}/marks` and `/marks`: what happened to hosts, for their charts."""

from __future__ import annotations

from typing import Annotated, get_args

from msgspec import Meta, Struct, field

from infra.clock import now_ms
from infra.storage.database import Pool
from schemas.marks import MarkKind, Marks
from schemas.rules import InvalidField
from schemas.subjects import HostId
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import parse_hosts
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Operation
from services.gateway.http.problems import unknown
from services.gateway.http.ranges import Time, parse_range
from services.gateway.marks import sql
from services.gateway.marks.read import Asked, read_marks

MOST_MARKS = 2000
MOST_HOSTS = 50
KINDS: tuple[MarkKind, ...] = get_args(MarkKind)


class MarksQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_: Time = field(default="-1h", name="from")
    to: Time = "now"
    limit: Annotated[int, Meta(ge=1, le=MOST_MARKS)] = 500
    kinds: Annotated[str, Meta(max_length=200, description="kinds separated by commas, such as alert,reboot")] = ""
    """Empty: all."""

    def asked(self) -> Asked:
        """Raises InvalidField."""
        from_ms, to_ms = parse_range(self.from_, self.to, now_ms())
        named = frozenset(filter(None, self.kinds.split(",")))
        if not named.issubset(KINDS):
            raise InvalidField("kinds", self.kinds[:100], f"must be some of {', '.join(KINDS)}, separated by commas")
        return Asked(from_ms, to_ms, self.limit, frozenset(kind for kind in KINDS if kind in named or not named))


class FleetMarksQuery(MarksQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hosts: Annotated[str, Meta(min_length=1, description=f"host ids separated by commas, at most {MOST_HOSTS}")]


def mark_operations(pool: Pool, fleet: Fleet) -> list[Operation]:
    async def get_marks(call: Call[MarksQuery, None]) -> Marks:
        host, asked = call.path["host"], call.query.asked()
        async with connected(pool) as database, database.transaction(readonly=True):
            rows = await database.fetch(sql.HOSTS, [host])
            if not rows and host not in fleet:
                raise unknown("host", host)
            return await read_marks(database, rows, asked)

    async def get_fleet_marks(call: Call[FleetMarksQuery, None]) -> Marks:
        named, asked = parse_hosts(call.query.hosts), call.query.asked()
        if not 0 < len(named) <= MOST_HOSTS:
            raise InvalidField("hosts", len(named), f"must name 1 to {MOST_HOSTS} hosts")
        async with connected(pool) as database, database.transaction(readonly=True):
            rows = await database.fetch(sql.HOSTS, sorted(named))
            strange = named - {row["name"] for row in rows} - set(fleet.names())
            if strange:
                remedy = "host does not exist; GET /api/v1/hosts lists the known hosts"
                raise InvalidField("hosts", min(strange), remedy)
            return await read_marks(database, rows, asked)

    return [
        Operation(
            "GET",
            "/hosts/{host}/marks",
            get_marks,
            tag="history",
            summary="What happened to a host: alerts, reboots, updates, settings, orders, mutes and silences",
            role="viewer",
            answers={200: Marks},
            query=MarksQuery,
            path_types={"host": HostId},
            reaches=("alerting", "agents"),
        ),
        Operation(
            "GET",
            "/marks",
            get_fleet_marks,
            tag="history",
            summary="The same of several hosts",
            role="viewer",
            answers={200: Marks},
            query=FleetMarksQuery,
            reaches=("alerting", "agents"),
        ),
    ]
