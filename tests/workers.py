"""How many processes share the tests out among themselves."""

from __future__ import annotations

from collections.abc import Sequence

PER_CORE = 2
"""Tests wait for servers and clocks more than they compute."""
MOST = 16
"""Each worker has a nats-server and a PostgreSQL."""


def worker_count(arguments: Sequence[str], keyword: str, cores: int) -> int:
    """Workers for what pytest was asked for; 0, this process alone, for one file, one test or a `-k`."""
    one_file = len(arguments) == 1 and arguments[0].partition("::")[0].endswith(".py")
    return 0 if one_file or keyword else min(MOST, PER_CORE * cores)
