"""What tests of faults compare with."""

from __future__ import annotations

import pytest

from agent.sending.intake import Intake
from schemas.codec import Sample


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Times of the samples that the agents of this process take, in order."""
    times: list[int] = []
    add = Intake.add

    def noted(self: Intake, sample: Sample) -> None:
        times.append(sample.time_ms)
        add(self, sample)

    monkeypatch.setattr(Intake, "add", noted)
    return times
