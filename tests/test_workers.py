"""The whole suite is shared out, one test is not."""

from __future__ import annotations

import pytest

from tests.workers import MOST, worker_count


@pytest.mark.parametrize(
    ("arguments", "keyword"),
    [
        (["tests/schemas/test_rules.py"], ""),
        (["tests/schemas/test_rules.py::test_a_rule[1]"], ""),
        (["tests"], "rule"),
    ],
)
def test_one_file_and_one_test_need_no_workers(arguments: list[str], keyword: str) -> None:
    assert worker_count(arguments, keyword, cores=2) == 0


@pytest.mark.parametrize(
    "arguments", [["tests"], ["tests/schemas"], ["tests/test_house.py", "tests/test_documents.py"]]
)
def test_more_than_a_file_is_shared_out(arguments: list[str]) -> None:
    assert worker_count(arguments, "", cores=2) == 4


def test_a_large_machine_is_not_filled_with_servers() -> None:
    assert worker_count(["tests"], "", cores=64) == MOST
