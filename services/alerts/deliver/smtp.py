"""One mail to one SMTP server, in a thread, with a limit on all of it.

The server's name is resolved and judged like that of any other server outside, and the connection goes to the judged
address; its certificate has to be for the name. When time is up, the socket is shut under the thread's hands.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
import time
from email.message import EmailMessage
from typing import IO, Any

from infra.outbound import OutboundError, allowed_addresses
from schemas.channels import Email
from services.alerts.deliver.answers import shown, unanswered
from services.alerts.notice import Outcome

TOTAL_S = 20.0
"""For one mail with everything: resolving, connecting, logging in, sending."""
CONNECT_S = 5.0
"""For each address that the name resolves to."""
REPLIES_BYTES = 64 * 1024
"""Of all that the server says; what says more is no mail server."""


class _Replies:
    """What the server says, as `smtplib` reads it, as long as it is not too much."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left_bytes = REPLIES_BYTES
        self.close = file.close

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self._left_bytes -= len(line)
        if self._left_bytes < 0:
            raise smtplib.SMTPServerDisconnected
        return line


class _Connection(smtplib.SMTP):
    """To addresses that were judged before; whoever made it can end it from another thread."""

    def __init__(self, target: Email, addresses: list[str], until_s: float) -> None:
        self._target = target
        self._addresses = addresses
        self._until_s = until_s
        self._spare: socket.socket | None = None
        self._ended = False
        self.under_way = False
        """The mail was begun and not answered: the server may have taken it."""
        self._tls = ssl.create_default_context()
        name = socket.gethostname()
        super().__init__(timeout=CONNECT_S, local_hostname=name if "." in name else "[127.0.0.1]")

    def open(self) -> None:
        """Raises OSError and smtplib.SMTPException."""
        self._host = self._target.server  # whom the certificate has to name after STARTTLS
        code, words = self.connect(self._target.server, self._target.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        if self._target.security == "starttls":
            self.starttls(context=self._tls)
        if self._target.user:
            self.login(self._target.user, self._target.password)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock.makefile("rb"))
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.under_way = True
        try:
            return super().data(msg)
        except smtplib.SMTPDataError:
            self.under_way = False
            raise

    def end(self) -> None:
        """Called from another thread: whatever waits for the server fails at once."""
        self._ended = True
        if self._spare is not None:
            with contextlib.suppress(OSError):
                self._spare.shutdown(socket.SHUT_RDWR)
            self._spare.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        fault: OSError = OSError("no address")
        for address in self._addresses:
            left_s = min(CONNECT_S, self._until_s - time.monotonic())
            if self._ended or left_s <= 0:
                raise TimeoutError
            try:
                raw = socket.create_connection((address, port), left_s)
            except OSError as error:
                fault = error
                continue
            self._spare = raw.dup()  # TLS takes the first one over, at a moment that no other thread can know
            raw.settimeout(max(0.1, self._until_s - time.monotonic()))
            if self._target.security == "tls":
                return self._tls.wrap_socket(raw, server_hostname=self._target.server)
            return raw
        raise fault


async def deliver(private: bool, target: Email, mail: EmailMessage, total_s: float = TOTAL_S) -> Outcome:
    """One attempt. Raises nothing but cancellation."""
    until_s = time.monotonic() + total_s
    link: _Connection | None = None
    try:
        async with asyncio.timeout(total_s):
            addresses = await allowed_addresses(target.server, target.port, private)
            link = await asyncio.to_thread(_Connection, target, addresses, until_s)
            try:
                return await asyncio.to_thread(_talk, link, target, mail)
            finally:
                link.end()
    except OutboundError as error:
        return unanswered(error)
    except TimeoutError:
        words = f"the server did not take the mail within {total_s:g} s; look whether it can be reached"
        return Outcome("again", words, perhaps=link is not None and link.under_way)


def _talk(link: _Connection, target: Email, mail: EmailMessage) -> Outcome:
    """The whole conversation with the server, and what it means."""
    try:
        link.open()
        refused = link.send_message(mail, target.sender, target.recipients)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            link.putcmd("quit")  # its answer changes nothing
    except (OSError, smtplib.SMTPException, ValueError, UnicodeError) as fault:
        outcome = _outcome(fault, target)
        outcome.perhaps = link.under_way and not isinstance(fault, smtplib.SMTPResponseException)
        return outcome
    finally:
        link.close()
    if refused:
        words = "; ".join(_reply(*reply, target) for reply in refused.values())
        return Outcome("sent", f"sent, but not to {', '.join(sorted(refused))}: {words}"[:500])
    return Outcome("sent", "the server took the mail")


def _outcome(fault: Exception, target: Email) -> Outcome:
    match fault:
        case smtplib.SMTPRecipientsRefused():
            replies = list(fault.recipients.values())
            words = "; ".join(_reply(*reply, target) for reply in replies[:3])
            lasting = all(500 <= code < 600 for code, _ in replies)
            return Outcome("dead" if lasting else "again", f"no recipient was taken: {words}"[:500])
        case smtplib.SMTPAuthenticationError():
            lasting = 500 <= fault.smtp_code < 600
            words = _reply(fault.smtp_code, fault.smtp_error, target)
            return Outcome("dead" if lasting else "again", f"the login was refused: {words}")
        case smtplib.SMTPDataError():
            lasting = 500 <= fault.smtp_code < 600
            words = _reply(fault.smtp_code, fault.smtp_error, target)
            return Outcome("refused" if lasting else "again", f"the mail was refused: {words}")
        case smtplib.SMTPResponseException():
            lasting = 500 <= fault.smtp_code < 600
            return Outcome("dead" if lasting else "again", _reply(fault.smtp_code, fault.smtp_error, target))
        case smtplib.SMTPNotSupportedError():
            return Outcome("dead", f"the server lacks what the channel asks for: {shown(str(fault), _secrets(target))}")
        case ssl.SSLCertVerificationError():
            return Outcome("again", f"the server's certificate is not valid: {fault.verify_message}")
        case ssl.SSLError():
            return Outcome("again", 'no TLS with the server; look at its port, and at "security" of the channel')
        case smtplib.SMTPServerDisconnected():
            return Outcome(
                "again", "the server closed the connection, or says too much; look whether its port is the right one"
            )
        case TimeoutError():
            return Outcome("again", "the server did not answer in time; look whether it can be reached")
        case _:
            return Outcome(
                "again", f"no connection ({type(fault).__name__}); look whether the server runs, and its port"
            )


def _reply(code: int, words: bytes | str, target: Email) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return f"{code} {shown(text, _secrets(target))}".strip()


def _secrets(target: Email) -> tuple[str, str]:
    """The password, and as it travels in a login."""
    return target.password, f"\0{target.user}\0{target.password}" if target.password else ""
