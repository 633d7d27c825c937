"""What trends are given of the time before the service began to look: the means that are stored of each minute."""

from __future__ import annotations

from infra.clock import to_time
from infra.storage.database import Connection
from schemas.messages import Batch
from services.alerts import sql
from services.alerts.judge.axis import Judged
from services.alerts.judge.evaluate import Looking, window_of
from services.alerts.judge.machine import limits_at
from services.alerts.judge.ruleset import CompiledRule, OfHost
from services.alerts.judge.trend import Trend


async def warm_trends(
    database: Connection, rules: OfHost, looking: Looking, host_id: int | None, batch: Batch, judged: Judged
) -> None:
    """Give the trends of a host what is stored of the time until its `batch`, the first that has their family."""
    periods_ms = {block.family: block.period_ms for block in batch.families}
    for check in rules.trends:
        if check.rule.id not in looking.warm and check.family in periods_ms:
            looking.warm.add(check.rule.id)
            if host_id is not None:
                await _warm(database, check, looking, host_id, periods_ms[check.family], judged)


async def _warm(
    database: Connection, check: CompiledRule, looking: Looking, host_id: int, period_ms: int, judged: Judged
) -> None:
    for key in [key for key in looking.windows if key[0] == check.rule.id]:
        del looking.windows[key]
    before_ms = judged.times[0] - judged.shift_ms
    rows = await database.fetch(
        sql.stored_means(check.family, check.metric, check.with_instances),
        host_id,
        to_time(before_ms - round(check.rule.window.seconds * 1000)),
        to_time(before_ms),
    )
    for row in rows:
        if not check.is_about(row["instance"]):
            continue
        trend = looking.windows.setdefault((check.rule.id, row["instance"]), window_of(check))
        if isinstance(trend, Trend):
            trend.widen(limits_at(check.limits, period_ms).gap_ms)
            trend.remember(row["time_ms"] + judged.shift_ms, row["n"], row["total"] * check.resolution)
