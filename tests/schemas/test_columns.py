"""Columns survive the wire unchanged, small."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns import InvalidColumn, check_column, column_bounds, pack_column, unpack_column

counts = st.one_of(st.none(), st.integers(-(2**56), 2**56), st.integers(-130, 130), st.integers(-33_000, 33_000))


@given(st.lists(counts, min_size=1, max_size=50))
def test_a_column_round_trips(values: list[int | None]) -> None:
    column = pack_column(values)
    check_column(column, len(values))
    assert unpack_column(column, len(values)) == values


def test_a_constant_column_travels_as_one_value_and_an_unknown_one_as_none() -> None:
    assert pack_column([7, 7, 7]) == 7
    assert pack_column([None, None]) is None


def test_small_steps_take_one_byte_each() -> None:
    column = pack_column([1000 + i % 7 for i in range(100)])
    assert isinstance(column, bytes)
    assert len(column) == 1 + 2 + 99


def test_the_packed_form_is_header_first_count_and_differences() -> None:
    assert pack_column([300, None, 301]) == bytes([0x21, 0x2C, 0x01, 0x80, 0x01])
    assert pack_column([None, 5]) == bytes([0x01, 0x05])
    assert pack_column([0, 128]) == bytes([0x12, 0x00, 0x80, 0x00])


@pytest.mark.parametrize(
    ("column", "rows"),
    [(b"", 2), (b"\x11", 2), (b"\x11ab", 4), (b"\x51abcd", 3), (b"\x10a", 2), (b"\x15aa", 2), (b"\x11a", 1)],
)
def test_bytes_that_do_not_fit_their_rows_are_refused(column: bytes, rows: int) -> None:
    with pytest.raises(InvalidColumn):
        check_column(column, rows)


@given(st.lists(counts, min_size=1, max_size=50))
def test_every_count_lies_within_the_bounds_found_without_unpacking(values: list[int | None]) -> None:
    bounds = column_bounds(pack_column(values), len(values))
    known = [value for value in values if value is not None]
    if bounds is None:
        assert not known
    else:
        assert all(bounds[0] <= value <= bounds[1] for value in known)
