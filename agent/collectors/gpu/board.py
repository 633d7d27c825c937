"""One NVIDIA GPU: which of its fields are due, and the values they had.

Calls take from 10 µs to seconds, depending on board, driver and load. A field whose call takes long is therefore read
less often than it asks for, and its last value is held in between.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from agent.collectors.gpu.fields import FIELDS
from agent.collectors.readings import Values

logger = logging.getLogger(__name__)

MOST_LOAD = 0.02
"""Highest share of the time that one field's calls may take."""
MOST_PAUSE_S = 10.0
"""However long a call takes, its field is due again after this."""
UNSUPPORTED_AGAIN_S = 3600.0
"""What a board does not support is asked for again this often: a mode of it may have been changed."""

_LOST = {"GpuIsLost", "Uninitialized", "DriverNotLoaded", "ResetRequired", "LibRmVersionMismatch", "GpuNotFound"}


class Lost(Exception):
    """A board or the driver is gone; NVML must be initialised again."""


def is_lost(error: Exception) -> bool:
    """Whether this error of NVML speaks of the whole board, not of one field."""
    return type(error).__name__.removeprefix("NVMLError_") in _LOST


class Board:
    """Holds one handle of NVML, when each field is due and what it last gave."""

    def __init__(self, nvml: Any, handle: Any, labels: dict[str, str]) -> None:
        self.labels = labels
        """`name` and `uuid`, as far as the board tells them."""
        self._nvml = nvml
        self._handle = handle
        self._due_s = dict.fromkeys(FIELDS, float("-inf"))
        self._held: dict[str, Values] = {}
        self._fault = ""

    def due_s(self, field: str) -> float:
        """When to read `field` next, on the clock that `read` is given."""
        return self._due_s[field]

    def read(self, field: str, clock: Callable[[], float]) -> None:
        """Read one field. Raises Lost; any other failure makes this field unknown."""
        nvml, began = self._nvml, clock()
        pause_s = FIELDS[field].every_s
        try:
            self._held[field] = FIELDS[field].read(nvml, self._handle)
            self._fault = ""
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
            self._held.pop(field, None)
            self._due_s[field] = began + UNSUPPORTED_AGAIN_S
            return
        except Exception as error:  # whatever the library comes up with, the other fields are read
            self._held.pop(field, None)
            if isinstance(error, nvml.NVMLError) and is_lost(error):
                raise Lost(f"{field}: {error}") from None
            self._fault = f"{field}: {error}"
            logger.debug("gpu field failed", extra={"field": field, "error": str(error), **self.labels})
        ended = clock()
        self._due_s[field] = began + max(pause_s, min((ended - began) / MOST_LOAD, MOST_PAUSE_S))

    def values(self) -> Values:
        """What is known of every field. Raises Lost when they all fail, whatever the reason given."""
        if self._fault and not self._held:
            raise Lost(self._fault)
        return {name: value for held in self._held.values() for name, value in held.items()}
