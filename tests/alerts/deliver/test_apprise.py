"""Apprise in its child process: the real library, asking a real server, within its bounds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from infra.outbound import outbound
from schemas.channelchecks import APPRISE_SCHEMES, apprise_fault
from schemas.channels import Apprise, Channel
from services.alerts.deliver import apprise, apprisechild
from services.alerts.deliver.sending import sender
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Outcome
from tests.alerts.deliver.notices import notice
from tests.alerts.deliver.receiver import Receiver, receiver

ROOT = Path(apprisechild.__file__).parents[3]


def address(there: Receiver, rest: str = "SECRETtopic", login: str = "") -> str:
    return f"ntfy://{login}{there.url.split('/')[2]}/{rest}"


async def sent(url: str, private: bool = True) -> Outcome:
    """What came of it, however slow the machine is."""
    return await apprise.send(private, Apprise(url), message_of(notice()), total_s=120)


async def told(there: Receiver) -> Outcome:
    return await sent(address(there))


async def test_a_message_arrives_with_title_and_text() -> None:
    async with receiver() as there:
        outcome = await told(there)
    assert outcome.verdict == "sent", outcome
    assert there.documents[0]["title"] == "🔴 Critical: CPU busy on web-1"
    assert "Value: 97.2 %" in there.documents[0]["message"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(401, "dead"), (403, "dead"), (404, "dead"), (413, "refused"), (429, "again"), (500, "again")],
)
async def test_each_status_has_its_class(status: int, verdict: str) -> None:
    async with receiver() as there:
        there.status, there.body = status, "{}"
        outcome = await told(there)
    assert outcome.verdict == verdict, outcome


async def test_what_apprise_says_is_shown_without_the_secrets_of_the_address() -> None:
    async with receiver() as there:
        there.status, there.body = 403, "{}"
        outcome = await sent(address(there, login="someone:SECRETpass@"))
    assert "SECRET" not in outcome.answer
    assert outcome.answer


async def test_addresses_of_this_machine_are_refused_unless_they_are_allowed() -> None:
    async with receiver() as there:
        outcome = await sent(address(there), private=False)
    assert outcome.verdict == "dead"
    assert "SONDE_OUTBOUND_PRIVATE=1" in outcome.answer
    assert there.documents == []


async def test_a_name_that_leads_to_this_machine_is_refused_like_its_address() -> None:
    async with receiver() as there:
        outcome = await sent(address(there).replace("127.0.0.1", "localhost"), private=False)
    assert outcome.verdict == "dead"
    assert there.documents == []


async def test_what_takes_too_long_is_stopped_and_may_have_arrived() -> None:
    stopped = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"ntfy://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    try:
        outcome = await apprise.send(True, Apprise(url), message_of(notice()), total_s=0.5)
    finally:
        stopped.set()
        server.close()
    assert (outcome.verdict, outcome.perhaps) == ("again", True)


async def test_a_channel_of_that_kind_is_sent_to() -> None:
    async with outbound(False) as http:
        outcome = await sender(http)(Channel("ntfy", "Ntfy", Apprise("ntfy://127.0.0.1/SECRET")), notice())
    assert outcome.verdict in ("dead", "again")
    assert "SECRET" not in outcome.answer


@pytest.mark.parametrize(
    "url",
    [
        "mailto://user:pass@example.org",
        "syslog://",
        "rsyslog://example.org",
        "dbus://",
        "gnome://",
        "macosx://",
        "windows://",
        "file:///etc/passwd",
        "vapid://x/y",
        "fcm://x/y?keyfile=/etc/passwd",
        "json://example.org",
        "exec://x",
        "workflows://example.org/a/b?template=/etc/passwd",
        "discord://a/b?TEMPLATE=/etc/passwd",
        "ntfy://example.org/x?attach=/etc/passwd",
        "ntfy://example.org/x ntfy://other.example/y",
        "ntfy://example.org/x\nntfy://other.example/y",
        "ntfy:x",
        "",
    ],
)
async def test_what_runs_commands_reads_files_or_is_several_is_refused_here(url: str) -> None:
    assert apprise_fault(url)
    assert (await sent(url)).verdict == "dead"


def test_apprise_knows_every_scheme_that_is_allowed() -> None:
    asked = "import apprise; print(*{s for d in apprise.Apprise().details()['schemas'] for k in ('protocols', "
    asked += "'secure_protocols') for s in d[k] or ()})"
    known = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert APPRISE_SCHEMES - set(known) == set()


def in_guarded_child(code: str, private: bool = False) -> str:
    """What `code` prints within the bounds of the child."""
    begin = "from services.alerts.deliver.apprisechild import bound, guard; import json, os, socket, subprocess, sys\n"
    begin += f"bound(); guard({private}, [])\n"
    wrapped = f"try:\n    {code}\n    print('done')\nexcept BaseException as error: print(type(error).__name__)"
    found = subprocess.run(
        [sys.executable, "-s", "-P", "-c", begin + wrapped],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return found.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "os.system('true')",
        "subprocess.run(['true'])",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "open('/proc/1/environ').read()",
        "os.open('/etc/passwd', os.O_RDONLY)",
        "open(sys.prefix + '/../../etc/passwd')",
        "open('/tmp/sonde-written', 'w')",
        "os.remove('/tmp/sonde-written')",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.create_connection(('169.254.169.254', 80))",
        "socket.create_connection(('127.0.0.1', 53))",
        "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
        "bytearray(2 * 2**30)",
    ],
)
def test_the_child_can_do_nothing_but_ask_servers_outside(code: str) -> None:
    answer = in_guarded_child(code)
    assert answer in ("Forbidden", "OSError", "MemoryError", "SubprocessError"), answer


def test_the_child_may_use_what_it_needs() -> None:
    assert in_guarded_child("import ssl; ssl.create_default_context(); socket.getaddrinfo('localhost', 80)") == "done"
