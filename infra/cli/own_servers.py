"""Settings and options of the commands that start servers of their own: `sonde up` and `sonde demo`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from infra.addresses import redact
from infra.settings import ServerSettings, SettingError, load_settings


def add_options(demo: argparse.ArgumentParser, number: Callable[[str], int]) -> None:
    """The options of `sonde demo`."""
    demo.add_argument("--hosts", type=number, default=30, metavar="N", help="size of the fleet (default: 30)")
    demo.add_argument("--days", type=float, default=2, help="days of history (default: 2)")
    demo.add_argument("--seed", type=number, default=1, help="another one is another fleet (default: 1)")
    demo.add_argument("--port", type=number, default=None, help="port of the dashboard (default: as SONDE_PORT says)")
    demo.add_argument("--data", default=".sonde-demo", help="directory that it makes anew (default: .sonde-demo)")


def demonstration_settings(arguments: argparse.Namespace) -> ServerSettings:
    """The settings of a demonstration. Nobody needs an account to look: nothing in it is real. Raises SettingError."""
    told: dict[str, Any] = {"data": arguments.data, "demonstration": True, "anonymous_viewer": True}
    if arguments.port is not None:
        told["port"] = arguments.port
    return settings("demo", **told)


def settings(command: str, **told: Any) -> ServerSettings:
    """The settings of `sonde COMMAND`, some of them as they are `told`. Raises SettingError where they name servers."""
    found = load_settings(ServerSettings, **told)
    for name, instead in (
        ("nats_url", "set SONDE_BUS_HOST and SONDE_BUS_PORT to say where it listens"),
        ("database_url", "remove this setting"),
    ):
        if getattr(found, name) != getattr(ServerSettings(), name):
            raise SettingError(
                f"SONDE_{name.upper()}: {redact(getattr(found, name))!r}: `sonde {command}` starts a server of its "
                f"own; {instead}, or start the services one by one (docs/operations.md)"
            )
    return found
