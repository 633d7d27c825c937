"""Tables and sizes as commands print them."""

from __future__ import annotations

from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; those whose heading begins with a space are aligned to the right."""
    lines = [[heading.strip() for heading in headings], *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(headings))]
    right = [heading.startswith(" ") for heading in headings]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def size(number: float | None) -> str:
    """Bytes in the unit that suits them, `12.3 MiB`; a dash where unknown."""
    if number is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024 or (unit == "GiB" and abs(number) < 10_000):
            return f"{number:,.0f} B" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"


def count(number: float | None) -> str:
    """A whole number; a dash where unknown."""
    return "-" if number is None else f"{number:,.0f}"
