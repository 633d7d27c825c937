"""Slots: the stretches of time that are rolled up as one. Ingest notes which of a host got rows."""

from __future__ import annotations

SLOT_MS = 600_000
"""Ten minutes; slots begin at whole multiples of it since 1970 and divide an hour."""
SLOT_INTERVAL = f"interval '{SLOT_MS // 60_000} min'"
"""The same in SQL."""
