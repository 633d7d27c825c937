"""What each kind of program may do on the bus: least permission, as templates of the account's scoped signing keys.

Streams are made by `migrate` alone. Agents have no consumer and no key-value API: one that could write the bucket could
wipe it with a roll-up header.
"""

from __future__ import annotations

from infra.authority.claims import Crossing, Permissions
from schemas import subjects
from schemas.rehearsals import REHEARSAL_ASK, REHEARSAL_CANCEL, rehearsal_told
from schemas.subjects import ALERTS, BACKFILL, CONFIG_BUCKET, CONFIG_STREAM, DEADLETTER, EVENTS, METRICS, STREAMS

NAME = "{{name()}}"
_INBOX = f"_INBOX_{NAME}.>"
AGENT_PAYLOAD = 262_144
"""Most bytes of one message of an agent."""


def _reads(*streams: str) -> tuple[str, ...]:
    """What reading `streams` in order takes: an ephemeral consumer of one's own, and single messages."""
    return tuple(
        subject
        for stream in streams
        for subject in (
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}.>",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
            f"$JS.API.CONSUMER.DELETE.{stream}.*",
            f"$JS.API.DIRECT.GET.{stream}",
            f"$JS.API.DIRECT.GET.{stream}.>",
        )
    )


def _is_asked(service: str) -> tuple[str, ...]:
    """What a NATS micro service hears."""
    name = subjects.micro_name(service)
    verbs = [f"$SRV.{verb}{rest}" for verb in _VERBS for rest in ("", f".{name}", f".{name}.*")]
    return (*verbs, subjects.ask_health(service))


def _tells(service: str) -> tuple[str, ...]:
    """What a NATS micro service says: its heartbeats, and answers to those who may ask it.

    Not to whatever subject a request names: what a service may publish, its answers would do for anybody.
    """
    return (subjects.health(service), f"{_TOOLS_INBOX}.>", f"{subjects.OPERATORS_INBOX}.>")


_VERBS = ("PING", "INFO", "STATS")
_TOOLS_INBOX = "_INBOX_tools"
_GATEWAY_INBOX = "_INBOX_gateway"
"""Where the gateway hears what came of what it asked the alert service."""
ASKS = (*(f"$SRV.{verb}{rest}" for verb in _VERBS for rest in ("", ".>")), subjects.ask_health("*"))
"""Asking services how they are."""

READABLE = (
    "metrics.>",
    "backfill.>",
    "live.>",
    "events.>",
    "alerts.>",
    "config.>",
    "deadletter.>",
    "health.>",
    subjects.LIVE_INTEREST,
    subjects.SETTINGS_CHANGED,
    subjects.TELLING_CHANGED,
)
"""Everything that is published for others: what operators read."""

ROLES: dict[str, Permissions] = {
    "agent": Permissions(
        publish=(
            f"metrics.{NAME}",
            f"backfill.{NAME}",
            f"live.{NAME}",
            f"events.{NAME}",
            f"$JS.API.DIRECT.GET.{CONFIG_STREAM}.$KV.{CONFIG_BUCKET}.{NAME}",
        ),
        subscribe=(_INBOX, f"command.{NAME}.>", f"config.{NAME}", subjects.LIVE_INTEREST),
        answers=True,
        subscriptions=32,
        payload=AGENT_PAYLOAD,
    ),
    "ingest": Permissions(
        publish=(
            *_reads(METRICS.name, BACKFILL.name),
            f"$JS.API.STREAM.PURGE.{METRICS.name}",
            f"$JS.API.STREAM.PURGE.{BACKFILL.name}",
            "deadletter.ingest",
            *_tells("ingest"),
        ),
        subscribe=(_INBOX, subjects.SETTINGS_CHANGED, *_is_asked("ingest")),
    ),
    "alerts": Permissions(
        publish=(
            *_reads(METRICS.name, BACKFILL.name),
            "alerts.>",
            subjects.TELLING_CHANGED,
            f"{_GATEWAY_INBOX}.>",
            rehearsal_told("*"),
            *_tells("alerts"),
        ),
        subscribe=(
            subjects.TRY_CHANNEL,
            _INBOX,
            "events.*",
            DEADLETTER.subjects[0],
            subjects.health("*"),
            subjects.SETTINGS_CHANGED,
            REHEARSAL_ASK,
            REHEARSAL_CANCEL,
            *_is_asked("alerts"),
        ),
    ),
    "gateway": Permissions(
        publish=(
            *_reads(EVENTS.name),
            *(f"$JS.API.STREAM.INFO.{name}" for name in (*(stream.name for stream in STREAMS), CONFIG_STREAM)),
            f"$JS.API.DIRECT.GET.{CONFIG_STREAM}.>",
            *(f"$JS.API.STREAM.PURGE.{stream.name}" for stream in (METRICS, BACKFILL, EVENTS, ALERTS)),
            f"$KV.{CONFIG_BUCKET}.*",
            "command.>",
            "events.*",
            subjects.TRY_CHANNEL,
            REHEARSAL_ASK,
            REHEARSAL_CANCEL,
            subjects.LIVE_INTEREST,
            subjects.SETTINGS_CHANGED,
            *_tells("gateway"),
        ),
        subscribe=(
            _INBOX,
            "metrics.*",
            "backfill.*",
            "live.*",
            "events.*",
            "alerts.>",
            rehearsal_told("*"),
            subjects.health("*"),
            subjects.SETTINGS_CHANGED,
            subjects.TELLING_CHANGED,
            *_is_asked("gateway"),
        ),
    ),
    "retention": Permissions(
        publish=_tells("retention"), subscribe=(_INBOX, subjects.SETTINGS_CHANGED, *_is_asked("retention"))
    ),
    "migrate": Permissions(
        publish=tuple(
            f"$JS.API.STREAM.{verb}.{name}"
            for verb in ("INFO", "CREATE", "UPDATE")
            for name in (*(stream.name for stream in STREAMS), CONFIG_STREAM)
        ),
        subscribe=(_INBOX,),
    ),
    # `sonde doctor`, `sonde tail`: looks at everything, changes nothing.
    "tools": Permissions(
        publish=(
            "$JS.API.INFO",
            "$JS.API.STREAM.INFO.*",
            *(f"$JS.API.DIRECT.GET.{name}" for name in (METRICS.name, DEADLETTER.name)),
            *ASKS,
        ),
        subscribe=(_INBOX, *READABLE),
    ),
    "operator": Permissions(publish=ASKS, subscribe=(_INBOX, f"{subjects.OPERATORS_INBOX}.>", *READABLE)),
}
"""Role -> permissions."""

OFFERED_TO_AGENTS = (
    Crossing("metrics.*", "service"),
    Crossing("backfill.*", "service"),
    Crossing("events.*", "service"),
    Crossing(f"$JS.API.DIRECT.GET.{CONFIG_STREAM}.$KV.{CONFIG_BUCKET}.*", "service"),
    Crossing("config.*", "stream"),
    Crossing(subjects.LIVE_INTEREST, "stream"),
)
"""What the account of the services offers to that of the agents. A service carries an answer back, here the ack."""
OFFERED_BY_AGENTS = (Crossing("live.*", "stream"), Crossing("command.>", "service"))

SERVICES = ("ingest", "alerts", "gateway", "retention", "migrate", "tools")
"""Roles that have one user each, of the same name, made with the authority."""
