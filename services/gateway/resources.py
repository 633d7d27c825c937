"""Everything below /api/v1: the operations of every room on what the gateway holds."""

from __future__ import annotations

from starlette.requests import Request

from infra.authority.authority import authority_directory
from infra.clock import now_ms
from services.gateway.agents.api import agent_operations
from services.gateway.agents.api_bulk import bulk_operations
from services.gateway.agents.api_hosts import tending_operations
from services.gateway.agents.api_identities import identity_operations
from services.gateway.agents.api_removal import removal_operations
from services.gateway.agents.departing import Departing
from services.gateway.agents.many import Many
from services.gateway.alerting.acknowledging import acknowledging_operations
from services.gateway.alerting.alerts import alert_operations
from services.gateway.alerting.api_why import why_operations
from services.gateway.alerting.channels import channel_operations
from services.gateway.alerting.exports import alert_export_operations
from services.gateway.alerting.incidents import incident_operations
from services.gateway.alerting.notifications import notification_operations
from services.gateway.alerting.rehearsals import rehearsal_operations
from services.gateway.alerting.routes import route_operations
from services.gateway.alerting.rules import rule_operations
from services.gateway.alerting.silences import silence_operations
from services.gateway.alerting.trials import trial_operations
from services.gateway.configuration.api import configuration_operations
from services.gateway.enrolment.api_enrol import Desk, enrol_operations
from services.gateway.enrolment.api_tokens import token_operations
from services.gateway.enrolment.install import install_operations, with_wheel
from services.gateway.enrolment.wheels import folder
from services.gateway.fleet.api import host_operations
from services.gateway.health.api import health_operations
from services.gateway.health.api_metrics import scrape_operations
from services.gateway.health.api_storage import storage_operations
from services.gateway.health.examine import Examination
from services.gateway.health.fleetpage import FleetPage
from services.gateway.held import Held
from services.gateway.history.api_export import export_operations
from services.gateway.history.api_fleet import fleet_operations
from services.gateway.history.api_gaps import gap_operations
from services.gateway.history.api_series import series_operations
from services.gateway.http.catalogue import catalogue_operations
from services.gateway.http.encryption import ca_operations
from services.gateway.http.operations import Operation
from services.gateway.http.problems import ProblemError
from services.gateway.live.api import live_operations
from services.gateway.live.viewers import viewer_operations
from services.gateway.marks.api import mark_operations
from services.gateway.people.admit import admission
from services.gateway.people.api import people_operations
from services.gateway.people.people import People
from services.gateway.settings.api import setting_operations


def operations(held: Held) -> list[Operation]:
    pool, bus, hub, fleet, runtime = held.pool, held.bus, held.hub, held.fleet, held.runtime
    desk = Desk(
        pool=pool,
        authority=authority_directory(held.settings),
        reach=held.reach,
        identity_days=held.settings.identity_days,
        refusals=held.refusals,
        revoked=runtime.revoked,
        joined=runtime.stale,
    )
    reach = with_wheel(held.reach, folder(held.settings))
    departing = Departing(pool, bus, fleet, held.announce, hub.left, (runtime.revoked, runtime.configs_changed))
    return [
        *host_operations(fleet),
        *tending_operations(pool, fleet, held.announce, hub.host, reach),
        *bulk_operations(Many(pool, bus, fleet, departing, held.announce, hub.host)),
        *removal_operations(pool, fleet, departing),
        *series_operations(pool, fleet, held.catalogue),
        *fleet_operations(pool, fleet, held.catalogue),
        *export_operations(pool, fleet, held.catalogue, held.abort),
        *gap_operations(pool, fleet, held.catalogue),
        *mark_operations(pool, fleet),
        *catalogue_operations(held.catalogue),
        *alerting_operations(held),
        *rehearsal_operations(bus, held.rehearsals, held.catalogue),
        *configuration_operations(pool, fleet, held.announce, hub.host, runtime.configs_changed, held.catalogue),
        *setting_operations(pool, runtime, held.announce),
        *viewer_operations(hub, pool),
        *enrol_operations(desk),
        *token_operations(pool, reach),
        *identity_operations(pool, held.reach, runtime.revoked),
        *agent_operations(pool, bus, fleet, runtime.configs_changed, held.catalogue),
        *health_operations(examination(held), lambda request: is_viewer(held.people, request)),
        *storage_operations(pool),
        *people_operations(held.people, lambda: page_address(held)),
        *live_operations(hub, held.catalogue, held.abort),
    ]


def alerting_operations(held: Held) -> list[Operation]:
    pool, announce = held.pool, held.announce
    return [
        *alert_operations(pool),
        *incident_operations(pool),
        *acknowledging_operations(pool, announce),
        *why_operations(pool),
        *alert_export_operations(pool, held.abort),
        *rule_operations(pool, announce, held.catalogue),
        *silence_operations(pool, announce),
        *route_operations(pool, announce),
        *channel_operations(pool, announce),
        *trial_operations(pool, held.bus, announce),
        *notification_operations(pool),
    ]


def root_operations(held: Held) -> list[Operation]:
    """What is at the root: probes, what Prometheus scrapes, and what machines install from."""
    looked_at = examination(held)
    healthy = health_operations(looked_at, lambda request: is_viewer(held.people, request))
    probes = [one for one in healthy if one.path.startswith("/health/")]
    return [
        *probes,
        *scrape_operations(looked_at, held.meters, FleetPage(held.fleet, now_ms)),
        *ca_operations(held.settings),
        *install_operations(folder(held.settings), held.reach),
    ]


def examination(held: Held) -> Examination:
    hub, fleet = held.hub, held.fleet
    return Examination(
        held.pool,
        held.bus,
        held.vitals,
        held.catalogue,
        states=lambda: fleet.states(now_ms()),
        viewers=lambda: len(hub.viewers()),
        counts=hub.counts,
        complete=lambda: fleet.complete,
        invalid=lambda: held.runtime.stored.invalid,
    )


async def is_viewer(people: People, request: Request) -> bool:
    """Whether somebody who may read about health makes the request; not when that cannot be told."""
    try:
        await admission(people)(request, "viewer", "health")
    except ProblemError:
        return False
    return True


def page_address(held: Held) -> str:
    """Where people open the dashboard, by the settings; empty when they say nothing."""
    return held.runtime.settings.dashboard_url or held.settings.public_url
