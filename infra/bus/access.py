"""As whom a service connects to the bus: by its settings."""

from __future__ import annotations

from infra.bus.credentials import BadCredentials
from infra.bus.patience import Access, access_of
from infra.settings import ServerSettings, SettingError


def settings_access(settings: ServerSettings) -> Access:
    """The access that the settings give. Raises BadCredentials."""
    return access_of(settings.nats_credentials, settings.nats_ca, settings.nats_server_name)


def service_access(settings: ServerSettings) -> Access:
    """The same for a service that starts. Raises SettingError."""
    try:
        return settings_access(settings)
    except BadCredentials as error:
        raise SettingError(f"SONDE_NATS_CREDENTIALS: {error}") from None
