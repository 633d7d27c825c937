"""A nats-server that admits only whom it knows, by password or by JWT, and whose mind can be changed while it runs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nkeys

from infra.servers.process import Plan, Server, locked, log_text, start_somewhere

ADMIN = "admin"
PERMISSIONS = """{{
  publish: {{ allow: [
    "metrics.{name}", "backfill.{name}", "live.{name}", "events.{name}",
    "$JS.API.DIRECT.GET.KV_CONFIG.$KV.CONFIG.{name}"
  ] }}
  subscribe: {{ allow: ["_INBOX_{name}.>", "command.{name}.>", "config.{name}", "interest.live"] }}
  allow_responses: {{ max: -1, ttl: "10s" }}
}}"""


class Guarded:
    """The server and who may use it."""

    def __init__(self, directory: Path, limits: str = "") -> None:
        self._directory = directory
        self.limits = limits
        self.server: Server
        self.config = directory / "nats.conf"
        self.log = directory / "nats.log"

    def url(self, user: str) -> str:
        return f"nats://{user}:secret-{user}@127.0.0.1:{self.server.port}"

    def write(self, access: str) -> None:
        store = f'jetstream {{ store_dir: "{self._directory / "jetstream"}", max_file_store: 8GB }}'
        self.config.write_text(f"server_name: guarded\n{self.limits}\n{store}\n{access}\n")

    def admit(self, *agents: str) -> None:
        """Only the administrator and these agents, by password."""
        users = [f"{{ user: {ADMIN}, password: secret-{ADMIN} }}"]
        users += [
            f"{{ user: {name}, password: secret-{name}, permissions: {PERMISSIONS.format(name=name)} }}"
            for name in agents
        ]
        self.write(f"authorization {{ users: [ {', '.join(users)} ] }}")

    async def reload(self) -> None:
        """Let the server read its configuration again; returns when it has."""
        before = self._reloads()
        self.server.process.send_signal(signal.SIGHUP)
        while self._reloads() == before:
            await asyncio.sleep(0.02)

    def _reloads(self) -> int:
        return log_text(self.log).count("Reloaded server configuration")

    def refusals(self) -> int:
        """How often it turned somebody away."""
        return log_text(self.log).count("authentication error")


@asynccontextmanager
async def running(guarded: Guarded) -> AsyncIterator[Guarded]:
    """The server, configured before."""
    beside = Path(sys.executable).with_name("nats-server")
    program = str(beside) if beside.exists() else shutil.which("nats-server") or "nats-server"
    plan = Plan(
        name="nats-server",
        log=guarded.log,
        command=lambda port: [program, "--addr", "127.0.0.1", "--port", str(port), "--config", str(guarded.config)],
        ready=lambda _: "Server is ready" in log_text(guarded.log),
        ready_within_s=20,
        identity="same",
        ending=((signal.SIGTERM, 1.5), (signal.SIGKILL, 1.0)),
    )
    async with locked(guarded.config.parent) as lock:
        guarded.server = Server(plan, lock)
        await start_somewhere(guarded.server, 0, guarded.config.parent / "port")
        try:
            yield guarded
        finally:
            await guarded.server.stop()


@asynccontextmanager
async def guarded_server(directory: Path, *agents: str, limits: str = "") -> AsyncIterator[Guarded]:
    """A server that admits the administrator and `agents` by password."""
    directory.mkdir(parents=True)
    made = Guarded(directory, limits)
    made.admit(*agents)
    async with running(made):
        yield made


class Keys:
    """A key pair of the kind that NATS uses."""

    def __init__(self, prefix: int) -> None:
        self.seed = nkeys.encode_seed(os.urandom(32), prefix)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public: str = self._pair.public_key.decode()

    def token(self, subject: str, name: str, claims: Mapping[str, Any]) -> str:
        """A JWT about `subject`, signed by this key."""
        body: dict[str, Any] = {"iat": int(time.time()), "iss": self.public, "name": name, "sub": subject}
        body["nats"] = {"version": 2, **claims}
        body["jti"] = base64.b32encode(hashlib.sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
        parts = [{"typ": "JWT", "alg": "ed25519-nkey"}, body]
        text = ".".join(_url64(json.dumps(part).encode()) for part in parts)
        return f"{text}.{_url64(self._pair.sign(text.encode()))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Authority:
    """An operator with one account, which makes .creds files."""

    def __init__(self) -> None:
        self._operator = Keys(nkeys.PREFIX_BYTE_OPERATOR)
        self._account = Keys(nkeys.PREFIX_BYTE_ACCOUNT)
        self._system = Keys(nkeys.PREFIX_BYTE_ACCOUNT)

    def access(self) -> str:
        """The part of a server's configuration that makes it follow this operator."""
        operator = self._operator.token(
            self._operator.public, "operator", {"type": "operator", "system_account": self._system.public}
        )
        return (
            f"operator: {operator}\nsystem_account: {self._system.public}\nresolver: MEMORY\nresolver_preload: {{\n"
            f"  {self._account.public}: {self._account_token(self._account, -1)}\n"
            f"  {self._system.public}: {self._account_token(self._system, 0)}\n}}\n"
        )

    def _account_token(self, account: Keys, storage: int) -> str:
        unlimited = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
        jetstream = {"mem_storage": storage, "disk_storage": storage, "streams": -1, "consumer": -1}
        limits = {**unlimited, "wildcards": True, **(jetstream if storage else {})}
        return self._operator.token(account.public, "account", {"type": "account", "limits": limits})

    def credentials(self, name: str) -> str:
        """The content of a .creds file for a new user."""
        user = Keys(nkeys.PREFIX_BYTE_USER)
        claims = {"type": "user", "subs": -1, "data": -1, "payload": -1}
        jwt = self._account.token(user.public, name, claims)
        return (
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
        )
