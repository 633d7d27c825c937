"""How channels do, out of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.alerting import ChannelState


def channel_state(row: Mapping[str, Any]) -> ChannelState:
    return ChannelState(
        row["held_since"],
        row["held_reason"],
        row["failures"],
        row["next_try"],
        row["last_status"],
        row["last_answer"],
        row["last_sent"],
    )
