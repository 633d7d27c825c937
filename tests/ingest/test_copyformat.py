"""What numpy encodes, PostgreSQL reads back."""

import asyncio
from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.storage import database
from services.ingest.copyformat import Field, encode_copy, timestamps

KINDS = ("int2", "int4", "int8", "numeric")
value = st.one_of(st.none(), st.integers(-(2**15), 2**15 - 1))
wide = st.one_of(st.none(), st.integers(-(2**56), 2**56 - 1))
whole = st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1))


def _field(kind: str, values: list[int | None]) -> Field:
    nulls = np.array([v is None for v in values])
    return Field(kind, np.array([v or 0 for v in values], dtype=np.int64), nulls if nulls.any() else None)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(value, value, wide, whole), min_size=1, max_size=20))
def test_postgresql_reads_back_what_was_encoded(
    blank_database_url: str, rows: list[tuple[int | None, int | None, int | None, int | None]]
) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    data = encode_copy([_field(kind, column) for kind, column in zip(KINDS, columns, strict=True)])

    async def there_and_back() -> list[tuple[int | None, ...]]:
        async with database.connection(blank_database_url, "test") as connection, connection.transaction():
            await connection.execute("CREATE TEMP TABLE t (n serial, a int2, b int4, c int8, d numeric) ON COMMIT DROP")
            await connection.copy_to_table("t", source=data, columns=["a", "b", "c", "d"], format="binary")  # type: ignore[arg-type]
            return [tuple(row) for row in await connection.fetch("SELECT a, b, c, d FROM t ORDER BY n")]

    assert asyncio.run(there_and_back()) == rows


async def test_times_keep_their_milliseconds(blank_database_url: str) -> None:
    at = np.array([1_800_000_000_123, 946_684_799_999], dtype=np.int64)
    async with database.connection(blank_database_url, "test") as connection, connection.transaction():
        await connection.execute("CREATE TEMP TABLE t (n serial, at timestamptz) ON COMMIT DROP")
        data = encode_copy([timestamps(at)])
        await connection.copy_to_table("t", source=data, columns=["at"], format="binary")  # type: ignore[arg-type]
        stored = await connection.fetch("SELECT at FROM t ORDER BY n")
    assert [row["at"] for row in stored] == [
        datetime(2027, 1, 15, 8, 0, 0, 123000, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    ]
