"""nginx with `infra/fronts/nginx.conf`, or another file, in front of a gateway."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.certificates.listening import Tls
from tests.gateway.fronts.programs import changed, program, running, shipped

MAIN = """
daemon off;
{user}
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{server}
}}
"""


def own_server(port: int, gateway: int, tls: Tls) -> str:
    """The shipped file, on `port`."""
    return shipped(
        "nginx.conf",
        **{
            "server 127.0.0.1:8080;": f"server 127.0.0.1:{gateway};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "/etc/ssl/sonde.example.org/fullchain.pem": tls.certificate,
            "/etc/ssl/sonde.example.org/privkey.pem": tls.key,
        },
    )


def bare_server(port: int, gateway: int, tls: Tls) -> str:
    """What somebody writes who knows no more of nginx than `proxy_pass`."""
    return f"""
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {tls.certificate};
    ssl_certificate_key {tls.key};
    location / {{
        proxy_pass http://127.0.0.1:{gateway};
    }}
}}
"""


def with_lines(server: str, lines: str) -> str:
    """`server` with further lines in its location."""
    return changed(server, {"proxy_pass http": f"{lines}\n        proxy_pass http"})


@asynccontextmanager
async def nginx(directory: Path, port: int, server: str) -> AsyncIterator[None]:
    """nginx with the block `server`, which listens on `port`."""
    directory.mkdir()
    configuration = directory / "nginx.conf"
    configuration.write_text(MAIN.format(directory=directory, server=server, user=_user()))
    path = program("nginx", "nginx-light")
    async with running(port, path, "-c", str(configuration), "-p", str(directory), "-e", "stderr"):
        yield


def _user() -> str:
    """Its workers have to reach the files of the test: those of root nobody else can."""
    return "user root;" if os.geteuid() == 0 else ""
