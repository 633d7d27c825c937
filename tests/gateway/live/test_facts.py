"""Facts out of host events, whichever version of the agent sent them."""

from __future__ import annotations

import msgspec
import pytest

from infra.bus.ordered import StoredMessage
from schemas.messages import HostEvent, HostFacts
from services.gateway.live.facts import newest_facts


def message(event: object, host: str = "web-1", seq: int = 1) -> StoredMessage:
    return StoredMessage(f"events.{host}", msgspec.json.encode(event), {}, seq, seq)


def test_the_last_facts_of_a_host_count() -> None:
    events = [message(HostEvent("web-1", seq, "facts", HostFacts(cores=seq)), seq=seq) for seq in (1, 2)]
    assert newest_facts(events) == {"web-1": HostFacts(cores=2)}


def test_an_event_of_a_kind_of_later_agents_is_passed_over_quietly(caplog: pytest.LogCaptureFixture) -> None:
    update = {"host": "web-1", "time": 3, "kind": "update", "update": {"to": "9.0"}}
    assert newest_facts([message(update)]) == {}
    assert not caplog.records


def test_facts_in_the_name_of_another_host_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    assert newest_facts([message(HostEvent("web-2", 1, "facts", HostFacts(cores=1)))]) == {}
    assert [record.getMessage() for record in caplog.records] == ["invalid host event ignored"]
