"""New keys for old ones. Interrupted anywhere, the old key still counts, and the same command goes on."""

from __future__ import annotations

import time

from infra.authority.authority import (
    ACCOUNTS,
    OPERATOR_NAME,
    SIGNING,
    SYSTEM_NAME,
    Authority,
    Retiring,
    account_of,
    only_one,
    renew_service,
)
from infra.authority.claims import encode, operator_claims, system_account_claims
from infra.authority.keys import Key, make_key
from infra.authority.roles import SERVICES
from infra.files import write_private


def rotate_role(authority: Authority, role: str, keep_s: float) -> None:
    """A new signing key for `role`; users signed by older ones are taken for `keep_s` more at most.

    Push the saved account afterwards. Services get new users at once. Raises AuthorityError.
    """
    with only_one(authority.directory):
        facts = authority.facts = Authority(authority.directory).facts
        now_s, until_s = time.time(), int(time.time() + keep_s)
        # First said to retire, then replaced: in between it is both, which is no harm.
        known = [*facts.retiring, Retiring(authority.role_key(role).public, role, until_s)]
        ends = [min(old.until_s, until_s) if old.role == role else old.until_s for old in known]
        facts.retiring = [
            Retiring(old.public, old.role, end_s) for old, end_s in zip(known, ends, strict=True) if end_s > now_s
        ]
        authority.save_facts()
        write_private(authority.directory / "roles" / f"{role}.nk", make_key("account").seed + "\n")
        if role in SERVICES:
            renew_service(authority, role)
        authority.sign_anew(account_of(role))


def rotate_operator(authority: Authority) -> None:
    """A new key that signs accounts. Needs the operator's seed. Raises AuthorityError.

    Servers follow it from their next start on and take no revocation until then: run it while they are stopped.
    """
    with only_one(authority.directory):
        operator, old = authority.key("operator.nk"), authority.key(SIGNING)
        signing, now_s = make_key("operator"), int(time.time())
        facts = authority.facts = Authority(authority.directory).facts

        def follow(*keys: Key) -> None:
            claims = operator_claims(facts.system_account, [key.public for key in keys])
            facts.operator = encode(operator, operator.public, OPERATOR_NAME, claims, now_s)
            facts.system_jwt = encode(keys[0], facts.system_account, SYSTEM_NAME, system_account_claims(), now_s)
            authority.save_facts()

        follow(signing, old)
        write_private(authority.directory / SIGNING, signing.seed + "\n")
        follow(signing)
        for of in ACCOUNTS:
            authority.sign_anew(of)
