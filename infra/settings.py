"""Process settings: `SONDE_*` environment variables, or the TOML file that `SONDE_CONFIG` names.

The environment wins over the file. An invalid value stops the process with one line that names it. An unknown setting,
such as one of a newer version, is named once and ignored.
"""

from __future__ import annotations

import difflib
import functools
import os
import stat
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from infra.addresses import (
    bus_fault,
    database_fault,
    fingerprint_fault,
    gateway_fault,
    header_fault,
    issuer_fault,
    names_fault,
    networks_fault,
    optional_bus_fault,
    redact,
)
from schemas.subjects import HOST_PATTERN
from schemas.validation import allowed


def _rule(fault: Callable[[str], str]) -> Meta:
    """A rule beside a field: `fault(value)` says what is wrong with a value and what to do, or nothing."""
    return Meta(extra={"fault": fault})


def _directory_fault(path: str) -> str:
    if not path.startswith("/"):
        return "not an absolute path; give one that begins with /"
    return "" if Path(path).is_dir() else "no such directory; give the path where the host's is mounted"


def _data_fault(path: str) -> str:
    if not path:
        return "empty; give the path of a directory"
    try:
        directory = stat.S_ISDIR(Path(path).stat().st_mode)
    except OSError:  # not there yet, or closed to us: whoever uses it says so
        return ""
    return "" if directory else "not a directory; give the path of one"


def _paths_fault(paths: str) -> str:
    wrong = [path for path in paths.split(":") if not path.startswith("/")] if paths else []
    return f"{wrong[0]!r} is not an absolute path; give paths that begin with /, separated by :" if wrong else ""


def _tags_fault(tags: str) -> str:
    wrong = [tag for tag in tags.split(",") if not tag or not tag.isprintable() or " " in tag] if tags else []
    return f"{wrong[0]!r} is not a tag; give words without spaces, separated by commas: web,eu-west" if wrong else ""


_HOST = "a host id: 1 to 40 characters, each a-z, 0-9 or -"
Port = Annotated[int, Meta(ge=0, le=65535)]
LogFormat = Literal["auto", "json", "pretty"]
Data = Annotated[str, _rule(_data_fault)]
BusUrl = Annotated[str, _rule(bus_fault)]
MountedRoot = Annotated[str, _rule(_directory_fault)]


class AgentSettings(Struct, frozen=True):
    """What one agent needs to start."""

    data: Data = ".sonde"
    """Directory for the spool (`agent/` below it)."""
    nats_url: Annotated[str, _rule(optional_bus_fault)] = ""
    """Address of the bus, with user and password inside where it asks for them; several are separated by commas.

    Empty: those that it was told when it enrolled, else this machine's.
    """
    nats_credentials: str = ""
    """Path of the .creds file that says who this agent is to the bus; empty: the identity it enrolled for, if any."""
    gateway: Annotated[str, _rule(gateway_fault)] = ""
    """Address of the gateway to enrol at when there is no identity yet; empty: the one that it enrolled at."""
    token_file: str = ""
    """Path of the file with the enrolment token."""
    ca_fingerprint: Annotated[str, _rule(fingerprint_fault)] = ""
    """SHA-256 of the certificate authority that the gateway made, in hexadecimal; empty: the system's vouch for it."""
    ca: str = ""
    """Path of certificates (PEM) that vouch for gateway and bus; empty: those got when enrolling, or the system's."""
    host: Annotated[str, Meta(pattern=rf"^$|{HOST_PATTERN}", description=_HOST)] = ""
    """Host id; empty: made from the machine's name."""
    sample_interval_s: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    batch_interval_s: Annotated[float, Meta(ge=0.5, le=300)] = 10.0
    spool_bytes: Annotated[int, Meta(ge=1 << 16)] = 256 * 2**20
    """Most bytes of unacknowledged batches on disk; past it the oldest are dropped and counted."""
    spool_max_age_s: Annotated[float, Meta(ge=60)] = 7 * 86400
    spool_sync_s: Annotated[float, Meta(ge=0, le=600)] = 0
    """A power failure costs at most the batches of the last so many seconds; 0: each is on the disk at once."""
    backfill_after_s: Annotated[float, Meta(ge=1)] = 120
    """A backlog older than this goes out in the backfill lane."""
    directories: Annotated[str, _rule(_paths_fault)] = "/var/lib/docker"
    """Directories whose size is measured, separated by `:`."""
    directory_interval_s: Annotated[float, Meta(ge=1)] = 300
    tags: Annotated[str, _rule(_tags_fault)] = ""
    """Comma-separated tags of this host."""
    proc_root: MountedRoot = "/proc"
    """Where the host's /proc is mounted; a container sees it elsewhere."""
    sys_root: MountedRoot = "/sys"
    host_root: MountedRoot = "/"
    """Where the host's root directory is mounted."""
    docker_socket: str = "/var/run/docker.sock"
    """Socket of the Docker engine, asked for containers when that family is enabled."""
    custom_directory: str = "/var/lib/sonde/custom"
    """Directory of `*.prom` files with values of other programs."""
    log_format: LogFormat = "auto"


class ServerSettings(Struct, frozen=True):
    """What the services need to start."""

    data: Data = ".sonde"
    nats_url: BusUrl = "nats://127.0.0.1:4222"
    database_url: Annotated[str, _rule(database_fault)] = "postgresql://postgres@127.0.0.1:5432/sonde"
    nats_credentials: str = ""
    """Path of the .creds file that says who this service is to the bus; empty: the bus asks for none."""
    nats_ca: str = ""
    """Path of certificates (PEM) that vouch for the bus; empty: those that the system trusts."""
    nats_server_name: str = ""
    """Name that the bus's certificate is for, where the address has another one; empty: that of the address."""
    authority: str = ""
    """Directory of the keys that make identities; empty: `authority` in the data directory."""
    http_host: str = "127.0.0.1"
    """Address the gateway listens on."""
    port: Port = 8080
    """Port the gateway listens on."""
    public_url: Annotated[str, _rule(gateway_fault)] = ""
    """Address under which machines and people reach the gateway; empty: made from `http_host` and `port`."""
    anonymous_viewer: bool = False
    """Whether everybody who reaches the gateway may read without a login, whatever the runtime setting says."""
    allowed_names: Annotated[str, _rule(names_fault)] = ""
    """Further host names under which the gateway may be asked, separated by commas."""
    trusted_proxies: Annotated[str, _rule(networks_fault)] = ""
    """Addresses and networks of proxies whose X-Forwarded-* and Forwarded headers are believed, separated by commas."""
    oidc_issuer: Annotated[str, _rule(issuer_fault)] = ""
    """Address of the OpenID Connect provider that people log in by, as it calls itself; empty: there is none."""
    oidc_client_id: str = ""
    """What the provider calls the gateway."""
    oidc_client_secret_file: str = ""
    """Path of the file with the secret that the provider gave the gateway; empty: none, for a public client."""
    oidc_name: str = "single sign-on"
    """What to call this way in on the page of the login."""
    oidc_scopes: str = "openid profile email"
    """What is asked of the provider, separated by spaces."""
    oidc_groups_claim: str = "groups"
    """Claim with the groups of a person; dots lead into objects, as in `realm_access.roles`."""
    oidc_admin_groups: str = ""
    """Groups whose members are administrators, separated by commas; `*` is everybody."""
    oidc_operator_groups: str = ""
    """Groups whose members are operators."""
    oidc_viewer_groups: str = ""
    """Groups whose members may read."""
    proxy_user_header: Annotated[str, _rule(header_fault)] = ""
    """Header in which one of `trusted_proxies` says who is logged in at it; empty: none does."""
    proxy_groups_header: Annotated[str, _rule(header_fault)] = ""
    """Header with their groups, separated by commas, which the `oidc_*_groups` turn into roles."""
    proxy_role: Literal["viewer", "operator", "admin"] = "viewer"
    """What they may where no header tells their groups."""
    connections_per_address: Annotated[int, Meta(ge=8, le=100_000)] = 256
    """Most connections that the gateway takes from one address (of IPv6: from one /64) that is no trusted proxy's."""
    bus_host: str = "127.0.0.1"
    """Address that the nats-server of `sonde up` listens on."""
    bus_port: Port = 0
    """Its port; 0: that of the last run, or any free one."""
    bus_url: Annotated[str, _rule(optional_bus_fault)] = ""
    """Address of the bus for agents, several separated by commas; empty: made from `public_url` and `bus_port`."""
    tls: Literal["none", "own", "files", "in-front"] = "none"
    """Who encrypts: nobody (loopback only), a certificate authority made here, given files, or something in front."""
    tls_certificate: str = ""
    """Path of the certificate chain (PEM), for `files`."""
    tls_key: str = ""
    """Path of its private key (PEM)."""
    outbound_private: bool = False
    """Whether notifications may go to addresses of this machine and network, too."""
    identity_days: Annotated[float, Meta(ge=0.0001, le=365)] = 30
    """How long an agent's JWT is good; it is renewed after two thirds of that."""
    wheels: str = ""
    """Directory of the wheels that machines install from; empty: a checkout's `dist`, or `wheels` in `data`."""
    demonstration: bool = False
    """Whether the dashboard says on every page that all of it is simulated; `sonde demo` sets it."""
    log_format: LogFormat = "auto"


class SettingError(Exception):
    """A process setting that is invalid; its text is the one line to show."""


_NOT_SETTINGS = {"SONDE_CONFIG", "SONDE_TEST_DATABASE_URL", "SONDE_TEST_ROOT", "SONDE_TEST_WHEELS"}
S = TypeVar("S", AgentSettings, ServerSettings)


@functools.cache
def _known() -> frozenset[str]:
    kinds = (AgentSettings, ServerSettings)
    return frozenset(f"SONDE_{name.upper()}" for kind in kinds for name in kind.__struct_fields__)


def load_settings(kind: type[S], environment: Mapping[str, str] | None = None, **overrides: Any) -> S:
    """Settings of `kind`: defaults, then the TOML file, the environment, `overrides`. Raises SettingError."""
    environment = os.environ if environment is None else environment
    known = _known()
    for name in environment:
        if name.startswith("SONDE_") and name not in known | _NOT_SETTINGS:
            _say(f"{name}: unknown setting, ignored; {_remedy(name)}")
    path = environment.get("SONDE_CONFIG")
    values: dict[str, Any] = _from_file(path, known)
    places = {name: f"{path}: {name}" for name in values}
    for field in kind.__struct_fields__:
        text = environment.get(f"SONDE_{field.upper()}")
        if text is not None:
            values[field] = text
            places[field] = f"SONDE_{field.upper()}"
    values.update(overrides)
    fields = {info.name: info.type for info in msgspec.structs.fields(kind)}
    given = {name: value for name, value in values.items() if name in fields}
    return kind(**{name: _valid(places.get(name, name), value, fields[name]) for name, value in given.items()})


def _valid(place: str, value: Any, type_: Any) -> Any:
    """`value` as the field's type. Raises SettingError when it is none, or breaks the rule beside the field."""
    try:
        converted = msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError:
        raise SettingError(f"{place}: {redact(str(value))!r}: must be {allowed(type_)}") from None
    for meta in getattr(type_, "__metadata__", ()):
        fault = (meta.extra or {}).get("fault")
        problem = fault(converted) if fault else ""
        if problem:
            raise SettingError(f"{place}: {redact(converted)!r}: {problem}")
    return converted


def _from_file(path: str | None, known: frozenset[str]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        values = tomllib.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingError(f"SONDE_CONFIG: {path}: {reason}; give the path of a readable TOML file") from None
    for name in values:
        if f"SONDE_{name.upper()}" not in known:
            _say(f"{path}: {name}: unknown setting, ignored; {_remedy(name, str.lower)}")
    return values


def _remedy(name: str, spelled: Callable[[str], str] = str) -> str:
    """What may have been meant by an unknown setting."""
    bare = name.upper().removeprefix("SONDE_")
    close = difflib.get_close_matches(bare, [known.removeprefix("SONDE_") for known in _known()], 1, 0.75)
    if not close:
        return "docs/settings.md lists those that exist; a newer version may know it"
    prefix = "SONDE_" if name.startswith("SONDE_") else ""
    return f"is {spelled(prefix + close[0])} meant?"


@functools.cache  # a process that reads its settings twice says it once
def _say(text: str) -> None:
    print(f"sonde: {text}", file=sys.stderr)
