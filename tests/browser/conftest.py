"""What the browser tests cannot do without, asked for before anything is started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.gateway.http.dashboard import STATIC
from tests.browser.browser import Chromium, executable, started


@pytest.fixture(autouse=True)
def prerequisites(request: pytest.FixtureRequest) -> None:
    """Skip, or in CI fail, a browser test without a browser; fail it when the dashboard has not been built."""
    if request.node.get_closest_marker("browser"):
        executable()
        if not (STATIC / "index.html").is_file():
            pytest.fail("the dashboard has not been built: make setup")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The worker's browser."""
    with started() as browser:
        yield browser
