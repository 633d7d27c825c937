"""A running agent tells about itself to whoever may read its data directory."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from agent.selfreport.local import NoAnswer, as_lines, ask_locally, socket_path, told_locally


async def test_the_report_is_told_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    told = {"batches": 1}
    async with told_locally(str(tmp_path), lambda: told):
        assert await ask_locally(str(tmp_path)) == {"batches": 1}
        told["batches"] = 2
        assert await ask_locally(str(tmp_path)) == {"batches": 2}


async def test_only_the_agents_user_may_ask(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    async with told_locally(str(tmp_path), dict):
        assert stat.S_IMODE(socket_path(str(tmp_path)).stat().st_mode) == 0o600


async def test_a_socket_that_a_killed_agent_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    socket_path(str(tmp_path)).touch()
    async with told_locally(str(tmp_path), lambda: {"ok": True}):
        assert await ask_locally(str(tmp_path)) == {"ok": True}
    assert not socket_path(str(tmp_path)).exists()


async def test_a_data_directory_too_deep_for_a_socket_costs_only_the_local_status(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep = tmp_path / ("d" * 90)
    (deep / "agent").mkdir(parents=True)
    async with told_locally(str(deep), dict):
        with pytest.raises(NoAnswer, match="no agent answers"):
            await ask_locally(str(deep))
    assert "status socket not available" in caplog.text


def test_a_report_is_shown_one_fact_a_line() -> None:
    told: dict[str, Any] = json.loads('{"host": "web-1", "spool": {"batches": 3}, "gpus": [], "oldest": null}')
    assert [line.split() for line in as_lines(told)] == [
        ["host", "web-1"],
        ["spool"],
        ["batches", "3"],
        ["gpus"],
        ["oldest", "-"],
    ]
