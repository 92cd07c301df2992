"""What every dialect speaks in: steps of a reply, the requests that were parsed, and ids.

A dialect is an API that a client speaks. It turns a request into the chat request that backends take, and events into
the reply. It may not know markup, backends, Flask or sockets, nor which model spoke.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from converters.text.events import Event
from converters.text.expectations import Expectations


@dataclass(slots=True)
class Finish:
    """A choice is over, with the finish reason that the client is told."""

    reason: str


@dataclass(slots=True)
class Native:
    """Fields of a delta that pass as the backend wrote them: its own tool calls, a refusal, audio ..."""

    delta: Mapping[str, Any]


@dataclass(slots=True)
class Trailer:
    """What stands around the choices, usage for one, came where no choice has anything to say."""


ReplyEvent = Event | Finish | Native | Trailer
ChoiceEvent = tuple[int, ReplyEvent]
"""The index of a choice, and what happened in it."""


@dataclass(slots=True)
class Step:
    """One step of a reply.

    `raw` is what was received, and stays while nothing in it had to change: a writer of the same dialect sends it as
    it is. Otherwise the events are rendered into the envelope, which is `top`: what stood around the choices.
    """

    raw: bytes | None
    events: Sequence[ChoiceEvent] = ()
    top: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the engine must know of a request; the body itself goes on to the backend."""

    body: Mapping[str, Any]
    model: str
    stream: bool
    expectations: Expectations
    ids: frozenset[str] = frozenset()
    """The ids of calls in the history, none of which may come again."""
    thinking: bool | None = None
    """What the request says of the model's thinking, if it says anything."""
    include_usage: bool = False
    """The client asked for usage at the end of a stream."""
    choices: int = 1
    """How many answers it asks for."""
    legacy: bool = False
    """It declared `functions`, and is answered with `function_call`."""


class StreamWriter(Protocol):
    """Steps to the bytes of a streamed reply."""

    def write(self, step: Step) -> bytes: ...

    def error(self, body: Mapping[str, Any]) -> bytes:
        """The event that tells the client of an error; nothing but `end` may follow."""
        ...

    def end(self, outcome: str) -> bytes: ...


class Dialect(Protocol):
    """One API that clients speak."""

    path: str
    """Where clients, and backends, know it."""
    reasoning_fields: tuple[str, ...]
    """The names under which clients get reasoning."""

    def parse_request(self, body: Any) -> ChatRequest:
        """Check what we must understand of a request. Raises RequestError, which names the field."""
        ...

    def stream_writer(self, request: ChatRequest) -> StreamWriter: ...

    def write_whole(self, reply: dict[str, Any], steps: Iterable[Step], request: ChatRequest) -> dict[str, Any]:
        """A buffered reply with the steps' meaning in place of what the backend wrote."""
        ...


class Ids:
    """Ids of calls: 9 letters and digits, which is what Mistral's templates demand; unique in answer and history."""

    _LETTERS = string.ascii_letters + string.digits

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = frozenset(taken)

    def take(self, wished: str | None = None) -> str:
        """`wished` if nobody has it yet, else a new one."""
        if wished and wished not in self._taken:
            self._taken |= {wished}
            return wished
        while (new := "".join(secrets.choice(self._LETTERS) for _ in range(9))) in self._taken:
            pass
        self._taken |= {new}
        return new
