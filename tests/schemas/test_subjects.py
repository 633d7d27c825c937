"""Host ids are one harmless subject token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import subjects


@pytest.mark.parametrize("host", ["", "*", ">", "a.b", "Web", "a b", "x" * 41, "ü", "a\n", "a_b"])
def test_anything_but_one_lower_case_token_is_no_host(host: str) -> None:
    assert not subjects.valid_host(host)


@given(st.text(max_size=80))
def test_any_machine_name_becomes_a_valid_host(name: str) -> None:
    assert subjects.valid_host(subjects.host_from_name(name))


def test_the_host_is_the_second_token() -> None:
    assert subjects.host_of(subjects.metrics("web-1")) == "web-1"
    assert subjects.host_of(subjects.alerts("web-1", "cpu")) == "web-1"
    assert subjects.host_of("metrics") == ""
