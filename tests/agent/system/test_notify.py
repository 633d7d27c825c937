"""What the service manager is told, over a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.system.notify import Notifier
from tests.agent.build import Clock


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def told(manager: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(manager.recv(100).decode())
        except BlockingIOError:
            return found


def notifier(manager: socket.socket, clock: Clock, **more: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.getsockname(), **more}, clock.monotonic)


def test_ready_is_told_with_the_first_tick_only(manager: socket.socket) -> None:
    of = notifier(manager, Clock())
    for _ in range(3):
        of.ticked()
    assert told(manager) == ["READY=1"]


def test_the_watchdog_hears_of_ticks_twice_per_its_time(manager: socket.socket) -> None:
    clock = Clock()
    of = notifier(manager, clock, WATCHDOG_USEC="10000000")
    for _ in range(21):
        of.ticked()
        clock.pass_time(1)
    assert told(manager).count("WATCHDOG=1") == 5


def test_a_watchdog_of_another_process_is_not_fed(manager: socket.socket) -> None:
    of = notifier(manager, Clock(), WATCHDOG_USEC="10000000", WATCHDOG_PID=str(os.getpid() + 1))
    of.ticked()
    assert told(manager) == ["READY=1"]


def test_ready_is_told_later_when_the_manager_could_not_take_it(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    of = Notifier({"NOTIFY_SOCKET": str(path)})
    of.ticked()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.setblocking(False)
        of.ticked()
        assert told(listener) == ["READY=1"]


def test_an_abstract_address_is_reached() -> None:
    name = f"sonde-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        listener.setblocking(False)
        Notifier({"NOTIFY_SOCKET": "@" + name}).stopping()
        assert told(listener) == ["STOPPING=1"]


def test_without_a_manager_nothing_is_done() -> None:
    of = Notifier({})
    of.ticked()
    of.stopping()
