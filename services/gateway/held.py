"""What the gateway holds while it runs, for every room that needs a part of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from infra.settings import ServerSettings
from infra.storage.database import Pool
from schemas.catalogue import CATALOGUE, Family
from services.gateway.alerting.rehearsals import Rehearsals
from services.gateway.fleet.memory import Fleet
from services.gateway.health.meters import Meters
from services.gateway.health.vitals import Vitals
from services.gateway.http.abort import Abort
from services.gateway.http.bus import Bus
from services.gateway.http.encryption import own_trust
from services.gateway.identities.reach import Reach, reach_of
from services.gateway.identities.refused import Refusals
from services.gateway.live.hub import Hub
from services.gateway.people.login_metrics import LoginMetrics
from services.gateway.people.people import People
from services.gateway.settings.announce import Announce, announcer, teller
from services.gateway.settings.runtime import Runtime


@dataclass(frozen=True)
class Held:
    settings: ServerSettings
    pool: Pool
    bus: Bus
    hub: Hub
    runtime: Runtime
    abort: Abort
    catalogue: tuple[Family, ...] = CATALOGUE
    """Decides which metrics there are."""
    refusals: Refusals = field(default_factory=Refusals)
    vitals: Vitals = field(default_factory=Vitals)
    meters: Meters = field(default_factory=Meters)
    rehearsals: Rehearsals = field(default_factory=Rehearsals)

    @property
    def fleet(self) -> Fleet:
        return self.hub.fleet

    @functools.cached_property
    def people(self) -> People:
        people = People(self.settings, self.pool, lambda: self.runtime.settings, self.refusals)
        people.announce = teller(self.bus)
        people.end_streams_of.add(self.hub.end)
        self.meters.registry.register(LoginMetrics(people.logins, people.hashing))
        return people

    @property
    def announce(self) -> Announce:
        return announcer(self.bus, self.runtime.stale, self.hub.setting)

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Count a request; one that met an error of ours is a failure of this gateway."""
        self.meters.answered(operation, status, seconds)
        if status == 500:
            self.vitals.pulse.failed(f"{operation}: internal error")
        else:
            self.vitals.pulse.succeeded()

    def reach(self) -> Reach:
        """Where machines reach this gateway at present. Reads files; raises OSError and SettingError."""
        return reach_of(self.settings, *own_trust(self.settings))
