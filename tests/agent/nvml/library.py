"""Compiling the stand-in, and telling it what machine to be."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvml
import pytest

NAME = "libnvidia-ml.so.1"
"""What pynvml asks the loader for."""
SOURCE = Path(__file__).with_name("nvml.c")


def compiled(directory: Path, *options: str) -> Path:
    """The library, made in `directory`. Without a C compiler the test is skipped, in CI it fails."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        reason = "no C compiler on PATH; on Debian and Ubuntu: apt-get install gcc libc6-dev"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    path = directory / NAME
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = [compiler, "-shared", "-fPIC", *warnings, *options, f"-Wl,-soname,{NAME}", "-o", str(path), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


class Machine:
    """The directives that the stand-in follows; see its source. Changes take effect with its next call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._directives: list[str] = []
        self.have("devices 2")

    def have(self, *directives: str) -> None:
        """Add directives; where two concern the same, the later one counts."""
        self._directives = [*directives, *self._directives]
        self._write()

    def end(self, directive: str) -> None:
        """Take back one directive."""
        self._directives.remove(directive)
        self._write()

    def _write(self) -> None:
        new = self.path.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in self._directives))
        new.replace(self.path)  # at once: the stand-in may be reading it

    def calls(self, call: str) -> int:
        """How often a call was made, such as `0 nvmlDeviceGetName`."""
        noted = Path(f"{self.path}.calls")
        return noted.read_text().splitlines().count(call) if noted.exists() else 0


def load(library: Path, patch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """What loads pynvml with `library` as NVIDIA's, whether or not this machine has the real one."""
    patch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(library)))
    patch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return lambda: pynvml
