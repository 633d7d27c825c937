"""What two facts of a host tell of what happened to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.messages import HostFacts
from services.gateway.live.hostevents import changes

AT_S = 1_795_219_200.0
BEFORE = HostFacts(
    boot_id="a", boot_time=AT_S - 86_400, agent_version="1.0", kernel="6.1", config_revision=3, sample_interval_s=1
)


def found(**changed: Any) -> list[tuple[str, float, str | None]]:
    after = msgspec.structs.replace(BEFORE, **changed)
    return [(one.kind, one.time_s - AT_S, one.key) for one in changes(BEFORE, after, AT_S)]


def test_the_first_facts_tell_of_nothing_that_happened() -> None:
    assert changes(HostFacts(), BEFORE, AT_S) == []


@pytest.mark.parametrize(
    "changed", [{}, {"hostname": "b"}, {"boot_time": AT_S - 3600}, {"agent_version": ""}, {"config_revision": 0}]
)
def test_facts_of_the_same_boot_and_version_tell_of_nothing(changed: dict[str, Any]) -> None:
    assert found(**changed) == []


def test_another_boot_id_is_a_reboot_at_the_time_of_the_boot() -> None:
    assert found(boot_id="b", boot_time=AT_S - 60) == [("reboot", -60, "b")]


def test_a_boot_in_the_future_is_dated_by_its_message() -> None:
    assert found(boot_id="b", boot_time=AT_S + 60) == [("reboot", 0, "b")]


def test_without_boot_ids_a_later_boot_time_is_a_reboot_and_a_clock_that_is_corrected_is_none() -> None:
    before = HostFacts(boot_time=AT_S - 86_400)
    assert changes(before, HostFacts(boot_time=AT_S - 86_397), AT_S) == []
    assert [one.kind for one in changes(before, HostFacts(boot_time=AT_S - 60), AT_S)] == ["reboot"]


def test_a_reboot_into_another_kernel_names_both() -> None:
    [one] = changes(BEFORE, msgspec.structs.replace(BEFORE, boot_id="b", kernel="6.8"), AT_S)
    assert one.body == {"kernel": ["6.1", "6.8"]}


def test_another_version_of_the_agent_is_an_update_each_time() -> None:
    assert found(agent_version="1.1") == [("update", 0, None)]


def test_settings_that_come_into_force_are_known_by_their_revision() -> None:
    assert found(config_revision=7) == [("settings", 0, "7")]


def test_settings_that_the_agent_refuses_are_told_once() -> None:
    assert found(config_error="no such family") == [("refused", 0, None)]
    same = msgspec.structs.replace(BEFORE, config_error="no such family")
    assert changes(same, same, AT_S) == []
