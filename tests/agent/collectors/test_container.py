"""Containers over a real HTTP socket that speaks the engine's API, and control groups in files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.collectors.choice import Choice
from agent.collectors.container.container import Containers
from agent.collectors.container.dockerapi import MOST_BYTES, EngineError, get_json
from agent.collectors.readings import Reading
from tests.agent.build import Clock

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(body: bytes, size: int = 7) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(f"{len(part):x};x=y\r\n".encode() + part + b"\r\n" for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


@asynccontextmanager
async def serving(path: Path, answer: Callable[[str], bytes]) -> AsyncIterator[list[str]]:
    """An HTTP server on a UNIX socket that gives what `answer` makes of a path; yields the paths asked for."""
    asked: list[str] = []

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            asked.append(request.split(" ")[1])
            writer.write(answer(asked[-1]))
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_unix_server(on_connection, path)
    try:
        yield asked
    finally:
        server.close()
        path.unlink(missing_ok=True)


class Engine:
    """Containers as the engine tells of them; tests change them."""

    def __init__(self) -> None:
        self.listed: dict[str, dict[str, Any]] = {}
        self.inspected: dict[str, dict[str, Any]] = {}
        self.stats: dict[str, dict[str, Any]] = {}

    def add(self, name: str, state: str = "running", pid: int = 0, restarts: int = 0, **more: Any) -> str:
        key = f"{name}-{'0' * 60}"
        self.listed[key] = {"Id": key, "Names": [f"/{name}"], "Image": "nginx:1", "State": state, "Labels": {}, **more}
        self.inspected[key] = {"State": {"Pid": pid, "Status": state}, "RestartCount": restarts}
        return key

    def answer(self, path: str) -> bytes:
        parts = path.partition("?")[0].split("/")
        if parts[2] == "json":
            return reply(json.dumps(list(self.listed.values())).encode())
        held = self.inspected if parts[3] == "json" else self.stats
        if parts[2] not in held:
            return reply(b'{"message": "no such container"}', "404 Not Found")
        return chunked(json.dumps(held[parts[2]]).encode())


def group(tmp_path: Path, pid: int, cpu_s: float, memory: int, limit: str = "max", received: int = 0) -> None:
    """A process with a version 2 control group of its own, below `tmp_path`."""
    process = tmp_path / "proc" / str(pid)
    directory = tmp_path / "sys" / "fs" / "cgroup" / "system.slice" / f"docker-{pid}.scope"
    for made in (process / "net", directory):
        made.mkdir(parents=True, exist_ok=True)
    (process / "cgroup").write_text(f"0::/system.slice/docker-{pid}.scope\n")
    (process / "net" / "dev").write_text(
        f"head\nhead\n lo: 9 9 0 0 0 0 0 0 9 9\neth0: {received} 1 0 0 0 0 0 0 50 1 0\n"
    )
    (directory / "cpu.stat").write_text(f"usage_usec {round(cpu_s * 1e6)}\nuser_usec 1\n")
    (directory / "memory.current").write_text(f"{memory}\n")
    (directory / "memory.max").write_text(f"{limit}\n")
    (directory / "memory.stat").write_text("anon 5\ninactive_file 1000\n")
    (directory / "io.stat").write_text("254:0 rbytes=4096 wbytes=8192 rios=1 wios=2\n7:0 rbytes=4 wbytes=0\n")
    (directory / "pids.current").write_text("7\n")


def containers(tmp_path: Path, clock: Clock, choice: Choice | None = None) -> Containers:
    return Containers(
        str(tmp_path / "s"), choice or Choice(), str(tmp_path / "proc"), str(tmp_path / "sys"), clock.monotonic
    )


async def read(of: Containers) -> Reading:
    reading = await of.collect()
    assert reading is not None
    return reading


async def test_a_container_is_measured_by_its_control_group(tmp_path: Path) -> None:
    engine, clock = Engine(), Clock()
    engine.add("web", pid=42, restarts=3, Labels={"com.docker.compose.project": "shop"})
    async with serving(tmp_path / "s", engine.answer) as asked:
        of = containers(tmp_path, clock)
        group(tmp_path, 42, 10, 5000, "10000", received=100)
        assert (await read(of)).instances["web"]["cpu"] is None
        clock.pass_time(10)
        group(tmp_path, 42, 15, 5000, "10000", received=1100)
        reading = await read(of)
    assert reading.instances["web"] == {
        "cpu": 50,
        "memory": 4000,
        "memory_limit": 10000,
        "memory_percent": 40,
        "received": 100,
        "sent": 0,
        "read": 0,
        "write": 0,
        "pids": 7,
        "running": 1,
        "restarts": 3,
    }
    assert reading.labels["web"] == {
        "image": "nginx:1",
        "id": "web-00000000",
        "state": "running",
        "project": "shop",
    }
    assert not any("stats" in path for path in asked)


async def test_a_group_that_cannot_be_seen_is_asked_of_the_engine(tmp_path: Path) -> None:
    engine, clock = Engine(), Clock()
    key = engine.add("web")
    engine.stats[key] = {
        "cpu_stats": {"cpu_usage": {"total_usage": 2_000_000_000}},
        "memory_stats": {"usage": 3000, "limit": 2**63 - 1, "stats": {"inactive_file": 1000}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 10}, {"op": "write", "value": 5}]},
        "networks": {"eth0": {"rx_bytes": 100, "tx_bytes": 200}},
        "pids_stats": {"current": 4},
    }
    async with serving(tmp_path / "s", engine.answer):
        of = containers(tmp_path, clock)
        await read(of)
        clock.pass_time(2)
        engine.stats[key]["cpu_stats"]["cpu_usage"]["total_usage"] = 3_000_000_000
        engine.stats[key]["networks"]["eth0"]["rx_bytes"] = 300
        values = (await read(of)).instances["web"]
    assert (values["cpu"], values["received"], values["memory"]) == (50, 100, 2000)
    assert values["memory_limit"] is values["memory_percent"] is None


async def test_a_stopped_container_is_there_without_values(tmp_path: Path) -> None:
    engine = Engine()
    engine.add("job", state="exited", restarts=1)
    async with serving(tmp_path / "s", engine.answer):
        reading = await read(containers(tmp_path, Clock()))
    assert reading.instances == {"job": {"running": 0, "restarts": 1}}


async def test_containers_are_not_inspected_at_every_reading(tmp_path: Path) -> None:
    engine, clock = Engine(), Clock()
    key = engine.add("web", pid=42)
    group(tmp_path, 42, 1, 1)
    async with serving(tmp_path / "s", engine.answer) as asked:
        of = containers(tmp_path, clock)
        for _ in range(5):
            await read(of)
            clock.pass_time(10)
        assert asked.count(f"/containers/{key}/json") == 1
        engine.listed[key]["State"] = "exited"
        await read(of)
        assert asked.count(f"/containers/{key}/json") == 2


async def test_one_container_that_vanishes_while_it_is_read_costs_only_itself(tmp_path: Path) -> None:
    engine = Engine()
    engine.add("stays", pid=42)
    gone = engine.add("goes")
    del engine.inspected[gone]
    group(tmp_path, 42, 1, 5000)
    async with serving(tmp_path / "s", engine.answer):
        reading = await read(containers(tmp_path, Clock()))
    assert reading.instances["stays"]["memory"] == 4000
    assert reading.instances["goes"]["memory"] is None


async def test_containers_can_be_chosen(tmp_path: Path) -> None:
    engine = Engine()
    engine.add("web")
    engine.add("db")
    choice = Choice()
    choice.use(("d*",), ())
    async with serving(tmp_path / "s", engine.answer):
        assert list((await read(containers(tmp_path, Clock(), choice))).instances) == ["db"]


async def test_without_an_engine_the_family_is_absent_and_comes_with_it(tmp_path: Path) -> None:
    engine = Engine()
    engine.add("web")
    of = containers(tmp_path, Clock())
    assert await of.collect() is None
    async with serving(tmp_path / "s", engine.answer):
        assert list((await read(of)).instances) == ["web"]
    assert await of.collect() is None


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (reply(b'{"message": "busy"}', "500 Internal Server Error"), "status 500.*busy"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not an HTTP answer"),
        (reply(b"<html>"), "not JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "IncompleteReadError"),
        (f"HTTP/1.1 200 OK\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n".encode(), "at most"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "ValueError"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "LimitOverrunError"),
        (b"", "IncompleteReadError"),
    ],
)
async def test_an_engine_that_answers_otherwise_is_told_of(tmp_path: Path, said: bytes, complaint: str) -> None:
    async with serving(tmp_path / "s", lambda path: said):
        with pytest.raises(EngineError, match=f"GET /x: .*{complaint}"):
            await get_json(str(tmp_path / "s"), "/x")


async def test_an_answer_that_ends_with_the_connection_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", lambda path: b"HTTP/1.0 200 OK\r\n\r\n[1, 2]"):
        assert await get_json(str(tmp_path / "s"), "/x") == [1, 2]


async def test_an_engine_that_hangs_is_given_up(tmp_path: Path) -> None:
    hanging = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hanging.wait()
        writer.close()

    server = await asyncio.start_unix_server(hang, tmp_path / "s")
    try:
        with pytest.raises(EngineError, match=r"no answer within 0\.1 s"):
            await get_json(str(tmp_path / "s"), "/x", within_s=0.1)
    finally:
        hanging.set()
        server.close()
