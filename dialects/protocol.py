"""What a dialect is: an API that clients speak. It reads requests, and writes replies and errors.

A dialect turns a request into the chat request that backends take, and the events of a reply (reply.py) into bytes. It
may not know markup, backends, Flask or sockets, nor which model spoke. Everything that a client sees of its API stands
in the dialect: routes, media type, heartbeat, errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from converters.text.events import LeaseKind
from converters.text.expectations import Expectations
from converters.thinking import Prompt
from errors import ErrorInfo
from reply import Around, Features, Reply, Step

Clock = Callable[[], int]
"""Nanoseconds since 1970. Dialects have no clock of their own: the application gives one to those that tell times."""


@dataclass(slots=True)
class UpstreamRequest:
    """The chat request for the backend. It may be long, so it is held only until `take` has been called."""

    path: str
    body: bytes
    """The bytes that were received, where nothing in them had to change."""
    fields: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """What `body` says; None if it is too long to be made objects of."""

    def take(self) -> tuple[bytes, Mapping[str, Any] | None]:
        """(`body`, `fields`), which are then held by the caller only."""
        taken = self.body, self.fields
        self.body, self.fields = b"", None
        return taken


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """What the engine must know of a request."""

    upstream: UpstreamRequest
    model: str
    stream: bool
    expectations: Expectations
    ids: frozenset[str] = frozenset()
    """The ids of calls in the history, none of which may come again."""
    prompt: Prompt = field(default_factory=Prompt)
    """What the request says of the prompt that the answer goes on from."""
    choices: int = 1
    """How many answers it asks for."""
    codes: frozenset[str] = frozenset()
    """What the dialect did to the request that its client should know of (docs/OUTCOMES.md)."""
    options: object = None
    """What the dialect itself needs to write the answer."""
    answered: SideReply | None = None
    """The answer, where the API has one that no model needs to be asked for."""


@dataclass(frozen=True, slots=True)
class BackendAnswer:
    """What the backend answered to a question of a side route."""

    status: int
    body: bytes


class Ask(Protocol):
    """Asks the backend something beside the conversation, with the headers of the client's request."""

    def __call__(self, method: str, target: str, body: bytes = b"") -> BackendAnswer:
        """`target` is the path and query. Raises BackendError if there is no answer, and ClientLeft."""
        ...


@dataclass(frozen=True, slots=True)
class SideRequest:
    """A request for something beside the conversation: a list of models, a count of tokens."""

    headers: Sequence[tuple[str, str]]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    """What the holes of the rule held."""

    def header(self, name: str) -> str | None:
        """The value of the first header of that name, which is given in lower case; None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class SideReply:
    """The answer to a SideRequest."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class SideRoute:
    """A route of a dialect beside its conversation."""

    method: Literal["GET", "POST", "DELETE"]
    rule: str
    """The path, with holes as in Flask: `/v1/responses/<id>`."""
    answer: Callable[[SideRequest, Ask], SideReply | None]
    """Answers; None if another dialect, or the backend, should. Raises RequestError and BackendError."""


class StreamWriter(Protocol):
    """Steps to the bytes of a streamed reply. `error`, if it comes, is followed by `end` alone."""

    def write(self, step: Step) -> bytes: ...

    def error(self, error: ErrorInfo) -> bytes:
        """The event that tells the client of an error."""
        ...

    def end(self, outcome: str) -> bytes:
        """The end of the stream; `outcome` is what the record says of it, in one line."""
        ...

    def accepts(self, features: Features) -> bool:
        """Whether received bytes of this wire that use these spellings may be sent as they are."""
        ...

    def around(self, choice: int, kind: LeaseKind, call: int) -> Around | None:
        """How an event brings more of `kind`, for text that passes `write` by; None if only `write` can tell.

        `call` is the index of the call, for arguments.
        """
        ...


class Dialect(Protocol):
    """One API that clients speak."""

    @property
    def name(self) -> str:
        """Its name in the settings and the log: `chat`, `responses`, `messages`, `ollama`."""
        ...

    @property
    def routes(self) -> tuple[str, ...]:
        """Paths of its POST requests. The first is the one under which a backend may serve the API itself."""
        ...

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Where paths of this API begin, beside its routes: what is wrong there is told in its form."""
        ...

    @property
    def side_routes(self) -> tuple[SideRoute, ...]:
        """What it serves beside the conversation."""
        ...

    @property
    def wire(self) -> str:
        """The name of the format. Received bytes are sent as they are only if the backend's wire has the same name."""
        ...

    @property
    def media_type(self) -> str:
        """The Content-Type of a streamed reply."""
        ...

    @property
    def keep_alive(self) -> bytes:
        """A heartbeat: bytes that mean nothing to a client."""
        ...

    def parse_request(self, raw: bytes) -> ParsedRequest:
        """Check what we must understand of a request's body. Raises RequestError, which names the field."""
        ...

    def stream_writer(self, request: ParsedRequest) -> StreamWriter: ...

    def write_whole(self, reply: Reply, request: ParsedRequest) -> bytes:
        """The body of a buffered reply."""
        ...

    def write_error(self, error: ErrorInfo) -> bytes:
        """The body of an error reply, in JSON."""
        ...
