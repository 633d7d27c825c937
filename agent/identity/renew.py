"""Staying enrolled: a new JWT long before the present one expires, or when the bus refuses us."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

import msgspec

from agent.identity.enrol import check, prove
from agent.identity.files import accept, key_of, only_one
from agent.identity.gateway import Gateway, NotNow, Refused
from agent.identity.member import Member
from agent.identity.state import Identity, IdentityError, load, read_ca
from agent.identity.timing import wait_s
from agent.system.worker import Worker
from infra.bus.backoff import Backoff
from infra.bus.patience import Seldom
from schemas.enrolment import RENEW, STATE, Enrolment, IdentityState

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
"""How often the clock is looked at, which may be set."""
GONE = "the identity is not there any more, or another one; restart the agent, or enrol it: sonde agent enrol"
RETRY_S = (1.0, 900.0)
"""First and longest wait between tries that fail, or that do not help."""
SETTLED_S = 900.0
"""After so long without a renewal the next one for the bus's sake is made at once again."""


def renew_once(data: str, address: str = "", ca: str = "") -> Identity:
    """Get a new JWT, for the same host. Raises Refused, NotNow, IdentityError.

    `address`: of the gateway, if it is not the one at which we enrolled any more; `ca`: path of the certificates that
    vouch for it, if they are not those of then.
    """
    held = load(data)
    if held is None:
        raise IdentityError(GONE)
    key = key_of(data, held)
    gateway = Gateway(address or held.gateway, read_ca(ca) or held.ca)
    answer = gateway.post(RENEW, prove(gateway, key), Enrolment)
    check(gateway, answer, key)
    if answer.host != held.host:
        raise Refused(f"gateway {gateway.address}: it calls us {answer.host}, not {held.host}; ask its operator")
    fresh = msgspec.structs.replace(
        held,
        jwt=answer.jwt,
        issued=answer.issued,
        expires=answer.expires,
        bus=answer.bus,
        ca=answer.ca or held.ca,
        page=answer.page,
        gateway=gateway.address,
        ahead_s=gateway.ahead_s,
    )
    with only_one(data):
        now = load(data)
        if now is None or now.public_key != held.public_key:
            raise IdentityError(GONE)
        accept(data, fresh, key)
    return fresh


def ask_state(data: str, identity: Identity, address: str = "", ca: str = "") -> IdentityState:
    """What the gateway knows of us; `address` and `ca` as for `renew_once`. Raises Refused, NotNow, IdentityError."""
    gateway = Gateway(address or identity.gateway, read_ca(ca) or identity.ca)
    return gateway.post(STATE, prove(gateway, key_of(data, identity)), IdentityState)


async def keep_renewed(member: Member, reconnect: Callable[[], Awaitable[None]], jitter: float | None = None) -> None:
    """Renew the identity whenever it is time, for ever; `reconnect` makes the connection use a new JWT.

    A gateway that is away, or says no, costs nothing else: samples go on into the spool.
    """
    worker, seldom, backoff = Worker("identity"), Seldom(), Backoff(*RETRY_S)
    renewed_s = float("-inf")
    quiet_s = 0.0
    try:
        while True:
            share = random.random() if jitter is None else jitter
            await _until_due(member, share, quiet_s)
            asked_by_bus = member.refused.is_set()
            try:
                fresh = await worker.run(renew_once, member.data, member.gateway, member.ca)
            except (Refused, NotNow, IdentityError) as error:
                quiet_s = 0.0
                member.problem = str(error)
                if seldom.due(str(error), time.monotonic()):
                    logger.error("identity not renewed, will retry", extra={"host": member.host, "error": str(error)})
                await asyncio.sleep(backoff.next_s() + getattr(error, "wait_s", 0.0))
                continue
            seldom.forget()
            now_s = time.monotonic()
            if not asked_by_bus or now_s - renewed_s > SETTLED_S:
                backoff.reset()
            # Where a new JWT does not help either, asking for the next one must not become a storm.
            renewed_s, quiet_s = now_s, backoff.next_s()
            facts = {"host": member.host, "expires": fresh.expires, "asked_by_bus": asked_by_bus}
            logger.info("identity renewed", extra=facts)
            if not member.take(fresh):
                await reconnect()
    finally:
        worker.close()


async def _until_due(member: Member, jitter: float, quiet_s: float) -> None:
    """Return when a renewal is due, or when the bus refuses us and at least `quiet_s` have passed."""
    quiet_until_s = time.monotonic() + quiet_s
    while True:
        identity = member.identity
        left_s = 0.0 if identity is None else wait_s(identity, jitter, time.time())
        if left_s <= 0 and time.monotonic() >= quiet_until_s:
            return
        if left_s <= 0:
            left_s = quiet_until_s - time.monotonic()
        if member.refused.is_set():
            await asyncio.sleep(max(0.0, quiet_until_s - time.monotonic()))
            return
        try:
            async with asyncio.timeout(min(left_s, LOOK_EVERY_S)):
                await member.refused.wait()
        except TimeoutError:
            continue
