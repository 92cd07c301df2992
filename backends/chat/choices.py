"""The choices of one reply, each with a reader of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from backends.chat.choice import ChoiceReader, held_too_long
from backends.chat.native_calls import NativeCalls
from backends.protocol import ReplyContext
from errors import TooMuch
from reply import Ids, Notes

MOST_CHOICES = 128
"""Choices of one answer."""


class Choices:
    """Creates a reader for each choice when its first delta comes."""

    def __init__(self, context: ReplyContext, notes: Notes) -> None:
        self._context = context
        self._notes = notes
        self._ids = Ids(context.ids)
        self._readers: dict[int, ChoiceReader] = {}

    def __getitem__(self, index: int) -> ChoiceReader:
        """The reader of a choice; created on first use."""
        if index not in self._readers:
            if len(self._readers) >= MOST_CHOICES:
                raise TooMuch(f"The backend's answer has more than {MOST_CHOICES} choices.", "too_many_choices")
            native = NativeCalls(self._context.expectations, self._ids)
            keeps = self._context.expectations.reasoning == "keep"
            self._readers[index] = ChoiceReader(self._context.new_parser, native, self._notes, keeps)
        return self._readers[index]

    @property
    def count(self) -> int:
        """How many have begun."""
        return len(self._readers)

    @property
    def holds(self) -> bool:
        """Something was read and is not yet part of any event."""
        return any(reader.holds for reader in self._readers.values())

    @property
    def pending(self) -> int:
        """Characters of all choices that are not yet part of any event."""
        return sum(reader.pending for reader in self._readers.values())

    def hold_no_more(self) -> NoReturn:
        """Forget what is held. Raises TooMuch."""
        for reader in self._readers.values():
            reader.forget()
        raise held_too_long()

    @property
    def indexes(self) -> list[int]:
        """The indexes of the choices that have begun, in order."""
        return sorted(self._readers)

    @property
    def open(self) -> Iterator[tuple[int, ChoiceReader]]:
        """The choices without a finish reason, with their indexes, in order."""
        return ((index, reader) for index, reader in sorted(self._readers.items()) if not reader.finished)

    @property
    def all_finished(self) -> bool:
        """As many choices have begun as were asked for, and all of them have their finish reason."""
        enough = len(self._readers) >= self._context.choices
        return enough and all(reader.finished for reader in self._readers.values())
