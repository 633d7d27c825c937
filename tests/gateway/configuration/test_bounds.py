"""Documents that are cheap to send and dear to read."""

from __future__ import annotations

import tomllib
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.catalogue import CATALOGUE
from schemas.rules import InvalidFields
from services.gateway.configuration.bounds import MOST_PARTS, cost_fault
from services.gateway.configuration.document import read
from tests.gateway.asking import asking

MOST_BYTES = 32 * 2**20
"""Of memory, for one document."""
DEAR = [
    b"x = " + b"9" * 5000,
    b"version = 0x" + b"f" * 5000,
    b".".join([b"a"] * 20_000) + b" = 1",
    b" . ".join([b'"#"'] * 20_000) + b" = 1",
    b"\t.\t".join([b"'\"'"] * 20_000) + b" = 1",
    b"[" + b".".join([b"a"] * 20_000) + b"]",
    b'x = """"#""""" # "\n' + b".".join([b"a"] * 20_000) + b" = 1",
    b'''x = ["""a"""", ' " """']\n''' + b".".join([b"a"] * 20_000) + b" = 1",
    b"""x = ['''a'''', " ' '''"]\n""" + b".".join([b"a"] * 20_000) + b" = 1",
    b"x = {" + b".".join([b"a"] * 20_000) + b" = 1}",
    b"x = " + b"[" * 200_000,
    b"x = " + b"{a=" * 100_000,
    b'x = "' + b'\\"' * 200_000,
    b'x = """' + b'\\"' * 200_000,
]


@pytest.mark.parametrize("text", DEAR, ids=range(len(DEAR)))
def test_a_document_that_is_dear_to_parse_is_refused_and_costs_little(text: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidFields) as caught:
            read(text, CATALOGUE)
        most_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [fault.field for fault in caught.value.faults] == ["body"]
    assert most_bytes < MOST_BYTES


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + ".x" * 5000 + '"',
        "a = '" + "[" * 5000 + "'",
        "a = '''\n" + "b.b.b.b.b.b.b.b.b.b.b = {{[[\n" * 100 + "'''",
        '# b.b.b.b.b.b.b.b.b.b.b.b = "[[[[\na.b.c.d.e.f = 1',
        "a = [" + "0.5, 1.5," * 5000 + "]",
        "a = [" + "[1], {b = 2}," * 5000 + "]",
    ],
)
def test_what_stands_in_strings_comments_and_long_arrays_counts_for_nothing(text: str) -> None:
    tomllib.loads(text)
    assert cost_fault(text) == ""


LONG = ".".join("a" * (MOST_PARTS + 1))
EMPTY = "'''" * 2
pieces = st.lists(st.sampled_from(["'", '"', "#", "\\", "\n", "s", LONG, "[" * 40]), max_size=6).map("".join)
strings = st.builds(lambda quote, inside: f"{quote}{inside}{quote}", st.sampled_from(["'", '"', "'''", '"""']), pieces)
lines = st.builds(lambda held, end: f"[{', '.join(held)}]{end}\n", st.lists(strings, max_size=3), st.just("") | pieces)


@given(st.lists(lines, max_size=3))
@example([f"[{EMPTY}, '{LONG}']\n"])
@example([f"[{EMPTY}, {EMPTY}]\n"])
def test_strings_and_comments_end_for_the_bounds_where_they_end_for_the_parser(values: list[str]) -> None:
    text = "".join(f"x{number} = {value}" for number, value in enumerate(values))
    try:
        tomllib.loads(text)
    except ValueError:
        return
    assert cost_fault(text) == ""
    assert cost_fault(f"{text}{LONG} = 1") == f"a key must have at most {MOST_PARTS} parts"


@pytest.mark.parametrize("text", [DEAR[0], DEAR[2]], ids=["a number without end", "a key without end"])
async def test_an_import_of_such_a_document_is_answered_with_400(text: bytes, database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.put("/configuration", content=text, headers={"content-type": "application/toml"})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]
