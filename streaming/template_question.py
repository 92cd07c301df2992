"""Asks the backend for the chat template of a model: within few seconds, within few bytes, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from backends import Backend, ResponseHead, Timeouts, UpstreamExchange, Wait
from errors import ProxyError
from templates.servers import Question, template_in
from templates.sources import NoTemplate, Template
from version import VERSION

TEMPLATE_HEADERS = (("User-Agent", f"dragoman/{VERSION} (template)"), ("Accept", "application/json"))
"""Headers by which a backend can recognise these questions."""
SECONDS = 3.0
"""For one question, from connecting to the end of its answer."""
LARGEST = 8 << 20
"""Bytes of an answer."""
_IDENTITY = ("Accept-Encoding", "identity")

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Told:
    """A template, and what its server sets where a request does not."""

    template: Template
    question: Question


class TemplateQuestions:
    """Asks one backend. It has a connection of its own."""

    def __init__(self, url: str, questions: Sequence[Question]) -> None:
        limits = Timeouts(connect=SECONDS, first_byte=SECONDS, idle=SECONDS)
        self._backend = Backend(url, limits, pool_size=1)
        self._questions = questions

    @property
    def asks(self) -> bool:
        """Whether there is anything to ask this backend."""
        return bool(self._questions)

    def ask(self, model: str, headers: Headers) -> Told:
        """What the backend tells of a model's template. `headers` hold the key. Raises NoTemplate, in one line."""
        reasons: list[str] = []
        for question in self._questions:
            try:
                template = template_in(self._answer(question.target(model), headers))
                return Told(template, question)
            except NoTemplate as error:
                reasons.append(f"GET {question.path}: {error}")
        raise NoTemplate("; ".join(reasons))

    def _answer(self, target: str, headers: Headers) -> bytes:
        """Raises NoTemplate."""
        deadline = time.monotonic() + SECONDS
        sent = [*TEMPLATE_HEADERS, _IDENTITY, *headers]
        try:
            with closing(self._backend.open("GET", target, sent, b"")) as exchange:
                head = exchange.wait_head(deadline)
                if not isinstance(head, ResponseHead):
                    raise NoTemplate(f"no answer within {SECONDS:g} s")
                if head.status != 200:
                    raise NoTemplate(f"status {head.status}")
                return _body(exchange, deadline)
        except ProxyError as error:
            raise NoTemplate(error.message) from None


def _body(exchange: UpstreamExchange, deadline: float) -> bytes:
    """All of an answer. Raises NoTemplate for one that is too long or comes too slowly."""
    pieces: list[bytes] = []
    size = 0
    while (piece := exchange.next_bytes(deadline)) is not Wait.END:
        if not isinstance(piece, bytes) or time.monotonic() > deadline:
            raise NoTemplate(f"its answer does not end within {SECONDS:g} s")
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise NoTemplate(f"its answer has more than {LARGEST} bytes")
    return b"".join(pieces)
