"""`sonde bench NAME`: run `benchmarks/bench_NAME.py` of the checkout this command was installed from."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.cli.process import CommandError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def bench(name: str, rest: Sequence[str]) -> int:
    """Run one benchmark with its own options; returns its exit status."""
    known = sorted(path.stem.removeprefix("bench_") for path in BENCHMARKS.glob("bench_*.py"))
    if name not in known:
        raise CommandError(
            f"bench: {name!r}: no such benchmark; known are {', '.join(known) or 'none in this install'}"
        )
    sys.path.insert(0, str(BENCHMARKS.parent))
    module = importlib.import_module(f"benchmarks.bench_{name}")
    return int(module.main(list(rest)))
