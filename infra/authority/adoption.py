"""Upgrading a bus that admitted everybody: its streams become the account's, with everything in them."""

from __future__ import annotations

import logging
from pathlib import Path

logger = logging.getLogger(__name__)

OPEN_ACCOUNT = "$G"
"""Whose streams they are while a server knows no accounts."""


def adopt_open_streams(store: Path, account: str) -> bool:
    """Hand the streams of an open server in `store` (JetStream's `store_dir`) to `account`; True when there were any.

    One rename, while no server runs: it happened or it did not. Streams that the account has already are left alone.
    """
    before, after = store / "jetstream" / OPEN_ACCOUNT, store / "jetstream" / account
    if not before.is_dir():
        return False
    if after.exists():
        logger.warning("streams of an open bus left alone, the account has its own", extra={"directory": str(before)})
        return False
    before.rename(after)
    logger.info("streams of the open bus adopted", extra={"account": account})
    return True
