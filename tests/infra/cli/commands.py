"""Starting `sonde` as people do: a process of its own, with an environment of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SONDE = [sys.executable, "-m", "infra.cli.main"]
ROOT = Path(__file__).parents[3]


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """Ours without its SONDE_* variables, with a data directory below `directory`, and `settings`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONDE_")}
    return ours | {"PYTHONPATH": str(ROOT), "SONDE_DATA": str(directory / "data")} | settings


def sonde(directory: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`sonde ARGUMENTS`, run to its end."""
    return subprocess.run(
        [*SONDE, *arguments],
        env=environment(directory, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
