"""What was done to near-JSON to make it strict, and whether all of it could be read.

All parts of one reader write into the same record. It may not know how anything is repaired.
"""

from __future__ import annotations

from converters.text.reasons import Reason


class Repairs:
    """The record of one value. A value that needed nothing leaves all of it False."""

    __slots__ = ("duplicate_key", "guessed", "respelled", "retyped", "unclosed", "unreadable", "unwrapped")

    def __init__(self) -> None:
        self.respelled = False
        """It was JSON in another spelling."""
        self.guessed = False
        """Something was passed over or added that no spelling explains."""
        self.duplicate_key = False
        """A key came twice in its object; the second member was dropped."""
        self.retyped = False
        """A string was made the type that the schema wants."""
        self.unwrapped = False
        """All arguments stood under one key that the tool does not declare; it was left out."""
        self.unclosed = False
        """Containers were open at the end and were closed."""
        self.unreadable = False
        """A value was open at the end: not all of it is known."""

    @property
    def altered(self) -> bool:
        """Whether the text was no JSON, or not all of it."""
        return self.respelled or self.unclosed

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of all that was done, in a fixed order."""
        found: list[tuple[bool, Reason]] = [
            (self.guessed, "arguments_guessed"),
            (self.respelled and not self.guessed, "arguments_repaired"),
            (self.duplicate_key, "duplicate_key"),
            (self.retyped, "arguments_retyped"),
            (self.unclosed and not self.unreadable, "arguments_closed"),
            (self.unwrapped, "arguments_unwrapped"),
        ]
        return [code for holds, code in found if holds]
