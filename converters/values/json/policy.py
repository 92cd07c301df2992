"""What the reader of a JSON value asks about its meaning; `values/typed.py` has answers from a schema.

It may not know how JSON is read.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Protocol

from converters.values.json.output import Frame, quote
from converters.values.json.words import strict_word


class Policy(Protocol):
    """Answers for one value. A context is what the policy knows of a place in it; only the policy looks into one."""

    root: Any
    """The context of the whole value."""

    def child(self, frame: Frame, key: str) -> Any:
        """The context of a value in a container; `key` counts if the container is an object."""

    def fits(self, value: Any, context: Any) -> bool:
        """Whether a value that has come whole, as `json` decodes it, needs no change at all."""

    def takes_string(self, context: Any) -> bool:
        """Whether a string may stay one. If not, it is gathered and handed to `convert`."""

    def convert(self, text: str, context: Any) -> str:
        """The JSON for a string that may not stay one, given decoded."""

    def declared(self, context: Any) -> Container[str] | None:
        """The keys that an object should have; None if it may have any."""

    def read_word(self, text: str, context: Any) -> str:
        """The JSON for words without quotes, in a spelling in which a value may be that."""


class Verbatim:
    """Leaves every value as the model wrote it. A Policy."""

    __slots__ = ()

    root: Any = None

    def child(self, frame: Frame, key: str) -> Any:
        return None

    def fits(self, value: Any, context: Any) -> bool:
        return True

    def takes_string(self, context: Any) -> bool:
        return True

    def convert(self, text: str, context: Any) -> str:
        raise NotImplementedError  # no string is gathered

    def declared(self, context: Any) -> Container[str] | None:
        return None

    def read_word(self, text: str, context: Any) -> str:
        return strict_word(text) or quote(text)


VERBATIM = Verbatim()
