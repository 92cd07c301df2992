"""What a reader does with containers and strings once it knows what they mean: the policy's answers, carried out.

It may not know how a value is spelled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from converters.values.json.output import OPENERS, JsonOutput, decoded
from converters.values.json.policy import Policy
from converters.values.json.repairs import Repairs
from converters.values.json.whole import levels, read_whole

_WORTHWHILE = 32
"""Length in characters from which on a container is tried as a whole."""
LEVELS = 128
"""How deep containers may stand in each other."""
_TRIES = 8
"""How often that may fail in one value: each try may decode all that has come."""


class ValueBuilder:
    """Opens containers, and converts strings that may not stay strings."""

    __slots__ = ("_output", "_policy", "_repairs", "_tries")

    def __init__(self, output: JsonOutput, policy: Policy, repairs: Repairs) -> None:
        self._output = output
        self._policy = policy
        self._repairs = repairs
        self._tries = _TRIES

    def _context(self) -> Any:
        """What the policy knows of the value that begins here."""
        frames = self._output.frames
        return self._policy.child(frames[-1], self._output.last_key) if frames else self._policy.root

    def open(self, text: str, pos: int, fits: Callable[[int], bool]) -> int:
        """At the opener of a container: returns its end if it has come whole and was written, else -1: it is open.

        `fits` tells whether what stands from a position on can follow a value.
        """
        context = self._context()
        if self._tries and len(text) - pos >= _WORTHWHILE:
            whole = read_whole(text, pos)
            if whole is not None and self._policy.fits(whole[0], context) and fits(whole[1]):
                most = LEVELS - len(self._output.frames)
                openers = text.count("{", pos, whole[1]) + text.count("[", pos, whole[1])
                if openers <= most or levels(whole[0]) <= most:
                    self._output.put(text[pos : whole[1]])
                    return whole[1]
            self._tries -= 1
        opener = OPENERS.get(text[pos], text[pos])
        self._output.open(opener, context, self._policy.declared(context) if opener == "{" else None)
        return -1

    def takes_string(self) -> bool:
        """Whether a string may stay one here. As the whole value it always may."""
        return not self._output.frames or self._policy.takes_string(self._context())

    def put_captured(self) -> None:
        """Write the captured string as what its policy makes of it."""
        value = self._policy.convert(decoded(self._output.release()), self._context())
        if value[0] != '"':
            self._repairs.retyped = True
        self._output.put(value)

    def put_word(self, word: str) -> None:
        """Write words without quotes, in a spelling in which they may be any value."""
        self._output.put(self._policy.read_word(word, self._context()))
