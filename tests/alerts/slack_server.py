"""A real HTTP server that is as strict as Slack: an incoming webhook, and `chat.postMessage` and `chat.update`.

It refuses what breaks the published rules of Block Kit, keeps to a rate where it is given one, knows its messages and
threads, and misbehaves as it is told: slow, endless and cut answers, and every error word.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from tests.alerts.blockkit import POST_FIELDS, UPDATE_FIELDS, WEBHOOK_FIELDS, Refused, check

TOKEN = "xoxb-17-SECRET-of-the-bot"  # noqa: S105
CHANNEL = "C0123456789"
WEBHOOK_PATH = "/services/T000/B000/SECRET"


class Reply(Struct):
    """One scripted answer, given whatever was sent."""

    status: int = 200
    body: str = "ok"
    headers: dict[str, str] = {}
    after_s: float = 0
    ends: Literal["whole", "cut", "never"] = "whole"
    """`cut`: the connection closes before the end that was announced; `never`: the body goes on for ever."""


class Posted(Struct):
    """A message as it stands in the conversation now."""

    payload: dict[str, Any]
    thread_ts: str = ""
    aloud: bool = True
    updates: int = 0


class SlackServer:
    """The server's memory: `posts` as they came, and the messages that stand. `script` is answered first."""

    def __init__(self, pace_s: float) -> None:
        self.posts: list[dict[str, Any]] = []
        self.times_s: list[float] = []
        self.refusals: list[str] = []
        """Why payloads were not taken."""
        self.messages: dict[str, Posted] = {}
        """Of the Web API, by ts."""
        self.script: deque[Reply] = deque()
        self.delays_s: deque[float] = deque()
        """How long the next answers take that are not in the script."""
        self.url = ""
        """Of the incoming webhook; holds a secret."""
        self.api_url = ""
        self.closing = asyncio.Event()
        self._pace_s = pace_s
        self._free_s = 0.0

    @property
    def headlines(self) -> list[str]:
        """The first words of every message, without those that were only text."""
        return [post["blocks"][0]["text"]["text"] for post in self.posts if "blocks" in post]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                scripted = bool(self.script)
                reply = self._answer(line.split(" ")[1], headers, body)
                if self.delays_s and not scripted:
                    reply = replace(reply, after_s=self.delays_s.popleft())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(reply.after_s):
                        await self.closing.wait()
                        return
                if not await self._write(writer, reply):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            writer.close()

    async def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        """Whether the connection goes on."""
        body = reply.body.encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        length = {"whole": len(body), "cut": len(body) + 10, "never": 2**40}[reply.ends]
        writer.write(f"HTTP/1.1 {reply.status} X\r\ncontent-length: {length}\r\n{extra}\r\n".encode() + body)
        await writer.drain()
        while reply.ends == "never" and not self.closing.is_set():
            writer.write(b"." * 65536)
            await writer.drain()
        return reply.ends == "whole"

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        payload = json.loads(body)
        self.posts.append(payload)
        now_s = asyncio.get_running_loop().time()
        self.times_s.append(now_s)
        if self.script:
            return self.script.popleft()
        method = path.removeprefix("/api/")
        if path == WEBHOOK_PATH:
            if now_s < self._free_s:
                return Reply(429, "rate_limited", {"Retry-After": "1"})
            return self._webhook(payload, now_s)
        if method not in ("chat.postMessage", "chat.update"):
            return Reply(404, "no_service")
        if not headers.get("content-type", "").startswith("application/json"):
            return _failed("invalid_post_type")
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return _failed("invalid_auth" if headers.get("authorization") else "not_authed")
        if method == "chat.postMessage" and now_s < self._free_s:
            return Reply(429, '{"ok":false,"error":"ratelimited"}', {"Retry-After": "1"})
        try:
            return self._post(payload, now_s) if method == "chat.postMessage" else self._update(payload)
        except Refused as reason:
            self.refusals.append(str(reason))
            return _failed(reason.error)

    def _webhook(self, payload: dict[str, Any], now_s: float) -> Reply:
        try:
            check(payload, WEBHOOK_FIELDS)
        except Refused as reason:
            self.refusals.append(str(reason))
            return Reply(400, reason.error)
        self._free_s = now_s + self._pace_s
        return Reply()

    def _post(self, payload: dict[str, Any], now_s: float) -> Reply:
        check(payload, POST_FIELDS)
        if payload.get("channel") != CHANNEL:
            return _failed("channel_not_found")
        thread = payload.get("thread_ts", "")
        if thread and (thread not in self.messages or self.messages[thread].thread_ts):
            return _failed("thread_not_found")
        ts = f"1790000000.{len(self.messages) + 1:06d}"
        self.messages[ts] = Posted(payload, thread, not thread or payload.get("reply_broadcast", False))
        self._free_s = now_s + self._pace_s
        return Reply(200, json.dumps({"ok": True, "channel": CHANNEL, "ts": ts}))

    def _update(self, payload: dict[str, Any]) -> Reply:
        check(payload, UPDATE_FIELDS)
        if payload.get("channel") != CHANNEL:
            return _failed("channel_not_found")
        message = self.messages.get(payload.get("ts", ""))
        if message is None:
            return _failed("message_not_found")
        message.payload = payload
        message.updates += 1
        return Reply(200, json.dumps({"ok": True, "channel": CHANNEL, "ts": payload["ts"]}))


def _failed(error: str) -> Reply:
    return Reply(200, json.dumps({"ok": False, "error": error}))


@asynccontextmanager
async def slack_server(pace_s: float = 0) -> AsyncIterator[SlackServer]:
    """A running server that takes one message in `pace_s`, which is 1 s at Slack."""
    slack = SlackServer(pace_s)
    server = await asyncio.start_server(slack.serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    slack.url = f"{base}{WEBHOOK_PATH}"
    slack.api_url = f"{base}/api"
    try:
        yield slack
    finally:
        slack.closing.set()
        server.close()
