"""`/hosts/{host}/gaps`: where a host has no samples, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct, field

from infra.clock import now_ms, to_ms, to_time
from infra.storage.database import Connection, Pool
from infra.storage.packed import Ints
from schemas.catalogue import Family, family_named
from schemas.marks import Gap, Gaps, MarkKind
from schemas.rules import InvalidField
from schemas.subjects import HostId
from services.gateway.fleet.liveness import late_after_s
from services.gateway.fleet.memory import Fleet
from services.gateway.history import sql, sql_gaps
from services.gateway.history.arguments import Instance, check_instance, find_host, snapshot
from services.gateway.history.gaps import LEAST_PERIODS, SLACK_MS, Known, irregular, longest, reasons, stretches
from services.gateway.history.resolution import LENGTH_MS, Grid, Reach, choose_grid
from services.gateway.history.series import SOURCES, Line, read_lines, read_pieces, read_steps, with_rows
from services.gateway.http.operations import Call, Operation
from services.gateway.http.ranges import Time, parse_range
from services.gateway.marks import sql as marks_sql
from services.gateway.marks.read import Asked, read_marks

POINTS = 2000
"""Into at most so many steps a range is divided."""
MOST_GAPS = 500
LINES_AT_ONCE = 50
"""Instances of which the steps are in memory together; mostly the first few leave no step empty."""
MOST_LOOKS = 50_000
"""Gaps times instances of which samples are looked for: each takes some 20 us."""
MOST_MARKS = 1000
TELLING: frozenset[MarkKind] = frozenset({"reboot", "away", "update", "settings", "refused", "change", "order"})
"""What may explain a gap."""
METRICS = 3
"""A sample is there if any of the first so many metrics of its family has a value."""
FAMILY = "cpu"
REPORTS_ITSELF = "agent"
"""The family in which agents say what they lost."""


class GapsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_: Time = field(default="-1h", name="from")
    to: Time = "now"
    family: Annotated[str, Meta(max_length=60, description="a metric family, such as cpu")] = FAMILY
    instance: Instance | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST_GAPS)] = 100


class _Asked(Struct, frozen=True):
    """One request under way."""

    database: Connection
    fleet: Fleet
    host: str
    number: int
    """Of the host, in the tables."""
    family: Family
    period_ms: int
    lines: Sequence[Line]
    reach: Reach
    now_ms: int


def gap_operations(pool: Pool, fleet: Fleet, catalogue: tuple[Family, ...]) -> list[Operation]:
    async def get_gaps(call: Call[GapsQuery, None]) -> Gaps:
        query, host = call.query, call.path["host"]
        family = _family(query.family, catalogue)
        check_instance(query.instance, [family] if query.instance is not None else [])
        now = now_ms()
        from_ms, to_ms = parse_range(query.from_, query.to, now)
        period_ms = fleet.period_ms(host, family.name)
        async with snapshot(pool) as (database, reach):
            number = await find_host(database, fleet, host)
            grid = choose_grid(from_ms, to_ms, POINTS, period_ms, reach)
            lines = (await read_lines(database, {number: host}, [family], query.instance))[family.name]
            asked = _Asked(database, fleet, host, number, family, period_ms, lines, reach, now)
            empty = await _empty(asked, grid)
            found = await _exact(asked, grid, longest(empty, MOST_GAPS))
            gaps = longest(found, query.limit)
            return Gaps(
                host,
                family.name,
                grid.from_ms,
                grid.to_ms,
                grid.step_ms,
                await _explained(asked, gaps) if gaps else [],
                len(found) > len(gaps) or len(empty) > MOST_GAPS,
            )

    return [
        Operation(
            "GET",
            "/hosts/{host}/gaps",
            get_gaps,
            tag="history",
            summary="Where a host has no samples within a range, and why",
            role="viewer",
            answers={200: Gaps},
            query=GapsQuery,
            path_types={"host": HostId},
            reaches=("alerting", "agents"),
        )
    ]


def _family(name: str, catalogue: tuple[Family, ...]) -> Family:
    try:
        return family_named(name, catalogue)
    except KeyError:
        raise InvalidField("family", name, "must be a metric family such as cpu; see GET /api/v1/metrics") from None


async def _empty(it: _Asked, grid: Grid) -> list[tuple[int, int]]:
    """Where no step of `grid` has a value, of whatever instance: begins and ends."""
    pieces = await read_pieces(it.database, [it.number], grid.from_ms, grid.to_ms, SOURCES[grid.resolution])
    lines = await with_rows(it.database, it.family, it.lines, pieces)
    period_ms = it.period_ms if grid.resolution == "raw" else 0
    known: Ints = np.zeros(grid.count, np.int64)
    empty = stretches(grid, known, it.now_ms)
    metrics = it.family.metrics[:METRICS]
    for at in range(0, len(lines), LINES_AT_ONCE):
        some = lines[at : at + LINES_AT_ONCE]
        for summaries in await read_steps(it.database, it.family, metrics, some, pieces, grid, period_ms):
            for summary in summaries:
                known = known + summary.known
        empty = irregular(stretches(grid, known, it.now_ms), grid, known)
        if not empty:  # further instances change nothing
            break
    return empty


async def _exact(it: _Asked, grid: Grid, found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """`found` from sample to sample, where raw rows tell; without those that are as short as a late sample.

    The last one is none while its sample may yet come. Of many instances only the longest are told so exactly.
    """
    wide_ms = 2 * (grid.step_ms + it.period_ms)
    most = MOST_LOOKS // max(len(it.lines), 1)
    raw = longest([gap for gap in found if gap[0] - wide_ms >= it.reach.raw_ms], most)
    bounds = [
        [to_time(begin - wide_ms) for begin, _ in raw],
        [to_time((begin + end) // 2) for begin, end in raw],
        [to_time(end + wide_ms) for _, end in raw],
    ]
    exact = dict(zip(raw, raw, strict=True))
    if raw:
        ids = [line.instance_id for line in it.lines]
        for row in await it.database.fetch(sql_gaps.edges(it.family), it.number, ids, *bounds):
            begin, end = gap = raw[row["number"]]
            before = begin if row["before"] is None else to_ms(row["before"])
            exact[gap] = (before, end if row["after"] is None else to_ms(row["after"]))
    late_ms = max(LEAST_PERIODS * it.period_ms, round(1000 * late_after_s(False, it.fleet.facts(it.host))))
    gaps = [exact.get(gap, gap) for gap in found]
    return [
        (begin, end)
        for begin, end in gaps
        if end - begin > (late_ms if end >= it.now_ms else LEAST_PERIODS * it.period_ms)
    ]


async def _explained(it: _Asked, gaps: Sequence[tuple[int, int]]) -> list[Gap]:
    known = await _known(it, gaps[0][0], gaps[-1][1])
    lost = await _lost(it, gaps)
    return [
        Gap(begin, end, reasons(begin, end, batches, known)) for (begin, end), batches in zip(gaps, lost, strict=True)
    ]


async def _known(it: _Asked, from_ms: int, to_ms: int) -> Known:
    """What is known of the host between two times."""
    await it.database.execute(sql_gaps.SORT)
    rows = await it.database.fetch(marks_sql.HOSTS, [it.host])
    marks = await read_marks(it.database, rows, Asked(from_ms - SLACK_MS, to_ms + 1, MOST_MARKS, TELLING))
    state = it.fleet.states(it.now_ms).get(it.host, "offline")
    own = _own(it)
    return Known(
        now_ms=it.now_ms,
        kept_ms=it.reach.hour_ms,
        first_ms=await _first_ms(it),
        marks=marks.marks,
        refusals=[one for one in it.fleet.refusals.get(it.host, ()) if one.family == it.family.name],
        archived=state == "archived",
        offline=state == "offline",
        watched_only=it.family.sampled == "watched",
        waiting=round(own.get("buffered_batches") or 0),
        oldest_ms=it.now_ms - round(1000 * (own.get("oldest_age") or 0)),
    )


def _own(it: _Asked) -> Mapping[str, float | None]:
    """What the agent last said of itself."""
    newest = it.fleet.newest(it.host)
    return {} if newest is None else newest[0].get(REPORTS_ITSELF, {}).get("", {})


async def _first_ms(it: _Asked) -> int | None:
    """When the first sample was taken, as exactly as what is kept tells."""
    ids, bounds = [line.instance_id for line in it.lines], (to_time(0), to_time(it.now_ms))
    begin_ms: int | None = None
    for source, length_ms in LENGTH_MS.items():
        [(first, _)] = await it.database.fetch(sql.extent(it.family, source), it.number, ids, *bounds)
        # The minute or hour of a sample that is known begins before it; any earlier one tells of earlier samples.
        if first is not None and (begin_ms is None or to_ms(first) + length_ms <= begin_ms):
            begin_ms = to_ms(first)
    return begin_ms


async def _lost(it: _Asked, gaps: Sequence[tuple[int, int]]) -> list[int]:
    """How many batches the agent lost in each of `gaps`, as far as raw rows tell."""
    bounds = ([to_time(begin) for begin, _ in gaps], [to_time(end) for _, end in gaps])
    return [row["lost"] or 0 for row in await it.database.fetch(sql_gaps.LOST, it.number, *bounds)]
