"""Everything else that people are told by: Apprise, in a process of its own.

Apprise is a large library with code for more than a hundred services, and an address decides which of it runs. So only
schemes that ask servers over HTTP are let through, and the code runs in a child without this process's environment,
memory and connections, which `apprisechild` bounds further; it is killed when its time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from pathlib import Path

import msgspec

import infra
from schemas.channelchecks import apprise_fault
from schemas.channels import Apprise
from services.alerts.deliver.answers import TRANSIENT_STATUS, shown
from services.alerts.deliver.message import Message, plain
from services.alerts.deliver.reading import one_line
from services.alerts.notice import Outcome

TOTAL_S = 20.0
TEXT_CHARACTERS = 4000
TITLE_CHARACTERS = 250
ANSWER_BYTES = 64 * 1024
_CHILD = Path(__file__).with_name("apprisechild.py")
_ROOT = Path(infra.__file__).parent.parent
_STATUS = re.compile(r"error=(\d{3})\b")


async def send(private: bool, target: Apprise, message: Message, total_s: float = TOTAL_S) -> Outcome:
    """One attempt. Raises nothing but cancellation."""
    if fault := apprise_fault(target.url):
        return Outcome("dead", f"the address {fault}")
    asked = msgspec.json.encode(
        {
            "url": target.url,
            "title": one_line(message.headline, TITLE_CHARACTERS),
            "body": plain(message)[:TEXT_CHARACTERS],
            "private": private,
        }
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-s", "-P", "-B", str(_CHILD),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env={"PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8"},
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(total_s):
            answer = await _converse(child, asked)
    except TimeoutError:
        return Outcome("again", f"Apprise was not done within {total_s:g} s, so it was stopped", perhaps=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    return _outcome(answer, target)


async def _converse(child: asyncio.subprocess.Process, asked: bytes) -> bytes:
    """What the child says before it ends."""
    if child.stdin is None or child.stdout is None:
        return b""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(asked)
        await child.stdin.drain()
    child.stdin.close()
    answer = bytearray()
    while len(answer) < ANSWER_BYTES and (part := await child.stdout.read(ANSWER_BYTES)):
        answer += part
    return bytes(answer[:ANSWER_BYTES])


def _outcome(answer: bytes, target: Apprise) -> Outcome:
    """What the child's answer means: the status in what Apprise logged says whether another try may do."""
    try:
        said = msgspec.json.decode(answer, type=dict[str, str])
    except msgspec.MsgspecError:
        return Outcome("again", "the process of Apprise ended without an answer; it may lack memory", perhaps=True)
    text = shown(said.get("log", ""), [target.url])
    match said.get("result"):
        case "sent":
            return Outcome("sent", text or "Apprise: sent")
        case "forbidden":
            remedy = "set SONDE_OUTBOUND_PRIVATE=1 to allow addresses of this machine and network"
            return Outcome("dead", f"the address leads to this machine or network; {remedy}")
        case "address":
            return Outcome("dead", f"Apprise cannot read the address: {text}".rstrip(": "))
        case "missing":
            return Outcome("dead", "the package apprise is not installed; install sonde[server]")
        case _:
            found = _STATUS.search(said.get("log", ""))
            status = int(found[1]) if found else 0
            text = text or "Apprise: not sent"
            if not status or status >= 500 or status in TRANSIENT_STATUS:
                return Outcome("again", text)
            return Outcome("refused" if status in (400, 413, 422) else "dead", text)
