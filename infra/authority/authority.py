"""The authority on disk: the operator, its accounts, a signing key for each role, and the users of the services.

Agents have an account of their own without streams: what a server answers them, they may have sent to any subject, and
in the account of the services such an answer could purge a stream. Only the subjects of roles.py cross over.

    operator.nk           the operator's seed; needed only by `rotate operator`, so it may be moved offline
    operator-signing.nk   signs the accounts: whoever has it revokes
    system.nk             the system account's seed
    roles/<role>.nk       scoped signing keys: whoever has one makes users of that role
    users/<name>.creds    users of the services and of the system account
    authority.json        public facts
    agents.jwt            the accounts of agents and of everybody else, as they were last signed
    services.jwt

Everything is made under another name and renamed when it is whole, so an interrupted start leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from infra.authority.claims import (
    BadToken,
    Scope,
    account_claims,
    decode,
    encode,
    operator_claims,
    system_account_claims,
    system_user_claims,
    user_claims,
)
from infra.authority.keys import BadKey, Key, make_key, read_key
from infra.authority.roles import OFFERED_BY_AGENTS, OFFERED_TO_AGENTS, ROLES, SERVICES
from infra.bus.credentials import BadCredentials, credentials_text, read_credentials
from infra.files import locked, write_private
from infra.settings import ServerSettings

VERSION = 1
SYSTEM_USER = "system"
SIGNING = "operator-signing.nk"
RESTORED = ".restored"
"""Suffix of a directory that is to take this one's place, see backup.py."""
RESOLVER = "resolver"
"""Directory in which a server keeps the accounts."""
OPERATOR_NAME = "sonde"
Account = Literal["agents", "services"]
ACCOUNTS: tuple[Account, ...] = ("agents", "services")
SYSTEM_NAME = "SYS"


class AuthorityError(Exception):
    """The authority cannot be used; the text names the file and the remedy."""


class Retiring(Struct, frozen=True):
    """A signing key that was replaced, and until when users signed by it are still taken."""

    public: str
    role: str
    until_s: int


class Facts(Struct):
    """`authority.json`: nothing of it is secret."""

    version: int
    made_s: int
    operator: str
    """The operator's JWT, as servers have it in their configuration."""
    accounts: dict[Account, str]
    """Their public keys."""
    system_account: str
    system_jwt: str
    retiring: list[Retiring] = []


def authority_directory(settings: ServerSettings) -> Path:
    """Where the settings have the authority."""
    return Path(settings.authority) if settings.authority else Path(settings.data).absolute() / "authority"


class Authority:
    """Keys and facts, read once."""

    def __init__(self, directory: Path) -> None:
        """Raises AuthorityError."""
        self.directory = directory
        try:
            self.facts = msgspec.json.decode((directory / "authority.json").read_bytes(), type=Facts)
        except FileNotFoundError:
            raise AuthorityError(f"{directory}: no authority there; make one with `sonde authority init`") from None
        except OSError as error:
            raise AuthorityError(f"{error.filename}: {str(error.strerror).lower()}") from None
        except msgspec.MsgspecError:
            raise AuthorityError(
                f"{directory / 'authority.json'}: not readable by this version; restore it from a backup"
            ) from None
        if self.facts.version > VERSION:
            raise AuthorityError(f"{directory}: written by a newer version of sonde ({self.facts.version})")

    def key(self, name: str) -> Key:
        """The key in one of the files above. Raises AuthorityError."""
        try:
            return read_key(self.directory / name)
        except BadKey as error:
            raise AuthorityError(str(error)) from None

    def role_key(self, role: str) -> Key:
        """The key that signs users of `role`. Raises AuthorityError."""
        return self.key(f"roles/{role}.nk")

    def credentials_path(self, user: str) -> Path:
        return self.directory / "users" / f"{user}.creds"

    def account(self, of: Account = "agents") -> str:
        """The public key of an account."""
        return self.facts.accounts[of]

    def scopes(self, now_s: float, of: Account = "agents") -> list[Scope]:
        """All signing keys of an account that count at `now_s`."""
        present = [Scope(self.role_key(role).public, role, may) for role, may in ROLES.items()]
        held = {scope.public for scope in present}
        retiring = [
            Scope(old.public, old.role, ROLES[old.role])
            for old in self.facts.retiring
            if old.until_s > now_s and old.role in ROLES and old.public not in held
        ]
        return [scope for scope in present + retiring if account_of(scope.role) == of]

    def claims(self, revocations: Mapping[str, int], of: Account = "agents") -> dict[str, Any]:
        """What the JWT of an account says now."""
        scopes = self.scopes(time.time(), of)
        agents, services = self.account("agents"), self.account("services")
        if of == "agents":
            takes = [(services, crossing) for crossing in OFFERED_TO_AGENTS]
            return account_claims(scopes, revocations, streams=False, offers=OFFERED_BY_AGENTS, takes=takes)
        takes = [(agents, crossing) for crossing in OFFERED_BY_AGENTS]
        return account_claims(scopes, revocations, streams=True, offers=OFFERED_TO_AGENTS, takes=takes)

    def sign_account(self, revocations: Mapping[str, int], after_s: int = 0, of: Account = "agents") -> str:
        """The JWT of an account with `revocations`, dated after `after_s` so that servers take it for news."""
        issued_s = max(int(time.time()), after_s + 1)
        return encode(self.key(SIGNING), self.account(of), of.upper(), self.claims(revocations, of), issued_s)

    def sign_account_after(self, held: str, revocations: Mapping[str, int], of: Account = "agents") -> str:
        """The same, as news for servers that hold the account's JWT `held`."""
        return self.sign_account(revocations, issued_in(held), of)

    def sign_anew(self, of: Account, more: Mapping[str, int] | None = None) -> None:
        """Sign and save an account as it is to be now, with the revocations that are saved and `more`.

        The caller holds `only_one`.
        """
        saved = self.saved_account(of)
        self.save_account(self.sign_account_after(saved, revocations_in(saved) | dict(more or {}), of), of)

    def sign_user(self, role: str, public: str, name: str, issued_s: int, expires_s: int = 0) -> str:
        """A user JWT of `role` for the owner of the key `public`. `name` fills the role's template: check it before."""
        return encode(
            self.role_key(role), public, name, user_claims(self.account(account_of(role))), issued_s, expires_s
        )

    def saved_account(self, of: Account = "agents") -> str:
        """The JWT of an account as it was last signed here; empty when it is gone."""
        try:
            return (self.directory / f"{of}.jwt").read_text().strip()
        except OSError:
            return ""

    def save_account(self, token: str, of: Account = "agents") -> None:
        write_private(self.directory / f"{of}.jwt", token + "\n")

    def save_facts(self) -> None:
        write_private(self.directory / "authority.json", msgspec.json.encode(self.facts).decode())


def account_of(role: str) -> Account:
    """The account that users of `role` are in."""
    return "agents" if role == "agent" else "services"


def revocations_in(token: str) -> dict[str, int]:
    """The revocations in an account's JWT; none in what is no JWT."""
    try:
        found = decode(token)["nats"].get("revocations") or {}
        return {str(key): int(at) for key, at in found.items()}
    except (BadToken, KeyError, AttributeError, TypeError, ValueError):
        return {}


def issued_in(token: str) -> int:
    """When a JWT was issued, Unix seconds; 0 for what is none."""
    try:
        return int(decode(token)["iat"])
    except (BadToken, KeyError, TypeError, ValueError):
        return 0


def union(*parts: Mapping[str, int]) -> dict[str, int]:
    """All revocations, each with its latest time: what was revoked once stays so, whichever source was set back."""
    merged: dict[str, int] = {}
    for part in parts:
        for public, at in part.items():
            merged[public] = max(at, merged.get(public, 0))
    return merged


def ensure_authority(directory: Path) -> Authority:
    """The authority in `directory`, made unless it is there; several processes may ask at once.

    Raises AuthorityError.
    """
    try:
        with only_one(directory):
            if not (directory / "authority.json").exists():
                restored = directory.with_name(directory.name + RESTORED)
                if (restored / "authority.json").exists() and not directory.exists():
                    restored.rename(directory)  # a restoring was interrupted between its two renames
                else:
                    _make(directory)
            authority = Authority(directory)
            _complete(authority)
            return authority
    except OSError as error:
        raise AuthorityError(
            f"{error.filename or directory}: {str(error.strerror).lower()}; the authority needs a directory of its own"
        ) from None


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the authority in `directory` against other processes that would change it. Raises OSError."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with locked(directory.with_name(f"{directory.name}.lock")):
        yield


def _make(directory: Path) -> None:
    if directory.exists() and any(directory.iterdir()):
        raise AuthorityError(f"{directory}: authority.json is missing; restore it from a backup, or move the rest away")
    unfinished = directory.with_name(f"{directory.name}.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    now_s = int(time.time())
    operator, signing = make_key("operator"), make_key("operator")
    # The seeds of these two would make users without a template: nobody ever has them.
    accounts = {of: make_key("account").public for of in ACCOUNTS}
    system = make_key("account")
    operator_jwt = encode(
        operator, operator.public, OPERATOR_NAME, operator_claims(system.public, [signing.public]), now_s
    )
    system_jwt = encode(signing, system.public, SYSTEM_NAME, system_account_claims(), now_s)
    write_private(unfinished / "operator.nk", operator.seed + "\n")
    write_private(unfinished / SIGNING, signing.seed + "\n")
    write_private(unfinished / "system.nk", system.seed + "\n")
    facts = Facts(VERSION, now_s, operator_jwt, accounts, system.public, system_jwt)
    write_private(unfinished / "authority.json", msgspec.json.encode(facts).decode())
    _complete(Authority(unfinished))
    if directory.exists():
        directory.rmdir()
    unfinished.rename(directory)


def _complete(authority: Authority) -> None:
    """Make what is missing: roles and services of this version, and the account's JWT when the roles changed."""
    for name in ("roles", "users"):
        (authority.directory / name).mkdir(mode=0o700, exist_ok=True)
    for role in ROLES:
        path = authority.directory / "roles" / f"{role}.nk"
        if not path.exists():
            write_private(path, make_key("account").seed + "\n")
    for role in SERVICES:
        if not _signed_by(authority, role):
            renew_service(authority, role)
    if not authority.credentials_path(SYSTEM_USER).exists():
        _make_system_user(authority)
    for of in ACCOUNTS:
        if is_outdated(authority, authority.saved_account(of), of):
            authority.sign_anew(of)


def _signed_by(authority: Authority, role: str) -> bool:
    """Whether the user of a service is signed by the present key of its role."""
    try:
        token, _ = read_credentials(str(authority.credentials_path(role)))
        return bool(decode(token.decode())["iss"] == authority.role_key(role).public)
    except (BadCredentials, BadToken, UnicodeDecodeError):
        return False


def renew_service(authority: Authority, role: str) -> None:
    """A new user for a service. Services read the file at every connection."""
    user = make_key("user")
    token = authority.sign_user(role, user.public, role, int(time.time()))
    write_private(authority.credentials_path(role), credentials_text(token, user.seed))


def _make_system_user(authority: Authority) -> None:
    user = make_key("user")
    token = encode(authority.key("system.nk"), user.public, SYSTEM_USER, system_user_claims(), int(time.time()))
    write_private(authority.credentials_path(SYSTEM_USER), credentials_text(token, user.seed))


def server_access(authority: Authority, resolver: Path) -> str:
    """The part of a nats-server's configuration that makes it follow this authority."""
    facts = authority.facts
    directory = str(resolver).replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"operator: {facts.operator}\n"
        f"system_account: {facts.system_account}\n"
        f'resolver: {{ type: full, dir: "{directory}", allow_delete: false, interval: "5s" }}\n'
        f"resolver_preload: {{ {facts.system_account}: {facts.system_jwt} }}\n"
    )


def hand_accounts(authority: Authority, resolver: Path) -> None:
    """Give a server that is about to start the accounts, unless it has newer ones: those we take over.

    Revocations of both are kept, so a restored backup of either brings nobody back.
    """
    resolver.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(authority.directory):
        for of in ACCOUNTS:
            _hand_account(authority, of, resolver / f"{authority.account(of)}.jwt")


def _hand_account(authority: Authority, of: Account, path: Path) -> None:
    theirs = path.read_text().strip() if path.exists() else ""
    ours = authority.saved_account(of)
    known, wanted = revocations_in(theirs), union(revocations_in(theirs), revocations_in(ours))
    if known == wanted and issued_in(theirs) >= issued_in(ours) and not is_outdated(authority, theirs, of):
        return
    token = authority.sign_account(wanted, max(issued_in(theirs), issued_in(ours)), of)
    authority.save_account(token, of)
    write_private(path, token)


def is_outdated(authority: Authority, token: str, of: Account = "agents") -> bool:
    """Whether an account's JWT has another signer or, revocations aside, says something else than it is to say now."""
    try:
        claims = decode(token)
    except BadToken:
        return True
    held = claims["nats"]
    if claims["iss"] != authority.key(SIGNING).public:
        return True
    wanted = authority.claims({}, of)
    return {name: held[name] for name in held if name not in ("revocations", "version")} != wanted
