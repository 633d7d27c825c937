"""Each test of retention has a moment of its own that counts as now."""

from __future__ import annotations

import pytest

from tests.retention.house import next_test


@pytest.fixture(autouse=True)
def moment() -> None:
    next_test()
