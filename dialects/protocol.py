"""What a dialect is: an API that clients speak. It reads requests, and writes replies and errors.

A dialect turns a request into the chat request that backends take, and the events of a reply (reply.py) into bytes. It
may not know markup, backends, Flask or sockets, nor which model spoke. Everything that a client sees of its API stands
in the dialect: routes, media type, heartbeat, errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from converters.text.events import LeaseKind
from converters.text.expectations import Expectations
from converters.thinking import Prompt
from errors import ErrorInfo
from reply import Features, Reply, Step


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """The chat request for the backend."""

    path: str
    body: bytes
    """The bytes that were received, where nothing in them had to change."""


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
    options: object = None
    """What the dialect itself needs to write the answer."""


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

    def around(self, choice: int, kind: LeaseKind, call: int) -> tuple[bytes, bytes] | None:
        """What stands before and behind the text, spelled as in a JSON string, in an event that brings more of `kind`.

        `call` is the index of the call, for arguments. None if each event differs in more than its text.
        """
        ...


class Dialect(Protocol):
    """One API that clients speak."""

    @property
    def routes(self) -> tuple[str, ...]:
        """Paths of its POST requests. The first is the one under which a backend may serve the API itself."""
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
