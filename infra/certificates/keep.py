"""Keeping certificates good while listeners serve: renewed when due, loaded again when their files change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from infra.bus.patience import Seldom
from infra.certificates.listening import Stamps, Tls, prepare, stamps, tls_of
from infra.settings import ServerSettings, SettingError

logger = logging.getLogger(__name__)

EVERY_S = 10.0
WARN_LEFT = timedelta(days=14)
_WARN_EVERY_S = 86_400.0


async def keep_current(
    settings: ServerSettings, seen: Stamps, load: Callable[[], None], every_s: float = EVERY_S
) -> None:
    """Call `load` whenever certificate or key are others than those that were `seen` last; until cancelled.

    `seen`: `stamps` taken before the listener loaded them. Our own certificate is renewed when it is due. Files that do
    not belong together, as between two writes, are left alone until they do. What `load` raises as OSError is logged,
    and tried again. Returns at once where the listener does not encrypt.
    """
    if not tls_of(settings).certificate:
        return
    news, warnings = Seldom(), Seldom(_WARN_EVERY_S)
    while True:
        try:
            tls = await asyncio.to_thread(prepare, settings)
            found = stamps(tls)
            if found != seen:
                load()
                seen = found
                logger.info("certificate loaded", extra={"path": tls.certificate})
            warn_before_expiry(tls, warnings)
            news.forget()
        except (SettingError, OSError) as error:
            if news.due(str(error), _monotonic_s()):
                logger.error("certificate not usable, previous one kept", extra={"error": str(error)})
        await asyncio.sleep(every_s)


def warn_before_expiry(tls: Tls, warnings: Seldom) -> None:
    """Log once a day that the certificate expires within `WARN_LEFT`. Raises SettingError."""
    from infra.certificates.given import expiry

    end = expiry(tls.certificate)
    left = end - datetime.now(UTC)
    if left < WARN_LEFT and warnings.due(tls.certificate, _monotonic_s()):
        facts = {"path": tls.certificate, "expires": f"{end:%Y-%m-%d %H:%M} UTC", "days": left.days}
        logger.warning("certificate expires soon", extra=facts)


def _monotonic_s() -> float:
    return asyncio.get_running_loop().time()
