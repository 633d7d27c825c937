"""Asking the gateway, with nothing but the standard library. Every call blocks, for a bounded time."""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from infra.addresses import gateway_fault, is_loopback
from schemas.enrolment import CA
from schemas.version import VERSION

T = TypeVar("T")

SOCKET_S = 10.0
"""Longest wait for one step of an exchange."""
ANSWER_S = 30.0
"""Longest time for a whole answer."""
MOST_BYTES = 2**20
MOST_WAIT_S = 3600.0
_FINAL = range(400, 500)
_LATER = {408, 425, 429}
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Refused(Exception):
    """The gateway says no, or is none that we may talk to: trying the same again soon is of no use."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        """Type of the problem document; empty without one."""


class NotNow(Exception):
    """The gateway cannot be reached, or asks to be left alone for `wait_s`: try again."""

    def __init__(self, reason: str, wait_s: float = 0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _Problem(msgspec.Struct):
    """What we read of a problem document."""

    type: str = ""
    detail: str = ""
    title: str = ""


class Gateway:
    """One gateway, and whose word is taken for its certificate."""

    def __init__(self, address: str, ca: str = "") -> None:
        """`ca`: certificates (PEM) that vouch for it; empty: those that the system trusts. Raises Refused."""
        self.address = address.rstrip("/")
        fault = gateway_fault(address) if address else "empty; write https://HOST:8080"
        if fault:
            raise Refused(f"gateway {address!r}: {fault}")
        parts = urlsplit(self.address)
        self._host, self._port = parts.hostname or "", parts.port
        self.encrypted = parts.scheme == "https"
        if not self.encrypted and not is_loopback(self._host):
            raise Refused(
                f"gateway {self.address}: keys and tokens do not cross a network unencrypted; write https://, "
                "and set SONDE_TLS at the gateway"
            )
        try:
            self._trust = ssl.create_default_context(cadata=ca or None) if self.encrypted else None
        except ssl.SSLError as error:
            raise Refused(f"gateway {self.address}: its certificate authority is not readable ({error})") from None
        self.ahead_s = 0.0
        """How far its clock is ahead of ours, as of its last answer."""

    def get(self, path: str, kind: type[T]) -> T:
        """What `path` answers. Raises Refused, NotNow."""
        return self._decoded(path, self._exchange("GET", path, b"", self._trust), kind)

    def post(self, path: str, body: Any, kind: type[T]) -> T:
        """What `path` answers to `body`. Raises Refused, NotNow."""
        return self._decoded(path, self._exchange("POST", path, msgspec.json.encode(body), self._trust), kind)

    def authority(self, fingerprint: str) -> str:
        """The certificate (PEM) of its own authority, known by its SHA-256. Raises Refused, NotNow."""
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # what comes is checked below
        wanted = fingerprint.replace(":", "").lower()
        text = self._exchange("GET", CA, b"", anybody).decode("ascii", "replace")
        found: dict[str, str] = {}
        for certificate in _CERTIFICATE.findall(text):
            try:
                found[hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()] = certificate + "\n"
            except ValueError:
                continue
        if wanted in found:
            return found[wanted]
        if not found:
            raise Refused(f"gateway {self.address}: its {CA} has no certificate; leave out the CA's fingerprint")
        raise Refused(
            f"gateway {self.address}: its certificate authority has the SHA-256 {', '.join(found)}, not {wanted}: take "
            "the line to paste from the gateway once more; if they still differ, somebody is in between"
        )

    def _decoded(self, path: str, data: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            reason = f"its answer to {path} is not understood ({error})"
            raise Refused(f"gateway {self.address}: {reason}; is this the address of a Sonde gateway?") from None

    def _exchange(self, method: str, path: str, body: bytes, trust: ssl.SSLContext | None) -> bytes:
        """The body of a successful answer."""
        connection = (
            http.client.HTTPSConnection(self._host, self._port, timeout=SOCKET_S, context=trust)
            if self.encrypted
            else http.client.HTTPConnection(self._host, self._port, timeout=SOCKET_S)
        )
        headers = {"Accept": "application/json", "User-Agent": f"sonde-agent/{VERSION}", "Connection": "close"}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body or None, headers)
            with connection.getresponse() as response:
                data = _read(response)
        except ssl.SSLCertVerificationError as error:
            raise Refused(
                f"gateway {self.address}: its certificate is not trusted ({error.verify_message}); if the gateway made "
                "its own certificate authority, give --ca-fingerprint (SONDE_CA_FINGERPRINT)"
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NotNow(f"gateway {self.address} cannot be reached: {reason}") from None
        finally:
            connection.close()
        self._note_clock(response)
        if response.status in (200, 201):
            return data
        raise self._fault(response, path, data)

    def _note_clock(self, response: http.client.HTTPResponse) -> None:
        try:
            told_s = parsedate_to_datetime(response.getheader("Date", "")).timestamp()
        except (TypeError, ValueError):
            return
        self.ahead_s = told_s + 0.5 - time.time()  # it is told in whole seconds

    def _fault(self, response: http.client.HTTPResponse, path: str, data: bytes) -> Refused | NotNow:
        try:
            problem = msgspec.json.decode(data, type=_Problem)
        except msgspec.MsgspecError:
            problem = _Problem()
        reason = problem.detail or problem.title or response.reason
        text = f"gateway {self.address}: {reason} ({response.status})"
        if response.status >= 500 or response.status in _LATER:
            return NotNow(text, _seconds(response.getheader("Retry-After", "")))
        if response.status not in _FINAL:
            target = response.getheader("Location", "")
            text = f"gateway {self.address}: {path} answers {response.status} {target}; give the gateway's own address"
        return Refused(text, problem.type)


def _seconds(text: str) -> float:
    return min(float(text), MOST_WAIT_S) if text.isascii() and text.isdecimal() else 0.0


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body. Raises ValueError when it is too large or takes too long."""
    until_s = time.monotonic() + ANSWER_S
    data = b""
    while chunk := response.read1(65536):
        data += chunk
        if len(data) > MOST_BYTES:
            raise ValueError(f"its answer is larger than {MOST_BYTES} bytes")
        if time.monotonic() > until_s:
            raise ValueError(f"its answer took longer than {ANSWER_S:g} s")
    return data
