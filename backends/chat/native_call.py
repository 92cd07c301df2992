"""One tool call that the server sent as such, as far as it was received, and access to the entries that it comes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends.chat.whole_object import WholeObject
from converters.text.reasons import Reason


@dataclass(slots=True, eq=False)
class NativeCall:
    """One call, as far as it was received."""

    place: int
    """How many calls came before it."""
    given_index: int | None
    """The index that the server gave it, if any."""
    refusal: Reason | None
    legacy: bool
    """It came as a `function_call`, which has neither index nor id."""
    id: str | None = None
    """The first id that the server gave it."""
    name: str = ""
    body: list[str] = field(default_factory=list)
    """Its arguments, in the pieces in which they came."""
    flows: bool | None = None
    """Whether the arguments begin as an object and are sent as they come; None while that is not known."""
    sent: int = 0
    """How many of the pieces were sent."""
    index: int = -1
    """The index that the client gets; -1 until the call is opened."""
    half: str = ""
    """The half of a surrogate pair in which the last piece ended."""
    _object: WholeObject = field(default_factory=WholeObject)

    @property
    def opened(self) -> bool:
        return self.index >= 0

    @property
    def waiting(self) -> bool:
        return self.refusal is None and (not self.opened or self.sent < len(self.body))

    @property
    def text(self) -> str:
        return "".join(self.body)

    def begin_with(self, text: str) -> None:
        """Put more in front of the arguments."""
        self.body.insert(0, text)
        self._object = WholeObject()

    @property
    def complete(self) -> bool:
        """Whether the arguments are a whole JSON object."""
        return self._object.ends(self.body)


def entries_of(delta: Mapping[str, Any]) -> Sequence[Any]:
    calls = delta.get("tool_calls")
    if not calls:
        return [{"index": 0, "function": delta["function_call"]}]
    return calls if isinstance(calls, list) else [calls]


def is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""
