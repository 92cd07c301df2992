"""What the engine asks of a backend's API: a reader of its replies. It knows no dialect and no HTTP.

A reader belongs to one attempt at an answer, and so do its notes. All its methods take bytes as they came off the
network, cut anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from converters.stages.pipeline import Pipeline
from converters.syntaxes import Syntax
from converters.text.events import LeaseKind
from converters.text.expectations import Expectations
from errors import ErrorInfo
from reply import Around, Features, Notes, Reply, Step


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What a reader is told of the request that it reads the answer of."""

    new_parser: Callable[[], Pipeline]
    """Makes a parser of model text; each choice gets its own."""
    expectations: Expectations = field(default_factory=Expectations)
    ids: frozenset[str] = frozenset()
    """The ids of calls in the history."""
    choices: int = 1
    """How many answers were asked for."""
    model: str = ""
    tells_unreadable: bool = False
    """A call whose arguments cannot be read ends as such in a stream, too; otherwise the stream ends as a failure."""


class Passthrough(Protocol):
    """A short way past the reader for more of what was read last."""

    def take(self, block: bytes) -> bytes | None:
        """What the client gets for a piece of the stream, perhaps nothing. None if the reader must read it."""
        ...


class PassingWriter(Protocol):
    """What a reader asks the writer before it lets bytes pass. Every StreamWriter is one; it is described there."""

    def accepts(self, features: Features) -> bool: ...

    def around(self, choice: int, kind: LeaseKind, call: int) -> Around | None: ...


class ReplyReader(Protocol):
    """One answer of one backend, to steps. Model text never raises; what a backend does wrong raises BackendError."""

    @property
    def wire(self) -> str:
        """The name of the format that is read."""
        ...

    @property
    def notes(self) -> Notes: ...

    @property
    def done(self) -> bool:
        """Nothing more will be read: the end was read, or an error."""
        ...

    @property
    def unread(self) -> bool:
        """Something of what was given to `read` waits, so that the first words can leave. Read on with `b""`."""
        ...

    def read(self, data: bytes) -> Sequence[Step]:
        """More of a stream. Raises Refused for an error before anything was said."""
        ...

    def finish(self) -> Sequence[Step]:
        """The body has ended. Raises Interrupted if that was too early."""
        ...

    def broken_off(self) -> Sequence[Step] | None:
        """The connection broke. None if something is missing; otherwise the last steps of a reply that was complete."""
        ...

    def release(self) -> Sequence[Step]:
        """The reply will not go on: what was held is let go, and no choice is finished."""
        ...

    def passthrough(self, writer: PassingWriter, same_wire: bool) -> Passthrough | None:
        """A short way for more of what was read last, if there is one.

        `same_wire`: the client speaks the backend's format, so that received bytes may pass.
        """
        ...

    def read_whole(self, body: bytes) -> Reply:
        """A buffered reply. Raises Refused for an error under the status of a success."""
        ...

    def stream_whole(self, body: bytes) -> Sequence[Step]:
        """A body that came as a whole in answer to a request for a stream. Raises as `read_whole` does."""
        ...

    def read_refusal(self, status: int, body: bytes) -> Reply | ErrorInfo:
        """The body of an error status: an error, or the reply that it quotes because the backend could not read it."""
        ...


NewReader = Callable[[ReplyContext], ReplyReader]


@dataclass(frozen=True, slots=True)
class WrongCall:
    """A call that the client never saw, and what the model is told of it."""

    id: str
    name: str
    arguments: str
    """As the model wrote them, perhaps no JSON."""
    result: str


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """An answer whose calls cannot be run, or that has none though one was demanded."""

    text: str
    calls: tuple[WrongCall, ...]
    demand: str
    """What the user says to it, if there are no calls."""


class RequestPlan(Protocol):
    """What is sent for one request of a client: the request itself, then what refusals make of it."""

    @property
    def body(self) -> bytes:
        """The body of the attempt at hand."""
        ...

    @property
    def codes(self) -> frozenset[str]:
        """What it changes of the client's request, for the record."""
        ...

    def refused(self, error: ErrorInfo) -> bool:
        """The backend has refused `body`. Whether it is now another, which the backend may take."""
        ...

    def ask_again(self, wrong: WrongAnswer) -> None:
        """Make `body` the same request, with a wrong answer and what is wrong with it behind the messages."""
        ...

    def succeeded(self) -> None:
        """The answer was good: what made the request acceptable may be remembered."""
        ...

    def release(self) -> None:
        """Nothing will be sent again, so the request can be forgotten."""
        ...


class NewPlan(Protocol):
    """Makes a plan."""

    def __call__(
        self,
        raw: bytes,
        fields: Mapping[str, Any] | None,
        model: str,
        syntax: Syntax | None,
        history: Mapping[str, str],
    ) -> RequestPlan:
        """`raw` is the body of the request, `fields` the same as objects, or None if nobody has read all of it.

        `syntax` is the row in which the model writes, None if it is not known; `history` is what its chat template
        makes of histories (converters/learning/history.py), empty if that is not known.
        """
        ...
