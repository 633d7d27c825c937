"""The application: every route group, the guard in front, and what errors become."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from infra.database import Pool
from infra.settings import ServerSettings
from schemas.catalogue import CATALOGUE, Family
from schemas.rules import InvalidField
from services.gateway.bus import Bus
from services.gateway.cutting import Abort
from services.gateway.dashboard import dashboard_routes
from services.gateway.hub import Hub
from services.gateway.problems import ProblemError, on_bug, on_http_error, on_invalid_field, on_problem
from services.gateway.refresh import Runtime
from services.gateway.routes_agents import agent_routes
from services.gateway.routes_alerts import alert_routes
from services.gateway.routes_catalogue import catalogue_routes
from services.gateway.routes_channels import channel_routes
from services.gateway.routes_export import export_routes
from services.gateway.routes_fleet import fleet_routes
from services.gateway.routes_health import health_routes
from services.gateway.routes_hosts import host_routes
from services.gateway.routes_live import live_routes
from services.gateway.routes_rules import rule_routes
from services.gateway.routes_series import series_routes
from services.gateway.routes_settings import setting_routes
from services.gateway.routes_viewers import viewer_routes
from services.gateway.security import Guard, host_name


def create_app(
    settings: ServerSettings,
    pool: Pool,
    bus: Bus,
    hub: Hub,
    runtime: Runtime,
    abort: Abort,
    catalogue: tuple[Family, ...] = CATALOGUE,
) -> Starlette:
    """The application on top of what the service holds; `catalogue` decides which metrics there are."""
    api = [
        *host_routes(hub.fleet),
        *series_routes(pool, hub.fleet, catalogue),
        *fleet_routes(pool, hub.fleet, catalogue),
        *export_routes(pool, hub.fleet, catalogue, abort),
        *catalogue_routes(catalogue),
        *rule_routes(pool, bus, hub, runtime.stale, catalogue),
        *alert_routes(pool),
        *setting_routes(pool, bus, hub, runtime.stale),
        *channel_routes(pool),
        *viewer_routes(hub),
        *agent_routes(pool, bus, hub.fleet, runtime.configs_changed, catalogue),
        *health_routes(pool, bus),
        *live_routes(hub, catalogue, abort),
    ]

    def names() -> frozenset[str]:
        """Where people open the gateway besides loopback: its address, and the dashboard's as it is set."""
        public = urlsplit(runtime.settings.dashboard_url).netloc
        return frozenset(filter(None, (host_name(settings.http_host), host_name(public))))

    return Starlette(
        routes=[Mount("/api/v1", routes=api), *dashboard_routes()],
        middleware=[Middleware(Guard, names=names)],
        exception_handlers={
            ProblemError: on_problem,
            InvalidField: on_invalid_field,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
    )
