"""One attempt to tell a channel: a notice in, what came of it out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from infra.outbound import Outbound
from schemas.channels import Apprise, Channel, Email, Slack, SlackBot, Webhook
from services.alerts.deliver import apprise, mail, slackbot, slackwebhook, webhook
from services.alerts.deliver.message import Message
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Notice, Outcome

logger = logging.getLogger(__name__)

Send = Callable[[Channel, Notice], Awaitable[Outcome]]


def sender(http: Outbound, simulated: bool = False) -> Send:
    """What sends a notice to any channel. It raises nothing but cancellation: each failure is an outcome.

    `simulated`: each says that it is of a demonstration.
    """

    async def send(channel: Channel, notice: Notice) -> Outcome:
        told = replace(notice, simulated=simulated)
        return await attempt(http, channel, lambda: message_of(told), told)

    return send


async def attempt(http: Outbound, channel: Channel, made: Callable[[], Message], notice: Notice | None) -> Outcome:
    """Send what `made` words; `notice` is None for a test. Raises nothing but cancellation."""
    try:
        return await _deliver(http, channel, made(), notice)
    except Exception as fault:
        # A bug of ours must neither end the service nor lose what people have to know. The fault may hold a secret.
        number = notice.number if notice is not None else 0
        where = fault.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        at = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where is not None else ""
        facts = {"channel": channel.id, "notification": number, "error": type(fault).__name__, "at": at}
        logger.error("notification could not be made", extra=facts)
        return Outcome("again", f"internal error ({type(fault).__name__}); the log of the alert service says where")


async def _deliver(http: Outbound, channel: Channel, message: Message, notice: Notice | None) -> Outcome:
    match channel.target:
        case Slack() as target:
            return await slackwebhook.send(http, target, message)
        case SlackBot() as target:
            return await slackbot.send(http, target, message, notice)
        case Webhook() as target:
            return await webhook.send(http, target, message, notice)
        case Email() as target:
            return await mail.send(http.private, target, message, notice)
        case Apprise() as target:
            return await apprise.send(http.private, target, message)
