"""Hosts and channels that a rule names and that are not there: it could never fire."""

from __future__ import annotations

from infra.storage.database import Connection
from schemas.rules import InvalidField, InvalidFields, Rule
from schemas.virtual import CHANNEL_HELD
from services.gateway.alerting import sql_telling as sql


async def check_names(database: Connection, before: Rule | None, after: Rule) -> None:
    """Raise InvalidFields unless what `after` names is there, or `before` named it already."""
    faults = []
    host, channel = named_host(after), _named_channel(after)
    if host and (before is None or host != named_host(before)) and not await database.fetchval(sql.HAS_HOST, host):
        remedy = "there is no such host; GET /api/v1/hosts lists all, and a pattern such as web-* takes those to come"
        faults.append(InvalidField("host", host, remedy))
    is_new = channel and (before is None or channel != _named_channel(before))
    if is_new and not await database.fetchval(sql.HAS_CHANNEL, channel):
        faults.append(InvalidField("instance", channel, "there is no such channel; GET /api/v1/channels lists all"))
    if faults:
        raise InvalidFields(faults)


def named_host(rule: Rule) -> str:
    """The one host that `rule` is about; empty: it is about those that fit a pattern."""
    return "" if _is_pattern(rule.host) else rule.host


def _named_channel(rule: Rule) -> str:
    return rule.instance if rule.metric == CHANNEL_HELD and not _is_pattern(rule.instance) else ""


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text
