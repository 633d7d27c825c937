"""`sonde storage`: size and growth of each metric family, the space it will need, and the space there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from infra.cli import reach
from infra.cli.process import CommandError
from infra.cli.tables import count, size, table
from infra.settings import ServerSettings
from schemas.catalogue import CATALOGUE
from schemas.storage import StorageUse, TableUse
from services.retention.policy import InvalidSetting
from services.retention.usage import KINDS, measure

ROWS = {"raw": "raw rows", "minute": "minutes", "hour": "hours"}


async def storage(settings: ServerSettings, days: bool, as_json: bool) -> int:
    """Print sizes by family, or by day, or everything as one JSON object."""
    try:
        async with reach.database(settings.database_url, "storage") as database:
            measured = await measure(database, CATALOGUE, datetime.now(UTC))
    except InvalidSetting as error:
        raise CommandError(f"storage: {error}") from None
    if as_json:
        print(msgspec.json.encode(measured).decode())
    else:
        print("\n".join(told(measured, days)))
    return 0


def told(measured: StorageUse, days: bool = False) -> list[str]:
    """Sizes by family or by day, and a summary: lines for people."""
    shown = _by_day(measured) if days else _by_family(measured)
    return [*shown, "", *_verdict(measured), *_strays(measured)]


def _by_family(measured: StorageUse) -> list[str]:
    headings = [
        *("FAMILY", "KIND", " ROWS (EST.)", " SIZE", " COLUMNAR", " UNCOMPRESSED", " B/VALUE"),
        *(" ROWS/DAY", " NEW/DAY", " NEED"),
    ]
    rows = [_line(used.family, used.kind, [used]) for used in measured.tables if used.rows]
    if not rows:
        return ["no rows yet"]
    rows += [_line("all", kind, [used for used in measured.tables if used.kind == kind]) for kind in KINDS]
    rows.append(_line("all", "all", measured.tables))
    return [table(headings, rows)]


def _line(family: str, kind: str, some: Sequence[TableUse]) -> list[str]:
    rows, values, bytes_ = (sum(getattr(used, name) for used in some) for name in ("rows", "values", "bytes"))
    return [
        *(family, kind, count(rows), size(bytes_)),
        size(_sum([used.columnar_bytes or None for used in some])),
        size(_sum([used.uncompressed_bytes for used in some if used.rows])),
        f"{bytes_ / values:.2f}" if values else "-",
        count(_sum([used.rows_per_day for used in some])),
        size(_sum([used.bytes_per_day for used in some])),
        size(_sum([used.need_bytes for used in some])),
    ]


def _sum(numbers: Sequence[float | None]) -> float | None:
    """Of those that are known; None where none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _by_day(measured: StorageUse) -> list[str]:
    rows = [
        [day.day, count(day.rows), size(day.bytes), size(day.columnar_bytes or None), size(day.uncompressed_bytes)]
        for day in measured.days
    ]
    return [table(["RAW DAY", " ROWS (EST.)", " SIZE", " COLUMNAR", " UNCOMPRESSED"], rows)]


def _verdict(measured: StorageUse) -> list[str]:
    kept = measured.kept
    lines = [
        f"{measured.engine} engine; the database uses {size(measured.database_bytes)}",
        f"kept: raw {kept.raw_days} days, minutes {kept.minute_days}, hours {kept.hour_days}",
    ]
    if measured.need_bytes is None:
        return [*lines, "need: not known yet, too few rows to estimate a rate"]
    taken = sum(used.bytes for used in measured.tables)
    without = " and ".join(ROWS[kind] for kind in measured.need_without)
    lines.append(
        f"need: {size(measured.need_bytes)} at today's rate, once all those days are stored"
        + (f"; without {without}, which have too few rows yet" if without else "")
    )
    if measured.free_bytes is not None and measured.disk_bytes:
        lines.append(f"free: {size(measured.free_bytes)} of {size(measured.disk_bytes)}")
        more = measured.need_bytes - taken
        if more > measured.free_bytes:
            lines.append(
                f"The disk is too small: {size(more)} more will be needed. Keep fewer days (raw_days, minute_days, "
                f"hour_days), or give the database a larger disk."
            )
    return lines


def _strays(measured: StorageUse) -> list[str]:
    lines = []
    for stray in measured.strays:
        names = ", ".join(stray.tables)
        lines.append("")
        lines.append(f"{names}: {size(stray.bytes)} of a metric family that this version does not have; never pruned.")
        lines.append(f"To delete it: {stray.remedy}")
    return lines
