"""What the client of a forwarded request got, for the record: a body that is kept on the tape while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from streaming.conversation import ClientReply
from streaming.record import ExchangeRecord
from streaming.tape import Blocks


class _Kept(Iterator[bytes]):
    """A body in pieces. What is sent is kept, until it is closed."""

    __slots__ = ("_add", "_next", "_pieces")

    def __init__(self, pieces: Iterator[bytes], kept: Blocks) -> None:
        self._pieces = pieces
        self._next = pieces.__next__
        self._add = kept.add

    def __next__(self) -> bytes:
        piece = self._next()
        self._add(piece)
        return piece

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()


def taped(reply: ClientReply, record: ExchangeRecord) -> ClientReply:
    """The reply. If texts are recorded, a body in pieces is kept while it is sent; a whole one has been (`wrote`)."""
    if record.tape is None or isinstance(reply.body, bytes):
        return reply
    return replace(reply, body=_Kept(reply.body, record.tape.client))
