"""Subjects, streams and host ids of the bus."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

HOST_PATTERN = r"^[a-z0-9-]{1,40}\Z"
_HOST = re.compile(r"[a-z0-9-]{1,40}\Z")

CONFIG_BUCKET = "CONFIG"
"""Key-value bucket with the settings of each host, as `schemas.agentconfig.AgentConfig` in JSON."""
CONFIG_STREAM = f"KV_{CONFIG_BUCKET}"
CONFIG_BYTES = 64 * 2**20
"""Most that the bucket holds."""
OPERATION = "KV-Operation"
"""Header of a message of the bucket that removes its entry."""
LIVE_INTEREST = "interest.live"
"""Not below `live.`: a host of that name could drive everybody's live feed."""
SETTINGS_CHANGED = "settings.changed"
HostId = Annotated[str, Meta(pattern=HOST_PATTERN, description="1 to 40 characters, each a-z, 0-9 or -")]
OPERATORS_INBOX = "_INBOX_operators"
"""Where services answer operators. They all hear what any of them asked: only how services are."""

RESERVED_HOSTS = frozenset({"interest", "fleet", "all", "new"})
"""Valid as tokens, yet no machine may be called so: they mean something in subjects of older agents or in addresses."""


def valid_host(host: str) -> bool:
    """True when `host` is one subject token of `[a-z0-9-]{1,40}`, the only form a host id may have."""
    return _HOST.match(host) is not None


def host_from_name(hostname: str) -> str:
    """A valid host id made from any machine's name: lower case, other characters become dashes, 40 at most."""
    token = re.sub(r"[^a-z0-9-]+", "-", hostname.lower()).strip("-")[:40].strip("-")
    return token or "host"


def host_of(subject: str) -> str:
    """The host token of a subject such as `metrics.web-1`; empty when the subject has no second token."""
    return subject.split(".", 2)[1] if "." in subject else ""


def metrics(host: str) -> str:
    return f"metrics.{host}"


def backfill(host: str) -> str:
    return f"backfill.{host}"


def live(host: str) -> str:
    return f"live.{host}"


def events(host: str) -> str:
    return f"events.{host}"


NO_HOST = "_"
"""Stands for the host in subjects of alerts that have none; no host can be called so."""


def alerts(host: str, rule: str) -> str:
    """Where the transitions of an alert are; `host` is empty for one about Sonde itself."""
    return f"alerts.{host or NO_HOST}.{rule}"


def config(host: str) -> str:
    """Where the server repeats each change of `config_key(host)`."""
    return f"config.{host}"


def config_key(host: str) -> str:
    """Subject of the host's entry in the bucket CONFIG."""
    return f"$KV.{CONFIG_BUCKET}.{host}"


def command(host: str, verb: str) -> str:
    return f"command.{host}.{verb}"


def deadletter(service: str) -> str:
    return f"deadletter.{service}"


def health(service: str) -> str:
    """Where each instance of a service says how it is."""
    return f"health.{service}"


def ask_health(service: str) -> str:
    """Where one instance of a service answers with its present heartbeat."""
    return f"service.{service}.health"


TELLING_CHANGED = "telling.changed"
"""Where the alert service says, without a body, that people were told, or that a channel is held or no more."""

TRY_CHANNEL = "service.alerts.try-channel"
"""Where the alert service sends a test message for whoever asks with a `schemas.channels.Trial`."""


def micro_name(service: str) -> str:
    """What a service is called among NATS' micro services."""
    return f"sonde-{service}"


class Stream(Struct, frozen=True):
    """A JetStream stream: what it keeps and for how long."""

    name: str
    subjects: tuple[str, ...]
    max_age_s: float
    max_bytes: int
    discard_new: bool
    """True: a full stream refuses publishers, who keep their data. False: it drops its oldest message."""
    max_msg_bytes: int = 256 * 1024


METRICS = Stream("METRICS", ("metrics.*",), 48 * 3600, 2**30, discard_new=True)
BACKFILL = Stream("BACKFILL", ("backfill.*",), 48 * 3600, 2**30, discard_new=True)
EVENTS = Stream("EVENTS", ("events.*",), 30 * 86400, 64 * 2**20, discard_new=False)
ALERTS = Stream("ALERTS", ("alerts.>",), 30 * 86400, 64 * 2**20, discard_new=False)
DEADLETTER = Stream("DEADLETTER", ("deadletter.*",), 30 * 86400, 256 * 2**20, discard_new=False, max_msg_bytes=2**19)

STREAMS: tuple[Stream, ...] = (METRICS, BACKFILL, EVENTS, ALERTS, DEADLETTER)
