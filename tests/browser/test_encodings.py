"""Whether a browser reads what the live stream is compressed with as it comes: every piece before the next is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infra.settings import ServerSettings
from services.gateway.live.encoding import BEGIN, Encoding, packed
from services.gateway.live.event import chunk
from tests.browser.browser import Chromium, opened
from tests.browser.stack import served

pytestmark = pytest.mark.browser

PIECES = [b"event %d\n" % number * 500 for number in range(5)]
READ = """async (lengths) => {
  const reader = (await fetch('/stream')).body.getReader();
  let text = '';
  for (const length of lengths) {
    while (text.length < length) {
      const { done, value } = await reader.read();
      if (done) return [text, 'ended early'];
      text += new TextDecoder().decode(value);
    }
    await fetch('/next');
  }
  return [text, (await reader.read()).done];
}"""


@asynccontextmanager
async def in_pieces(encoding: Encoding) -> AsyncIterator[str]:
    """A server whose `/stream` sends the next piece only when `/next` was asked for; its address."""
    read = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        if path == b"/stream":
            head = f"Content-Type: text/event-stream\r\nContent-Encoding: {encoding}\r\nTransfer-Encoding: chunked"
            writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
            for number, piece in enumerate(PIECES):
                begin = BEGIN[encoding] if number == 0 else b""
                writer.write(chunk(begin + packed(encoding, piece)))
                await read.acquire()
            writer.write(b"0\r\n\r\n")
        else:
            if path == b"/next":
                read.release()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_a_browser_reads_every_piece_as_it_comes(chromium: Chromium, encoding: Encoding) -> None:
    async with in_pieces(encoding) as address, opened(chromium, address) as page:
        lengths = [len(b"".join(PIECES[: number + 1])) for number in range(len(PIECES))]
        text, ended = await page.evaluate(READ, lengths)
    assert (text.encode(), ended) == (b"".join(PIECES), True)


async def test_a_browser_at_the_gateway_s_machine_is_given_zstandard(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0, anonymous_viewer=True)
    async with served(settings) as address, opened(chromium, address) as page:
        encoding, text = await page.evaluate("""async () => {
          const response = await fetch('/api/v1/live');
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          let text = '';
          while (!text.includes('event: complete')) text += (await reader.read()).value;
          await reader.cancel();
          return [response.headers.get('content-encoding'), text];
        }""")
    assert encoding == "zstd"
    assert "event: snapshot" in text
