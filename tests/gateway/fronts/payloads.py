"""What attackers write to a server: requests in which two servers may see two different ones, and paths that climb."""

from __future__ import annotations

INNER = b"GET /api/v1/smuggled HTTP/1.1\r\nHost: localhost\r\nX: "
"""Whoever takes this for a request answers 404 and repeats the path."""


def post(*lines: bytes, body: bytes = b"", path: bytes = b"/api/v1/health/live") -> bytes:
    return b"\r\n".join((b"POST " + path + b" HTTP/1.1", b"Host: {host}", *lines, b"", b"")) + body


def get(*lines: bytes, path: bytes = b"/health/live", host: bool = True) -> bytes:
    named = (b"Host: {host}",) if host else ()
    return b"\r\n".join((b"GET " + path + b" HTTP/1.1", *named, *lines, b"", b""))


CHUNKED_INNER = b"0\r\n\r\n" + INNER

SMUGGLING = {
    "CL.TE": post(b"Content-Length: %d" % len(CHUNKED_INNER), b"Transfer-Encoding: chunked", body=CHUNKED_INNER),
    "TE.CL": post(
        b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)
    ),
    "space before the colon": post(b"Transfer-Encoding : chunked", b"Content-Length: 5", body=CHUNKED_INNER),
    "unknown coding": post(b"Transfer-Encoding: xchunked", b"Content-Length: 5", body=CHUNKED_INNER),
    "two codings": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CHUNKED_INNER),
    "tab": post(b"Transfer-Encoding:\tchunked", b"Content-Length: 5", body=CHUNKED_INNER),
    "folded": post(b"X: a\r\n Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKED_INNER),
    "folded coding": post(b"Transfer-Encoding:\r\n chunked", b"Content-Length: 5", body=CHUNKED_INNER),
    "two lengths": post(b"Content-Length: 5", b"Content-Length: 0", body=CHUNKED_INNER),
    "list of lengths": post(b"Content-Length: 0, 5", body=CHUNKED_INNER),
    "signed length": post(b"Content-Length: +0", body=INNER),
    "hexadecimal length": post(b"Content-Length: 0x0", body=INNER),
    "oversized chunk": post(b"Transfer-Encoding: chunked", body=b"fffffffffffffffff0\r\n" + INNER),
    "negative chunk": post(b"Transfer-Encoding: chunked", body=b"-1\r\n" + INNER),
    "bare line feeds": post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKED_INNER).replace(
        b"\r\n", b"\n", 4
    ),
    "bare carriage return": post(b"X: a\rTransfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKED_INNER),
    "NUL": post(b"X: a\x00b", b"Content-Length: 5", body=CHUNKED_INNER),
    "underscore": post(b"Content_Length: 0", b"Content-Length: %d" % len(INNER), body=INNER),
    "connection names it": post(
        b"Connection: Content-Length", b"Content-Length: %d" % len(INNER), body=INNER, path=b"/health/live"
    ),
}

NAMES = {
    "two hosts": get(b"Host: evil.example"),
    "no host": get(host=False),
    "absolute address of another host": get(path=b"http://evil.example/health/live"),
    "user in the host": get(b"Host: {host}@evil.example", host=False),
    "authority": b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n",
}

CLIMBING = (
    "/../app.py",
    "/assets/../../app.py",
    "/%2e%2e/app.py",
    "/assets/%2e%2e/%2e%2e/app.py",
    "/..%2fapp.py",
    "/assets/..%2f..%2fapp.py",
    "/%252e%252e%252fapp.py",
    "/..%252fapp.py",
    "/..%5capp.py",
    "/..\\app.py",
    "/assets/..%5c..%5capp.py",
    "/%c0%ae%c0%ae/app.py",
    "/..;/app.py",
    "//app.py",
    "/./../app.py",
    "/%00/../app.py",
    "/../app.py%00.js",
    "/assets/%00",
    "/%ff%fe.js",
    "/assets/" + "a" * 5000 + ".js",
    "/assets/" + "a/" * 2000 + "a.js",
    "/install/..%2f..%2fapp.py",
    "/install/%2e%2e/app.py",
)
"""`app.py` lies beside the folder of the dashboard's files."""
