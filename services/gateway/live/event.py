"""One event of the stream, in each form in which viewers get it, made when the first of them needs it."""

from __future__ import annotations

from services.gateway.live.encoding import Encoding, packed


class Event:
    """`body` and, for viewers who could go on from here, the event id before it."""

    __slots__ = ("_body", "_id", "_pieces")

    def __init__(self, body: bytes, event_id: bytes = b"") -> None:
        self._id = b"id: %b\n" % event_id if event_id else b""
        self._body = body
        self._pieces: dict[tuple[Encoding, bool], bytes] = {}

    def __len__(self) -> int:
        return len(self._id) + len(self._body)

    def text(self, bare: bool = False) -> bytes:
        """What a viewer reads; `bare`: without the id."""
        return self._body if bare else self._id + self._body

    def piece(self, encoding: Encoding, bare: bool = False) -> bytes:
        """The event as a chunk of an HTTP/1.1 body, the same bytes for all who get it in that form."""
        form = (encoding, bare and bool(self._id))
        piece = self._pieces.get(form)
        if piece is None:
            piece = self._pieces[form] = chunk(packed(encoding, self.text(bare)))
        return piece

    def shed(self) -> None:
        """Forget all forms: those who have one hold it, and others hardly come."""
        self._pieces.clear()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def named(event: str, data: bytes, event_id: bytes = b"") -> Event:
    """An event of that name; `data` is JSON, which has no line breaks."""
    return Event(b"event: %b\ndata: %b\n\n" % (event.encode(), data), event_id)
