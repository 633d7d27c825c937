"""The generic webhook, against a receiver that verifies signatures."""

from __future__ import annotations

from typing import Any

import pytest

from infra.outbound import outbound
from schemas.channels import Channel, Webhook
from services.alerts.deliver.sending import sender
from services.alerts.deliver.trials import try_channel
from services.alerts.deliver.webhook import MOST_INCIDENTS
from services.alerts.notice import Notice, Outcome
from tests.alerts.deliver.notices import NOON_S, notice, said
from tests.alerts.deliver.receiver import KEY, Receiver, receiver


async def sent(there: Receiver, told: Notice | None = None, key: str = KEY) -> Outcome:
    async with outbound(True) as http:
        return await sender(http)(Channel("hook", "Hook", Webhook(there.url, key)), told or notice())


async def document(told: Notice) -> dict[str, Any]:
    async with receiver() as there:
        assert (await sent(there, told)).verdict == "sent"
    return there.documents[0]


async def test_a_message_is_signed_so_that_the_receiver_can_verify_it() -> None:
    async with receiver() as there:
        outcome = await sent(there)
    assert outcome.verdict == "sent"
    assert there.genuine == [True]


async def test_another_key_signs_otherwise() -> None:
    async with receiver() as there:
        await sent(there, key="another")
    assert there.genuine == [False]


async def test_without_a_key_nothing_is_signed() -> None:
    async with receiver() as there:
        await sent(there, key="")
    assert "sonde-signature" not in there.headers[0]


async def test_the_same_notification_has_the_same_number_whenever_it_is_sent() -> None:
    async with receiver() as there:
        await sent(there)
        await sent(there)
    assert [headers["sonde-notification"] for headers in there.headers] == ["41", "41"]
    assert [found["notification"] for found in there.documents] == [41, 41]


async def test_the_document_says_how_the_incident_stands() -> None:
    found = await document(notice(said(7, instance="GPU 0")))
    assert (found["version"], found["form"], found["headline"]) == (
        1,
        "alert",
        "🔴 Critical: CPU busy (GPU 0) on web-1",
    )
    incident = found["incidents"][0]
    told = {
        name: incident[name] for name in ("incident", "kind", "state", "host", "rule", "value", "threshold", "unit")
    }
    assert told == {
        "incident": 7,
        "kind": "fire",
        "state": "critical",
        "host": "web-1",
        "rule": "busy",
        "value": 97.2,
        "threshold": 90,
        "unit": "%",
    }
    assert incident["duration_s"] == 305
    assert found["extents"] == {"busy": {"firing": 3, "hosts": 120}}


async def test_the_end_has_its_duration() -> None:
    found = await document(notice(said(7, "resolve", closed=NOON_S)))
    assert (found["incidents"][0]["state"], found["incidents"][0]["duration_s"]) == ("resolved", 300)


async def test_of_a_storm_only_so_many_incidents_are_listed_and_the_rest_is_counted() -> None:
    found = await document(notice(*(said(at, host=f"web-{at}") for at in range(1, 3001)), form="storm"))
    assert (len(found["incidents"]), found["incidents_left_out"]) == (MOST_INCIDENTS, 2000)


async def test_a_test_message_is_called_one() -> None:
    async with receiver() as there, outbound(True) as http:
        outcome = await try_channel(http, Channel("hook", "Hook", Webhook(there.url, KEY)))
    assert (outcome.verdict, there.documents[0]["form"], there.genuine) == ("sent", "test", [True])


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "sent"), (204, "sent"), (400, "refused"), (401, "dead"), (404, "dead"), (408, "again"), (410, "dead"),
     (413, "refused"), (429, "again"), (500, "again"), (503, "again"), (302, "dead")],
)  # fmt: skip
async def test_each_status_has_its_class(status: int, verdict: str) -> None:
    async with receiver() as there:
        there.status = status
        assert (await sent(there)).verdict == verdict


async def test_the_wait_that_the_receiver_asks_for_is_passed_on() -> None:
    async with receiver() as there:
        there.status, there.extra = 503, "Retry-After: 30\r\n"
        assert (await sent(there)).retry_after_s == 30


async def test_the_wait_may_be_given_as_a_date_by_the_clock_of_the_receiver() -> None:
    async with receiver() as there:
        there.status = 429
        there.extra = "Date: Sat, 21 Nov 2026 08:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 08:02:00 GMT\r\n"
        assert (await sent(there)).retry_after_s == 120


@pytest.mark.parametrize("wait", ["soon", "-5", "Sat, 99 Nov 2026 08:02:00 GMT", "1e9", ""])
async def test_a_wait_that_is_none_is_left_to_us(wait: str) -> None:
    async with receiver() as there:
        there.status, there.extra = 429, f"Retry-After: {wait}\r\n"
        assert (await sent(there)).retry_after_s is None


async def test_an_answer_that_repeats_address_and_key_is_shown_without_them() -> None:
    async with receiver() as there:
        there.status, there.body = 400, f"bad {there.url} {KEY} SECRET-path"
        outcome = await sent(there)
    assert "SECRET" not in outcome.answer
