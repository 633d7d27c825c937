"""Documents that are cheap to send and dear to read."""

from __future__ import annotations

import tomllib
import tracemalloc

import pytest

from schemas.catalogue import CATALOGUE
from schemas.rules import InvalidFields
from services.gateway.configuration.bounds import cost_fault
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


@pytest.mark.parametrize("text", [DEAR[0], DEAR[2]], ids=["a number without end", "a key without end"])
async def test_an_import_of_such_a_document_is_answered_with_400(text: bytes, database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.put("/configuration", content=text, headers={"content-type": "application/toml"})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]
