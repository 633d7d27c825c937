"""The TLS of the gateway's listener, and the address where machines fetch the certificate that vouches for it."""

from __future__ import annotations

import ssl
from pathlib import Path

from starlette.responses import FileResponse, Response

from infra.certificates.context import load, server_context
from infra.certificates.keep import keep_current
from infra.certificates.listening import certificates_directory, prepare, require_encryption, stamps, tls_of
from infra.settings import ServerSettings
from schemas.enrolment import CA
from services.gateway.http.operations import Call, Media, Nothing, Operation
from services.gateway.http.problems import ProblemError

MEDIA_TYPE = "application/x-pem-file"


class Encryption:
    """What every connection is encrypted with, from now on and after a renewal; `context` is None without TLS."""

    def __init__(self, settings: ServerSettings) -> None:
        """Reads and writes files. Raises SettingError, also for an address that needs TLS and has none."""
        require_encryption("http_host", settings.http_host, settings)
        self._settings = settings
        self._tls = prepare(settings)
        self._seen = stamps(self._tls)
        self.context: ssl.SSLContext | None = None
        if self._tls.certificate:
            self.context = server_context(self._tls.certificate, self._tls.key)

    async def keep(self) -> None:
        """Renew the certificate, and show a new one to whoever connects; until cancelled."""
        if self.context is not None:
            await keep_current(self._settings, self._seen, self._load)

    def _load(self) -> None:
        if self.context is not None:
            load(self.context, self._tls.certificate, self._tls.key)


def own_trust(settings: ServerSettings) -> tuple[str, str]:
    """The certificate of our own authority (PEM) and the pin of the gateway's key; empty where there is none.

    Raises OSError and SettingError.
    """
    path = tls_of(settings).ca
    if not path:
        return "", ""
    from infra.certificates.own import pin  # a cryptographic library, which other gateways do without

    return Path(path).read_text(), pin(certificates_directory(settings))


def ca_operations(settings: ServerSettings) -> list[Operation]:
    """Anybody may have it: whom to trust is known by its fingerprint, which comes another way."""
    path = tls_of(settings).ca

    async def ca(_: Call[Nothing, None]) -> Response:
        if not path:
            raise ProblemError(404, "this gateway has no certificate authority of its own: SONDE_TLS is not own")
        return FileResponse(path, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-cache"})

    return [
        Operation(
            "GET",
            CA,
            ca,
            tag="identities",
            summary="The certificate authority of a gateway that has its own",
            role=None,
            answers={200: Media((MEDIA_TYPE,), "The certificate, PEM.")},
            refuses=(404,),
        )
    ]
