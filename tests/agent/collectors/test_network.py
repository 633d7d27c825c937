"""Traffic and links of interfaces."""

from __future__ import annotations

import threading
from pathlib import Path

from agent.collectors.linux import network
from agent.collectors.readings import Values
from tests.waiting import eventually

NET_DEV = b"""Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0
veth12: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
br-ab: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
docker0: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
"""


def test_interfaces_of_containers_and_loopback_are_skipped() -> None:
    assert network.parse_net_dev(NET_DEV, network.wanted) == {"eth0": network.Traffic(1000, 10, 2000, 20, 4, 6)}


def test_a_wrapped_interface_counter_costs_only_its_own_metric() -> None:
    before = network.Traffic(2**32 - 1, 10, 100, 10, 0, 0)
    values = network.values(before, network.Traffic(5, 20, 300, 20, 0, 0), 2)
    assert values["received"] is None
    assert values["sent"] == 100


def linked(sys: Path, name: str, state: str, speed: str) -> None:
    directory = sys / "class" / "net" / name
    directory.mkdir(parents=True)
    (directory / "operstate").write_text(state + "\n")
    (directory / "speed").write_text(speed + "\n")


def test_a_link_tells_its_speed_and_state(tmp_path: Path) -> None:
    linked(tmp_path, "eth0", "up", "1000")
    linked(tmp_path, "eth1", "down", "-1")
    linked(tmp_path, "tun0", "unknown", "-1")
    linked(tmp_path, "odd", "dormant", "garbage")
    read = network.linux_link(str(tmp_path))
    assert read("eth0") == {"speed": 1000, "up": 1}
    assert read("eth1") == {"speed": None, "up": 0}
    assert read("tun0") == {"speed": None, "up": 1}
    assert read("odd") == {"speed": None, "up": 0}
    assert read("gone") == {"speed": None, "up": None}


async def test_links_are_asked_now_and_then_and_at_once_for_a_new_interface() -> None:
    asked: list[str] = []
    links = network.Links(lambda name: asked.append(name) or {"up": 1})  # type: ignore[func-returns-value]
    await eventually(lambda: "eth0" in links.known(["eth0"], 0))
    for tenth in range(1, 100):
        links.known(["eth0"], tenth / 10)
    assert asked == ["eth0"]
    await eventually(lambda: "eth1" in links.known(["eth0", "eth1"], 5))
    assert asked == ["eth0", "eth0", "eth1"]
    await eventually(lambda: links.known(["eth0", "eth1"], 15) and len(asked) == 5)


async def test_a_driver_that_does_not_answer_holds_up_nobody_and_its_links_become_unknown() -> None:
    answer = threading.Event()
    answer.set()

    def read(name: str) -> Values:
        answer.wait(30)
        return {"speed": 1000, "up": 1}

    counters = network.parse_net_dev(NET_DEV, network.wanted)
    interfaces = network.Interfaces(lambda: counters, read)
    interfaces.collect(0)
    await eventually(lambda: interfaces.collect(1)["eth0"]["speed"] == 1000)
    answer.clear()
    assert interfaces.collect(20)["eth0"]["speed"] == 1000
    found = interfaces.collect(40)["eth0"]
    assert (found["speed"], found["up"], found["received"]) == (None, None, 0)
    answer.set()
    await eventually(lambda: interfaces.collect(60)["eth0"]["speed"] == 1000)


def test_an_interface_seen_for_the_first_time_waits_for_its_second_reading() -> None:
    interfaces = network.Interfaces(lambda: network.parse_net_dev(NET_DEV, network.wanted))
    assert interfaces.collect(1.0) == {}
    assert list(interfaces.collect(2.0)) == ["eth0"]


def test_a_line_that_is_not_as_documented_costs_only_its_interface() -> None:
    data = NET_DEV + b"eth1: garbage\neth2: 1 2\neth3: 1 1 0 0 0 0 0 0 1 1 0 -\n\n"
    assert list(network.parse_net_dev(data, network.wanted)) == ["eth0"]
