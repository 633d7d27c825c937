"""Process settings: `SONDE_*` environment variables, or the TOML file that `SONDE_CONFIG` names.

The environment wins over the file. An unknown or invalid setting stops the process with one line that names it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from schemas.subjects import HOST_PATTERN

Port = Annotated[int, Meta(ge=0, le=65535)]
LogFormat = Literal["auto", "json", "pretty"]


class AgentSettings(Struct, frozen=True):
    """What one agent needs to start."""

    data: str = ".sonde"
    """Directory for the spool (`agent/` below it)."""
    nats_url: str = "nats://127.0.0.1:4222"
    """Address of the bus, with user and password inside where it asks for them."""
    nats_credentials: str = ""
    """Path of the .creds file that says who this agent is to the bus; empty: it asks for none, or the address says."""
    host: Annotated[str, Meta(pattern=rf"^$|{HOST_PATTERN}")] = ""
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
    directories: str = "/var/lib/docker"
    """Directories whose size is measured, separated by `:`."""
    directory_interval_s: Annotated[float, Meta(ge=1)] = 300
    tags: str = ""
    """Comma-separated tags of this host."""
    proc_root: str = "/proc"
    """Where the host's /proc is mounted; a container sees it elsewhere."""
    sys_root: str = "/sys"
    host_root: str = "/"
    """Where the host's root directory is mounted."""
    docker_socket: str = "/var/run/docker.sock"
    """Socket of the Docker engine, asked for containers when that family is enabled."""
    custom_directory: str = "/var/lib/sonde/custom"
    """Directory of `*.prom` files with values of other programs."""
    log_format: LogFormat = "auto"


class ServerSettings(Struct, frozen=True):
    """What the services need to start."""

    data: str = ".sonde"
    nats_url: str = "nats://127.0.0.1:4222"
    database_url: str = "postgresql://postgres@127.0.0.1:5432/sonde"
    http_host: str = "127.0.0.1"
    """Address the gateway listens on. It has no logins yet: keep it on loopback."""
    port: Port = 8080
    """Port the gateway listens on."""
    log_format: LogFormat = "auto"


class SettingError(Exception):
    """A process setting that is unknown or invalid; its text is the one line to show."""


_NOT_SETTINGS = {"SONDE_CONFIG", "SONDE_TEST_DATABASE_URL"}
S = TypeVar("S", AgentSettings, ServerSettings)


def _known() -> set[str]:
    return {f"SONDE_{name.upper()}" for kind in (AgentSettings, ServerSettings) for name in kind.__struct_fields__}


def load_settings(kind: type[S], environment: Mapping[str, str] | None = None, **overrides: Any) -> S:
    """Settings of `kind`: defaults, then the TOML file, the environment, `overrides`. Raises SettingError."""
    environment = os.environ if environment is None else environment
    known = _known()
    for name in environment:
        if name.startswith("SONDE_") and name not in known | _NOT_SETTINGS:
            raise SettingError(f"{name}: unknown setting; known are {', '.join(sorted(known))}")
    values: dict[str, Any] = _from_file(environment.get("SONDE_CONFIG"), known)
    for field in kind.__struct_fields__:
        text = environment.get(f"SONDE_{field.upper()}")
        if text is not None:
            values[field] = text
    values.update(overrides)
    settings: dict[str, Any] = {}
    for info in msgspec.structs.fields(kind):
        if info.name in values:
            value = values[info.name]
            try:
                settings[info.name] = msgspec.convert(value, info.type, strict=False)
            except msgspec.ValidationError as error:
                raise SettingError(f"SONDE_{info.name.upper()}: {value!r}: {error}") from None
    return kind(**settings)


def _from_file(path: str | None, known: set[str]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        values = tomllib.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise SettingError(f"SONDE_CONFIG: {path}: {error}") from None
    for name in values:
        if f"SONDE_{name.upper()}" not in known:
            raise SettingError(f"{path}: {name}: unknown setting")
    return values
