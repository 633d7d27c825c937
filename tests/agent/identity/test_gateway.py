"""The agent's client of the gateway, against HTTP servers that behave as gateways, and what is in front, may."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from agent.identity.gateway import MOST_BYTES, Gateway, NotNow, Refused


class Told(Struct):
    challenge: str


@contextmanager
def answering(
    status: int = 200, body: bytes = b"", trust: ssl.SSLContext | None = None, **headers: str
) -> Iterator[str]:
    """Address of a server that answers everything with this."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 -- the name that the standard library calls

        def log_message(self, format: str, *args: object) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for them

        def handle_error(self, *_: object) -> None: ...

    with Server(("127.0.0.1", 0), Handler) as server:
        if trust is not None:
            server.socket = trust.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"{'http' if trust is None else 'https'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_an_answer_is_decoded() -> None:
    with answering(body=b'{"challenge": "x"}') as address:
        assert Gateway(address).get("/", Told).challenge == "x"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413])
def test_a_refusal_ends_at_once_with_the_gateways_reason(status: int) -> None:
    body = b'{"type": "/problems/x", "detail": "the token was used already"}'
    with answering(status, body) as address, pytest.raises(Refused, match="the token was used already") as caught:
        Gateway(address).post("/", {}, Told)
    assert caught.value.kind == "/problems/x"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_passes_is_tried_again_when_the_gateway_says(status: int) -> None:
    with answering(status, b'{"detail": "busy"}', Retry_After="7") as address, pytest.raises(NotNow, match="busy") as e:
        Gateway(address).post("/", {}, Told)
    assert e.value.wait_s == 7


def test_a_wait_has_bounds() -> None:
    with answering(503, Retry_After="99999999999") as address, pytest.raises(NotNow) as caught:
        Gateway(address).get("/", Told)
    assert caught.value.wait_s == 3600


@pytest.mark.parametrize("body", [b"<html>welcome to the hotel", b"", b'{"challenge": 1}'])
def test_what_is_no_gateway_is_said_to_be_none(body: bytes) -> None:
    with answering(body=body) as address, pytest.raises(Refused, match="is this the address of a Sonde gateway"):
        Gateway(address).get("/", Told)


def test_a_redirect_is_not_followed() -> None:
    remedy = r"302 https://elsewhere.example/; give the gateway's own address"
    with answering(302, Location="https://elsewhere.example/") as address, pytest.raises(Refused, match=remedy):
        Gateway(address).get("/", Told)


def test_an_answer_without_end_is_cut_off() -> None:
    with answering(body=b" " * (MOST_BYTES + 1)) as address, pytest.raises(NotNow, match="larger than"):
        Gateway(address).get("/", Told)


def test_a_gateway_that_is_away_is_tried_again() -> None:
    with pytest.raises(NotNow, match=r"cannot be reached: .*refused"):
        Gateway("http://127.0.0.1:1").get("/", Told)


def test_keys_and_tokens_do_not_cross_a_network_unencrypted() -> None:
    with pytest.raises(Refused, match="do not cross a network unencrypted; write https://"):
        Gateway("http://gateway.example:8080")


@pytest.mark.parametrize("address", ["", "gateway.example", "ftp://x", "https://"])
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(Refused, match="write https://HOST:8080"):
        Gateway(address)


def test_the_gateways_clock_is_noted() -> None:
    with answering(body=b'{"challenge": "x"}') as address:
        gateway = Gateway(address)
        gateway.get("/", Told)
    assert abs(gateway.ahead_s) < 5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 and its key, in one file, that nobody else vouches for."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key, name = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], ["-subj", "/CN=gateway"]
    words = ["openssl", "req", "-x509", "-nodes", "-days", "2", *key, *name, "-addext", "subjectAltName=IP:127.0.0.1"]
    done = subprocess.run([*words, "-keyout", "-", "-out", "-"], capture_output=True, check=True)
    path.write_bytes(done.stdout)
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def pem(certificate: Path) -> str:
    text = certificate.read_text()
    return text[text.index("-----BEGIN CERTIFICATE") :]


def fingerprint(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem(certificate))).hexdigest()


def test_a_certificate_that_nobody_vouches_for_is_refused_with_the_remedy(certificate: Path) -> None:
    with (
        answering(body=b'{"challenge": "x"}', trust=serving(certificate)) as address,
        pytest.raises(Refused, match=r"not trusted .* give --ca-fingerprint"),
    ):
        Gateway(address).get("/", Told)


def test_an_authority_known_by_its_fingerprint_is_trusted(certificate: Path) -> None:
    with answering(body=pem(certificate).encode(), trust=serving(certificate)) as address:
        found = Gateway(address).authority(fingerprint(certificate).upper())
    with answering(body=b'{"challenge": "x"}', trust=serving(certificate)) as address:
        assert Gateway(address, found).get("/", Told).challenge == "x"


def test_an_authority_of_another_fingerprint_is_refused(certificate: Path) -> None:
    with (
        answering(body=pem(certificate).encode(), trust=serving(certificate)) as address,
        pytest.raises(Refused, match=f"{fingerprint(certificate)}, not {'0' * 64}.*somebody is in between"),
    ):
        Gateway(address).authority("0" * 64)
