"""Under which names our listeners are reached, as their certificate has to have them."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import psutil

from infra.addresses import names_of
from infra.settings import ServerSettings

ALWAYS = ("localhost", "127.0.0.1", "::1")
MOST_ADDRESSES = 100
"""Of interfaces: machines that balance load can have thousands."""

_DNS_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def machine_names() -> list[str]:
    """What this machine is called, with and without its domain. No name server is asked."""
    name = socket.gethostname()
    return _valid([name, name.partition(".")[0]])


def interface_addresses() -> list[str]:
    """Addresses of this machine that other machines can have, at most `MOST_ADDRESSES`."""
    found: list[str] = []
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family in (socket.AF_INET, socket.AF_INET6):
                address = ipaddress.ip_address(each.address)
                if not (address.is_loopback or address.is_link_local):
                    found.append(str(address))
    return found[:MOST_ADDRESSES]


def listener_names(settings: ServerSettings) -> list[str]:
    """All names under which gateway and bus may be reached, each once."""
    given = [settings.http_host, settings.bus_host]
    given += [urlsplit(url).hostname or "" for url in (settings.public_url, *settings.bus_url.split(","))]
    given += sorted(names_of(settings.allowed_names))
    return list(dict.fromkeys([*ALWAYS, *_valid(given), *machine_names(), *interface_addresses()]))


def _valid(names: Iterable[str]) -> list[str]:
    """Those that can be a name in a certificate, in the form that it has there."""
    return [form for form in map(_form, names) if form]


def _form(name: str) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return "" if address.is_unspecified or "%" in name else str(address)
    try:
        ascii_name = name.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        return ""
    return ascii_name if _DNS_NAME.fullmatch(ascii_name) else ""
