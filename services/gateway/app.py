"""The application: every route group, the guard in front, and what errors become."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from infra.addresses import is_loopback
from infra.authority.authority import authority_directory
from infra.certificates.names import machine_names
from infra.settings import ServerSettings
from infra.storage.database import Pool
from schemas.catalogue import CATALOGUE, Family
from schemas.rules import InvalidField, InvalidFields
from services.gateway.agents.api import agent_routes
from services.gateway.agents.api_identities import identity_routes
from services.gateway.agents.api_removal import host_removal, removal_routes
from services.gateway.alerting.alerts import alert_routes
from services.gateway.alerting.channels import channel_routes
from services.gateway.alerting.rules import rule_routes
from services.gateway.enrolment.api_enrol import Desk, enrol_routes
from services.gateway.enrolment.api_tokens import token_routes
from services.gateway.enrolment.install import install_routes, with_wheel
from services.gateway.enrolment.wheels import folder
from services.gateway.fleet.api import host_routes
from services.gateway.health.api import health_routes
from services.gateway.history.api_export import export_routes
from services.gateway.history.api_fleet import fleet_routes
from services.gateway.history.api_series import series_routes
from services.gateway.http.abort import Abort
from services.gateway.http.bus import Bus
from services.gateway.http.catalogue import catalogue_routes
from services.gateway.http.dashboard import dashboard_routes
from services.gateway.http.encryption import ca_routes, own_trust
from services.gateway.http.guard import LOOPBACK_NAMES, Guard, Names, host_name
from services.gateway.http.problems import (
    ProblemError,
    on_bug,
    on_http_error,
    on_invalid_field,
    on_invalid_fields,
    on_problem,
)
from services.gateway.identities.reach import Reach, reach_of
from services.gateway.identities.refused import Refusals
from services.gateway.live.api import live_routes
from services.gateway.live.hub import Hub
from services.gateway.live.viewers import viewer_routes
from services.gateway.settings.announce import announcer
from services.gateway.settings.api import setting_routes
from services.gateway.settings.runtime import Runtime


def create_app(
    settings: ServerSettings,
    pool: Pool,
    bus: Bus,
    hub: Hub,
    runtime: Runtime,
    abort: Abort,
    catalogue: tuple[Family, ...] = CATALOGUE,
    refusals: Refusals | None = None,
) -> Starlette:
    """The application on top of what the service holds; `catalogue` decides which metrics there are."""

    def reach() -> Reach:
        return reach_of(settings, *own_trust(settings))

    desk = Desk(
        pool=pool,
        authority=authority_directory(settings),
        reach=reach,
        identity_days=settings.identity_days,
        refusals=refusals or Refusals(),
        revoked=runtime.revoked,
        joined=runtime.stale,
        proxied=settings.tls == "in-front",
    )
    wheels = folder(settings)
    announce = announcer(bus, runtime.stale, hub.setting)
    delete_host = host_removal(pool, bus, hub.fleet, announce, hub.left, (runtime.revoked, runtime.configs_changed))
    health = health_routes(pool, bus)
    api = [
        *host_routes(hub.fleet, delete_host),
        *series_routes(pool, hub.fleet, catalogue),
        *fleet_routes(pool, hub.fleet, catalogue),
        *export_routes(pool, hub.fleet, catalogue, abort),
        *catalogue_routes(catalogue),
        *rule_routes(pool, announce, catalogue),
        *alert_routes(pool),
        *setting_routes(pool, announce),
        *channel_routes(pool, settings.outbound_private),
        *viewer_routes(hub),
        *enrol_routes(desk),
        *token_routes(pool, with_wheel(reach, wheels)),
        *identity_routes(pool, reach, runtime.revoked),
        *removal_routes(pool),
        *agent_routes(pool, bus, hub.fleet, runtime.configs_changed, catalogue),
        *health,
        *live_routes(hub, catalogue, abort),
    ]

    reachable = not is_loopback(settings.http_host)
    always = LOOPBACK_NAMES | frozenset(machine_names() if reachable else ())

    def names() -> Names:
        """Where the gateway is opened: at its address, and at those that the settings name."""
        told = (urlsplit(url).netloc for url in (settings.public_url, runtime.settings.dashboard_url))
        more = filter(None, map(host_name, (settings.http_host, *told)))
        return Names(always | frozenset(more), addresses=reachable)

    return Starlette(
        routes=[
            Mount("/api/v1", routes=api),
            *health,
            *ca_routes(settings),
            *install_routes(wheels, reach),
            *dashboard_routes(),
        ],
        middleware=[Middleware(Guard, names=names, in_front=settings.tls == "in-front")],
        exception_handlers={
            ProblemError: on_problem,
            InvalidField: on_invalid_field,
            InvalidFields: on_invalid_fields,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
    )
