"""The texts of one exchange as they passed, for whoever looks at it later. There is one only with RECORD=full.

What the model wrote and what became of it is not kept: it is read again from the backend's bytes when somebody looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from converters.text.expectations import Expectations
from reply import KeptAnswer

LONGEST_TEXT = 1 << 20
"""Bytes that are kept of one text."""


class Blocks:
    """A text in the pieces in which it passed, with the time of each (`time.monotonic`)."""

    __slots__ = ("blocks", "size", "times", "truncated")

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.times: list[float] = []
        self.size = 0
        self.truncated = False

    def add(self, block: bytes, at: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        """`at` is when it passed, for who knows that. Each piece of each stream comes here: it does what it must."""
        size = self.size + len(block)
        if size > LONGEST_TEXT:
            if self.truncated:
                return
            block = block[: LONGEST_TEXT - self.size]
            self.truncated, size = True, LONGEST_TEXT
        self.blocks.append(block)
        self.times.append(at or now())
        self.size = size


@dataclass(slots=True)
class Attempt:
    """One request to the backend and its answer, as bytes. The answer's content coding has been removed."""

    sent: bytes
    size: int
    """Of the request, in bytes; `sent` may be less of it."""
    status: int | None = None
    whole: bool = False
    """The answer is one JSON body."""
    ended: bool = False
    """The end of the answer was read."""
    received: Blocks = field(default_factory=Blocks)


@dataclass(frozen=True, slots=True)
class Reading:
    """With what the answer was read."""

    row: str | None
    """The row that came first, if one was known."""
    expectations: Expectations
    choices: int
    stream: bool
    named_row: str | None = None
    """The row that the client named in a header."""


@dataclass(slots=True)
class Tape:
    """All texts of one exchange. Whatever is longer than LONGEST_TEXT is cut off there."""

    request: bytes = b""
    request_size: int = 0
    reading: Reading | None = None
    """None for a request that was forwarded."""
    attempts: list[Attempt] = field(default_factory=list)
    client: Blocks = field(default_factory=Blocks)
    answer: KeptAnswer | None = None
    """The answer as its API tells it when it is asked for again; None if it cannot be."""

    def asked(self, body: bytes) -> None:
        """The client's request."""
        self.request, self.request_size = body[:LONGEST_TEXT], len(body)

    def sent(self, body: bytes) -> None:
        """A request to the backend: another attempt begins."""
        self.attempts.append(Attempt(body[:LONGEST_TEXT], len(body)))

    def take(self, answer: KeptAnswer) -> bool:
        """Keep the answer, unless the request was cut off: such a one is none to go on from. Whether it is kept."""
        answer.taken = self.request_size <= LONGEST_TEXT
        self.answer = answer if answer.taken else None
        return answer.taken

    @property
    def size(self) -> int:
        """Bytes that are kept, at most: a text that was passed on as it came is counted twice."""
        attempts = sum(len(each.sent) + each.received.size for each in self.attempts)
        kept = len(self.answer.body or b"") if self.answer is not None else 0
        return len(self.request) + attempts + self.client.size + kept
