"""Enrolling: a token and a public key for a host id and a JWT."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from agent.identity.files import accept, complete, is_unfinished, key_of, key_to_enrol, new_key, only_one
from agent.identity.gateway import Gateway, NotNow, Refused
from agent.identity.state import Identity, IdentityError, load, read_ca, wished_name
from agent.system.worker import Worker
from infra.authority.claims import BadToken, decode
from infra.authority.keys import Key
from infra.bus.backoff import Backoff
from infra.bus.credentials import stamp
from infra.bus.patience import Seldom
from infra.settings import AgentSettings
from schemas.enrolment import CHALLENGE, ENROL, RENEW, Challenge, Enrolment, EnrolRequest, Proof, proof_text
from schemas.subjects import valid_host

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
KNOWN_KEY = "/problems/enrolment-key"
"""Type of the refusal of a key that has, or had, an identity by another token."""


class Wish(Struct, frozen=True):
    """What to enrol with."""

    gateway: str
    token: str
    name: str
    """The host id to ask for."""
    ca_fingerprint: str = ""
    ca: str = ""
    """Certificates (PEM) that vouch for the gateway; empty: the system's do, or those of that fingerprint."""


def enrol_once(data: str, wish: Wish, again: bool = False) -> Identity:
    """One attempt, which goes on where an interrupted one ended. Raises Refused, NotNow, IdentityError.

    The gateway knows us by our key: the same one is given the same host. `again`: with a new key, unless an attempt to
    do that was interrupted.
    """
    with only_one(data):
        held = load(data)
        if held is not None and (not again or is_unfinished(data, held)):
            complete(data, held, key_of(data, held))
            return held
        gateway = Gateway(wish.gateway, wish.ca)
        pinned = wish.ca
        if wish.ca_fingerprint and gateway.encrypted:
            pinned = gateway.authority(wish.ca_fingerprint)
            gateway = Gateway(wish.gateway, pinned)
        key, answer = _traded(data, gateway, wish, again and held is not None)
        identity = Identity(
            host=answer.host,
            gateway=gateway.address,
            public_key=key.public,
            jwt=answer.jwt,
            issued=answer.issued,
            expires=answer.expires,
            enrolled=answer.issued,
            bus=answer.bus,
            page=answer.page,
            ca=answer.ca or pinned,
            ca_fingerprint=wish.ca_fingerprint,
            ahead_s=gateway.ahead_s,
        )
        accept(data, identity, key)
        return identity


def _traded(data: str, gateway: Gateway, wish: Wish, again: bool) -> tuple[Key, Enrolment]:
    """Our key, and what the gateway gives for it and the token."""
    key = key_to_enrol(data, again)
    try:
        answer = gateway.post(ENROL, EnrolRequest(wish.token, key.public, wish.name), Enrolment)
    except Refused as error:
        if error.kind != KNOWN_KEY:
            raise
        # An attempt with another token got through, and its answer did not; else the key was revoked since.
        try:
            answer = gateway.post(RENEW, prove(gateway, key), Enrolment)
        except Refused:
            key = new_key(data, again)
            answer = gateway.post(ENROL, EnrolRequest(wish.token, key.public, wish.name), Enrolment)
    check(gateway, answer, key)
    return key, answer


def prove(gateway: Gateway, key: Key) -> Proof:
    """A proof that we have the key, good for one question. Raises Refused, NotNow."""
    challenge = gateway.get(CHALLENGE, Challenge).challenge
    return Proof(key.public, challenge, base64.b64encode(key.sign(proof_text(challenge))).decode())


def check(gateway: Gateway, answer: Enrolment, key: Key) -> None:
    """Raises Refused when an answer is not about us."""
    try:
        claims = decode(answer.jwt)
        good = valid_host(answer.host) and (claims["sub"], claims["name"]) == (key.public, answer.host)
    except (BadToken, KeyError):
        good = False
    if not good or answer.expires <= answer.issued:
        raise Refused(f"gateway {gateway.address}: its answer is not an identity of ours; ask its operator")


def read_token_file(path: str, named: str = "") -> str:
    """The token in a file; `named`: what errors put before its path. Raises IdentityError."""
    try:
        return read_token(Path(path).read_text(), path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise IdentityError(f"{named}{path}: {reason.lower()}; write the enrolment token there") from None


def read_token(text: str, place: str) -> str:
    """The token in the text of a file. Raises IdentityError."""
    words = text.split()
    if len(words) != 1:
        raise IdentityError(f"{place}: {len(words)} words; it must hold one enrolment token and nothing else")
    return words[0]


async def until_enrolled(settings: AgentSettings, told: Callable[[str], None]) -> Identity:
    """Enrol by the settings, for as long as it takes; `told` gets the last reason why not."""
    worker, seldom = Worker("enrolment"), Seldom()
    away, refused = Backoff(1, 60), Backoff(30, 900)
    try:
        while True:
            try:
                identity = await worker.run(_by_settings, settings)
            except (Refused, NotNow, IdentityError) as error:
                told(str(error))
                if seldom.due(str(error), time.monotonic()):
                    logger.error("not enrolled, will retry", extra={"error": str(error)})
                wait_s = refused.next_s() if not isinstance(error, NotNow) else away.next_s() + error.wait_s
                await _sleep_unless_changed(settings, wait_s)
            else:
                facts = {"host": identity.host, "gateway": identity.gateway, "page": identity.page}
                logger.info("enrolled", extra=facts)
                return identity
    finally:
        worker.close()


def _by_settings(settings: AgentSettings) -> Identity:
    held = load(settings.data)  # somebody may have enrolled it by hand meanwhile
    if held is not None:
        return held
    token = read_token_file(settings.token_file, "SONDE_TOKEN_FILE: ")
    return enrol_once(
        settings.data,
        Wish(settings.gateway, token, wished_name(settings), settings.ca_fingerprint, read_ca(settings.ca)),
        again=False,
    )


async def _sleep_unless_changed(settings: AgentSettings, wait_s: float) -> None:
    """Sleep, but not on once there is another token or an identity."""
    watched = settings.token_file
    before = stamp(watched)
    until_s = time.monotonic() + wait_s
    while (left_s := until_s - time.monotonic()) > 0 and stamp(watched) == before:
        await asyncio.sleep(min(left_s, LOOK_EVERY_S))
        if _is_enrolled(settings.data):
            return


def _is_enrolled(data: str) -> bool:
    try:
        return load(data) is not None
    except IdentityError:
        return False


def enrol_patiently(data: str, wish: Wish, again: bool, within_s: float, told: Callable[[str], None]) -> Identity:
    """Enrol, waiting while the gateway is away or busy; blocks. Raises Refused, IdentityError, at last NotNow."""
    backoff = Backoff(0.5, 20)
    until_s = time.monotonic() + within_s
    while True:
        try:
            return enrol_once(data, wish, again)
        except NotNow as error:
            wait_s = backoff.next_s() + error.wait_s * random.uniform(1, 1.5)
            if time.monotonic() + wait_s > until_s:
                raise
            told(f"{error}; trying again in {wait_s:.0f} s")
            time.sleep(wait_s)
