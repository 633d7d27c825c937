"""Figures as benchmarks print them: a line for people, or one JSON array."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from msgspec import Struct, structs


class Figure(Struct):
    """One measured figure beside its target and the limit measured in the same run."""

    name: str
    value: float
    unit: str
    target: float | None = None
    limit: float | None = None
    ratio: float | None = None
    """value / limit."""


def figure(name: str, value: float, unit: str, target: float | None = None, limit: float | None = None) -> Figure:
    return Figure(name, round(value, 4), unit, target, limit, round(value / limit, 4) if limit else None)


def show(figures: Sequence[Figure], as_json: bool, declared: Sequence[str]) -> None:
    """Print `figures` on standard output. Raises LookupError for one whose name the benchmark has not `declared`."""
    unknown = sorted({each.name for each in figures} - set(declared))
    if unknown:
        raise LookupError(f"{', '.join(unknown)}: not in the benchmark's FIGURES")
    if as_json:
        print(json.dumps([structs.asdict(each) for each in figures]))
        return
    for each in figures:
        parts = [f"{each.name}: {each.value:,.4g} {each.unit}"]
        if each.target is not None:
            parts.append(f"target {each.target:,.4g}")
        if each.limit is not None and each.ratio is not None:
            parts.append(f"limit in this run {each.limit:,.4g}, ratio {each.ratio:.3g}")
        print(", ".join(parts))


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser with `--json`."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", action="store_true", help="one JSON array instead of lines")
    return made
