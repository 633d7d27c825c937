"""Test messages: sent when the gateway asks for one over the bus, and answered with what came of it."""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.outbound import Outbound
from infra.storage.database import DATABASE_TRANSIENT, connection
from schemas.channels import Channel, Trial, TrialAnswer
from schemas.subjects import TRY_CHANNEL
from services.alerts import sql
from services.alerts.deliver.message import Message, Timed
from services.alerts.deliver.sending import attempt
from services.alerts.notice import Outcome

logger = logging.getLogger(__name__)

TOTAL_S = 25.0
AT_ONCE = 4
_GRAY = "#868e96"


class _Unknown(Exception):
    """There is no such channel, or it cannot be read; the text says which."""


async def answer_trials(client: Client, http: Outbound, database_url: str, stop: asyncio.Event) -> None:
    """Send test messages until `stop` is set, at most `AT_ONCE` at a time; whoever asks for more is refused."""
    under_way = 0

    async def answer(message: Msg) -> None:
        nonlocal under_way
        under_way += 1
        try:
            if under_way > AT_ONCE:
                answered = TrialAnswer(False, "unknown", f"{AT_ONCE} test messages are under way; try again soon", 0)
            else:
                answered = await _answered(http, database_url, message.data)
            await message.respond(msgspec.json.encode(answered))
        finally:
            under_way -= 1

    async with asyncio.TaskGroup() as group:

        async def on_message(message: Msg) -> None:
            if message.reply:
                group.create_task(answer(message))

        subscription = await client.subscribe(TRY_CHANNEL, queue="alerts", cb=on_message)
        await client.flush()
        await stop.wait()
        await subscription.unsubscribe()


async def _answered(http: Outbound, database_url: str, asked: bytes) -> TrialAnswer:
    began_s = time.monotonic()
    try:
        channel = await _channel(database_url, asked)
        outcome = await try_channel(http, channel)
    except _Unknown as reason:
        return TrialAnswer(False, "unknown", str(reason), 0)
    ms = round((time.monotonic() - began_s) * 1000)
    facts = {"channel": channel.id, "verdict": outcome.verdict, "answer": outcome.answer[:300], "took_ms": ms}
    logger.info("test message tried", extra=facts)
    return TrialAnswer(outcome.verdict == "sent", outcome.verdict, outcome.answer, ms)


async def _channel(database_url: str, asked: bytes) -> Channel:
    """Whom to send to. Raises _Unknown."""
    try:
        trial = msgspec.json.decode(asked, type=Trial)
        if trial.draft is not None:
            return trial.draft
        async with asyncio.timeout(TOTAL_S / 2), connection(database_url, "alerts trial") as database:
            body = await database.fetchval(sql.CHANNEL, trial.id)
        if body is None:
            raise _Unknown(f"there is no channel {trial.id}")
        return msgspec.json.decode(body, type=Channel)
    except msgspec.MsgspecError as error:
        raise _Unknown(f"the channel cannot be read by this version: {error}") from None
    except DATABASE_TRANSIENT:
        raise _Unknown("the alert service cannot reach the database; try again soon") from None


async def try_channel(http: Outbound, channel: Channel) -> Outcome:
    """What came of a test message, within `TOTAL_S`. Raises nothing but cancellation."""
    try:
        async with asyncio.timeout(TOTAL_S):
            return await attempt(http, channel, lambda: trial_message(channel, time.time()), None)
    except TimeoutError:
        return Outcome("again", f"no whole answer within {TOTAL_S:g} s")


def trial_message(channel: Channel, now_s: float) -> Message:
    """What a test says."""
    headline = "✅ Test message from Sonde"
    summary = f"{headline}: alerts will arrive here on the channel “{channel.name}”."
    return Message(0, None, now_s, headline, summary, _GRAY, notes=[Timed("Sent by a person, as a test, at", now_s)])
