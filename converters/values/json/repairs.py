"""What was done to near-JSON to make it strict, and whether all of it could be read.

All parts of one reader write into the same record. It may not know how anything is repaired.
"""

from __future__ import annotations

from converters.text.reasons import Reason


class Repairs:
    """The record of one value. A value that needed nothing leaves all of it False."""

    __slots__ = ("duplicate_key", "inner_quotes", "respelled", "retyped", "unclosed", "unreadable")

    def __init__(self) -> None:
        self.respelled = False
        """It was JSON in another spelling."""
        self.inner_quotes = False
        """A quote that was not escaped was part of its string."""
        self.duplicate_key = False
        """A key came twice in its object; the second member was dropped."""
        self.retyped = False
        """A string was made the type that the schema wants."""
        self.unclosed = False
        """Containers were open at the end and were closed."""
        self.unreadable = False
        """It cannot be read without inventing something, or it was open at the end."""

    @property
    def altered(self) -> bool:
        """Whether the text was no JSON, or not all of it."""
        return self.respelled or self.unclosed or self.unreadable

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of all that was done, in a fixed order."""
        found: list[tuple[bool, Reason]] = [
            (self.respelled, "arguments_repaired"),
            (self.duplicate_key, "duplicate_key"),
            (self.retyped, "arguments_retyped"),
            (self.unclosed, "arguments_closed"),
        ]
        return [code for holds, code in found if holds]
