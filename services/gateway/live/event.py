"""One event of the stream, in each form in which viewers get it, made when the first of them needs it."""

from __future__ import annotations

from services.gateway.live.encoding import Encoding, packed


class Event:
    """`body` and, for viewers who could go on from here, its id. It may be several events, which belong together."""

    __slots__ = ("_body", "_id", "_pieces")

    def __init__(self, body: bytes, event_id: bytes = b"") -> None:
        self._id = b"id: %b\n" % event_id if event_id else b""
        self._body = body
        self._pieces: dict[tuple[Encoding, bool], bytes] = {}

    def __len__(self) -> int:
        return len(self._id) + len(self._body)

    def text(self, bare: bool = False) -> bytes:
        """What a viewer reads; `bare`: without the id. Of several events the last one has it."""
        if bare or not self._id:
            return self._body
        before, _, last = self._body[:-2].rpartition(b"\n\n")
        return b"%b%b%b\n\n" % (before + b"\n\n" if before else b"", self._id, last)

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


def named(event: str, *data: bytes, event_id: bytes = b"") -> Event:
    """Events of that name, one for each of `data`, which are JSON without line breaks."""
    name = event.encode()
    return Event(b"".join([b"event: %b\ndata: %b\n\n" % (name, each) for each in data]), event_id)
