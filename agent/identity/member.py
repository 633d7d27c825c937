"""As whom, where and by what trust the running agent is on the bus."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from agent.identity.state import Identity, ca_path, credentials_path
from agent.identity.timing import due_s
from agent.system.state import AgentState
from infra.bus.patience import Access
from infra.settings import AgentSettings

LOCAL_BUS = "nats://127.0.0.1:4222"
CLONE_FOR_S = 86400.0
"""How long `status` shows that another agent was seen using this identity."""


class Member:
    """One agent of the fleet; its identity is replaced while it runs."""

    def __init__(self, settings: AgentSettings, host: str, identity: Identity | None = None) -> None:
        """Without an identity the settings say all: for a bus of one's own, or an open one."""
        self.host = host
        self.identity = identity
        self.data = settings.data
        self.gateway = settings.gateway
        """Address that the settings give; empty: the one at which it enrolled."""
        self.refused = asyncio.Event()
        """Set when the bus does not accept the present JWT."""
        self.moved = asyncio.Event()
        """Set when the bus has other addresses, or another certificate authority."""
        self.problem = ""
        """Why the last renewal did not work; empty when it did."""
        self._settings = settings

    @property
    def ca(self) -> str:
        """Path of the certificates that the settings give; empty: those of the identity count."""
        return self._settings.ca

    @property
    def servers(self) -> str:
        """Addresses of the bus, separated by commas."""
        told = self.identity.bus if self.identity else []
        return self._settings.nats_url or ",".join(told) or LOCAL_BUS

    @property
    def access(self) -> Access:
        prefix = f"_INBOX_{self.host}"
        given = self._settings.ca
        if self.identity is None:
            return Access(self._settings.nats_credentials, prefix, given)
        ca = given or (str(ca_path(self.data)) if self.identity.ca else "")
        return Access(str(credentials_path(self.data)), prefix, ca, refused=self.refused.set)

    def take(self, fresh: Identity) -> bool:
        """Be `fresh` from now on. True when that takes a connection to somewhere else, and `moved` is set."""
        before, had = self.servers, self.identity
        self.identity, self.problem = fresh, ""
        self.refused.clear()
        if had is not None and (self.servers, fresh.ca) == (before, had.ca):
            return False
        self.moved.set()
        return True

    def report(self, status: AgentState) -> dict[str, Any]:
        """For people: who this is, until when, and what is wrong with it."""
        if self.identity is None:
            kind = "SONDE_NATS_CREDENTIALS" if self._settings.nats_credentials else "none, the bus is open"
            return {"source": kind}
        told: dict[str, Any] = {
            "source": "enrolled",
            "gateway": self.gateway or self.identity.gateway,
            "page": self.identity.page,
            "expires": _date(self.identity.expires),
            "renewal": self.problem or f"due {_date(due_s(self.identity, 0))}",
        }
        if self.refused.is_set():
            told["bus"] = "refuses this identity, asking the gateway for a new one"
        if time.time() - status.cloned_at < CLONE_FOR_S:
            told["clone"] = (
                f"another agent used this identity at {_date(status.cloned_at)}; on one of the two machines stop the "
                "agent, then run: sonde agent enrol --again --gateway URL --token-file FILE"
            )
        return told


def _date(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")
