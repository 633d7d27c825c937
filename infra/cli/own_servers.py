"""Settings and options of the commands that start servers of their own: `sonde up` and `sonde demo`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from infra.addresses import redact
from infra.settings import ServerSettings, SettingError, load_settings

PORT = 8081
"""Of a demonstration: its pages share nothing in the browser with those of an installation at the usual port."""


def add_options(demo: argparse.ArgumentParser, number: Callable[[str], int]) -> None:
    """The options of `sonde demo`."""
    demo.add_argument("--hosts", type=number, default=30, metavar="N", help="size of the fleet (default: 30)")
    demo.add_argument("--days", type=float, help="days of history (default: 2, and less from 30 hosts on)")
    demo.add_argument(
        "--every", type=number, metavar="S", help="seconds between a host's samples (default: by hosts and cores)"
    )
    demo.add_argument("--seed", type=number, default=1, help="seed of the random numbers; each gives another fleet")
    demo.add_argument("--port", type=number, default=PORT, help=f"port of the dashboard (default: {PORT}; 0: any)")
    demo.add_argument(
        "--data",
        default=".sonde-demo",
        help="data directory, deleted and recreated at every start (default: .sonde-demo)",
    )


def demonstration_settings(arguments: argparse.Namespace) -> ServerSettings:
    """The settings of a demonstration. Raises SettingError.

    Nobody needs an account to look: nothing in it is real. So it uses nothing that a real installation has: neither its
    keys, which would vouch for simulated agents, nor the addresses that its agents and people know.
    """
    return settings(
        "demo",
        data=arguments.data,
        port=arguments.port,
        demonstration=True,
        anonymous_viewer=True,
        authority="",
        public_url="",
        bus_host="127.0.0.1",
        bus_port=0,
        bus_url="",
    )


def settings(command: str, **told: Any) -> ServerSettings:
    """The settings of `sonde COMMAND`, some of them as they are `told`. Raises SettingError where they name servers."""
    found, removed = load_settings(ServerSettings, **told), "remove this setting"
    for name, instead in (
        ("nats_url", "set SONDE_BUS_HOST and SONDE_BUS_PORT to say where it listens" if command == "up" else removed),
        ("database_url", removed),
    ):
        if getattr(found, name) != getattr(ServerSettings(), name):
            raise SettingError(
                f"SONDE_{name.upper()}: {redact(getattr(found, name))!r}: `sonde {command}` starts a server of its "
                f"own; {instead}, or start the services one by one (docs/operations.md)"
            )
    return found
