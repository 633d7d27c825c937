"""One attempt to tell a channel: a notice in, what came of it out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from infra.outbound import Outbound
from schemas.channels import Channel, Slack
from services.alerts.deliver import slackwebhook
from services.alerts.deliver.message import Message
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Notice, Outcome

logger = logging.getLogger(__name__)

Send = Callable[[Channel, Notice], Awaitable[Outcome]]


def sender(http: Outbound) -> Send:
    """What sends a notice to any channel. It raises nothing but cancellation: each failure is an outcome."""

    async def send(channel: Channel, notice: Notice) -> Outcome:
        try:
            return await deliver(http, channel, message_of(notice), notice)
        except Exception as fault:
            # A bug of ours must neither end the service nor lose what people have to know.
            logger.exception(
                "notification could not be made", extra={"channel": channel.id, "notification": notice.number}
            )
            return Outcome("again", f"internal error ({type(fault).__name__}); the log of the alerts service says more")

    return send


async def deliver(http: Outbound, channel: Channel, message: Message, notice: Notice | None) -> Outcome:
    """Send `message` in the way of the channel's target; `notice` is None for a test."""
    match channel.target:
        case Slack() as target:
            return await slackwebhook.send(http, target, message)
        case target:
            return Outcome("dead", f"channels of kind {type(target).__name__} cannot be sent to yet")
