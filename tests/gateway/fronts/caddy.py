"""Caddy with `infra/fronts/Caddyfile` in front of a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.certificates.listening import Tls
from tests.gateway.fronts.programs import NAME, program, running, shipped

GLOBAL = """\
{
	admin off
	auto_https off
}
"""


@asynccontextmanager
async def caddy(directory: Path, port: int, gateway: int, tls: Tls) -> AsyncIterator[None]:
    """Caddy on `port`; its certificate is given, since nobody signs one for a name of ours."""
    directory.mkdir()
    configuration = directory / "Caddyfile"
    site = f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {tls.certificate} {tls.key}"
    places = {f"{NAME} {{": site, "reverse_proxy 127.0.0.1:8080": f"reverse_proxy 127.0.0.1:{gateway}"}
    configuration.write_text(GLOBAL + shipped("Caddyfile", **places))
    path = program("caddy", "caddy")
    home = {"HOME": str(directory), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    async with running(port, path, "run", "--config", str(configuration), "--adapter", "caddyfile", **home):
        yield
