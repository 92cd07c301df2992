"""What an answer is made of: the neutral reply that a backend's API is read into and a client's API is written from.

Readers (`backends/`) and writers (`dialects/`) know this file and not each other. It may not know the fields of any
API, nor the network. All events that concern one choice come with its index:

    ReplyHead     a choice begins, or what identifies the reply has changed
    Text, Reasoning, CallStart, ArgumentsDelta, CallEnd, Removed, Noted    see converters/text/events.py
    Extension     fields that nobody here interprets
    Finish        a choice is over
    Usage         token counts
    Failure       an error in mid-stream; nothing of the reply follows
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import getrandbits
from typing import Any, Literal, NamedTuple

from converters.text.events import Event
from converters.text.reasons import ABSTAINED, Reason
from errors import ErrorInfo


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """What identifies a reply, as the backend gave it; None where it gave nothing."""

    id: str | None = None
    created: int | None = None
    """Seconds since 1970."""
    model: str | None = None
    fingerprint: str | None = None


@dataclass(slots=True)
class Extension:
    """Fields that nobody here interprets: of a message (a refusal, audio ...) or of the reply (timings ...).

    Those of a choice belong to the text that follows (log probabilities). Of a whole reply, `Reply.source` has them.
    """

    fields: Mapping[str, Any]
    of: Literal["message", "choice", "reply"] = "message"


CALLED = "tool_calls"
"""The reason of a choice that ends with calls."""


@dataclass(slots=True)
class Finish:
    """A choice is over. `reason` is `stop`, `length`, CALLED, `content_filter`, or another of the backend's."""

    reason: str


@dataclass(slots=True)
class Usage:
    """Token counts, under the names that the backend gave them."""

    counts: Mapping[str, Any]


class Tokens(NamedTuple):
    """The counts that every API has; None where the backend gave none."""

    prompt: int | None = None
    answer: int | None = None
    """Of the whole answer, with its reasoning."""
    reasoning: int | None = None
    cached: int | None = None
    """Of the prompt, those that the backend still knew."""


NO_TOKENS = Tokens()
COUNTS_END = 1 << 53
"""What is as large counts nothing; below it, a float holds every integer."""


def count_of(counts: object, name: str) -> int | None:
    """The token count of that name; None if `counts` has none, or something else in its place."""
    found = counts.get(name) if isinstance(counts, Mapping) else None
    if type(found) is float and found.is_integer():
        found = int(found)
    return found if type(found) is int and 0 <= found < COUNTS_END else None


_LONGEST_REASON = 32
_LONGEST_NAME = 200
"""Characters."""


@dataclass(slots=True)
class Failure:
    """The reply cannot go on: the backend reported an error in mid-stream, or a call turned out to be unreadable."""

    error: ErrorInfo
    code: str = "backend_error"
    """What the record of the exchange calls it."""


ReplyEvent = Event | ReplyHead | Extension | Finish | Usage | Failure
ChoiceEvent = tuple[int, ReplyEvent]
"""The index of a choice, and what happened in it. Usage and Failure stand under index 0 and concern the reply."""

Features = frozenset[str]
"""Spellings that bytes of one wire may use, and that not every client of it wants (see `StreamWriter.accepts`)."""
NO_FEATURES: Features = frozenset()

Around = tuple[bytes, bytes] | Callable[[str], bytes]
"""How an event of a client's API brings more of one text: what stands before and behind the text, spelled as in a JSON
string; or what writes it, where the events differ in more than that."""


@dataclass(slots=True)
class Step:
    """One step of a streamed reply.

    `raw` is what was received, if the events say just that: a writer of the same wire may send it as it is. Otherwise
    it is None. Bytes without events are comments, or frames that nobody could read.
    """

    raw: bytes | None
    events: Sequence[ChoiceEvent] = ()
    features: Features = NO_FEATURES


@dataclass(slots=True)
class Reply:
    """A whole reply. `raw` as in a Step; `source` is the parsed body, of which a writer of the same wire keeps the
    fields that it does not know. Both are None for a body that holds no reply."""

    raw: bytes | None
    events: Sequence[ChoiceEvent] = ()
    source: Mapping[str, Any] | None = None
    features: Features = NO_FEATURES
    large: bool = False
    """It is so long that it must be written in slices; `source` may hold RawJson (`wire/json_values.py`)."""


@dataclass(slots=True)
class Notes:
    """What one attempt at an answer decided. It is thrown away with the attempt, or kept in the exchange's record."""

    calls: int = 0
    """How many calls the client was told of."""
    syntax: str | None = None
    """The row that the first call in the text was written in."""
    codes: set[Reason] = field(default_factory=set)
    details: set[str] = field(default_factory=set)
    """What a code is about, where that can be said without a model's words: `arguments_misfit f/properties/n/type`."""
    changed: bool = False
    """Model text was translated."""
    repaired: bool = False
    """Something in the backend's own protocol was put right."""
    abstained: bool = False
    """Something that looked like more than text was left as text."""
    splits: bool = False
    """The server told reasoning from text itself."""
    closes_prefill: bool = False
    """Reasoning was closed that the prompt seems to have opened."""
    tokens: Tokens = NO_TOKENS
    finish: str | None = None
    """The reason of the choice that was finished last."""
    cut: bool = False
    """Something else than the model's own stop ended a choice: `max_tokens`, a filter."""
    reply_id: str | None = None
    reply_model: str | None = None
    """What the backend calls its answer, and the model that it says it is."""

    def identified(self, head: ReplyHead) -> None:
        """The backend said what its answer is."""
        self.reply_id, self.reply_model = _name(head.id), _name(head.model)

    def finished(self, reason: str) -> None:
        """A choice is over. Only a plain word is kept: some backends put their own text there."""
        self.finish = reason if reason.isascii() and reason.isidentifier() and len(reason) <= _LONGEST_REASON else None

    def note(self, code: Reason, detail: str = "") -> None:
        """A decision, or why text was removed."""
        self.codes.add(code)
        if detail:
            self.details.add(f"{code} {detail}")
        self.abstained = self.abstained or code in ABSTAINED

    def repair(self, code: Reason) -> None:
        """Something in the backend's own protocol was put right."""
        self.repaired = True
        self.codes.add(code)


def _name(given: object) -> str | None:
    return given[:_LONGEST_NAME] if isinstance(given, str) else None


@dataclass(slots=True)
class KeptAnswer:
    """An answer that its client may ask for again, and go on from: what a client's API says of it, for the record."""

    id: str
    owner: str | None
    """The name of the key that may ask for it; None where there are no keys."""
    previous: str | None = None
    """The answer that the request goes on from."""
    quoted: tuple[str, ...] = ()
    """Other answers of which something stands in the request."""
    taken: bool = False
    """The record takes it. Set before the first byte of the answer is written."""
    body: bytes | None = None
    """The answer at its end. Set before its last byte leaves."""


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """An answer that was kept."""

    id: str
    request: bytes
    """The body of the client's request."""
    body: bytes
    previous: str | None = None


class Ids:
    """Ids of calls: 9 letters and digits, which Mistral's templates demand; unique in the answer and the history."""

    _LETTERS = string.ascii_letters + string.digits

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wished: str | None = None) -> str:
        """`wished` if nobody has it yet, else a new one."""
        if wished and wished not in self._taken:
            self._taken.add(wished)
            return wished
        while (new := self._new()) in self._taken:
            pass
        self._taken.add(new)
        return new

    def _new(self) -> str:
        number = getrandbits(96)  # no secret: the system's own numbers take 20 µs each
        found = ""
        for _ in range(9):
            number, place = divmod(number, len(self._LETTERS))
            found += self._LETTERS[place]
        return found
