"""Answers that clients may ask for again, on the tapes of this process: in memory, under way, or not written yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from errors import TooLarge
from records.texts import Redact
from reply import FoundAnswer
from streaming.tape import Tape

AnswerState = Literal["open", "ended"] | None
"""What is known of an answer: it is under way, it has ended and may have a text, or nothing."""


def check_size(size: int, most_bytes: int) -> None:
    """Raises TooLarge for a conversation of more bytes than may be read."""
    if size > most_bytes:
        raise TooLarge(f"The conversation that the request goes on from is longer than {most_bytes} bytes.")


def answers_on(
    tapes: Iterable[Tape], answer_id: str, owner: str | None, links: int, most_bytes: int, redact: Redact
) -> Sequence[FoundAnswer]:
    """An answer and up to so many that it goes on from, the newest first, as far as they are there.

    Raises TooLarge if they are more than `most_bytes`.
    """
    known = {
        tape.answer.id: tape
        for tape in tapes
        if tape.answer is not None and tape.answer.body is not None and tape.answer.owner == owner
    }
    found: list[FoundAnswer] = []
    size = 0
    wanted: str | None = answer_id
    while wanted is not None and len(found) <= links and (tape := known.get(wanted)) is not None:
        assert tape.answer is not None and tape.answer.body is not None
        size += len(tape.request) + len(tape.answer.body)
        check_size(size, most_bytes)
        wanted = tape.answer.previous
        found.append(FoundAnswer(tape.answer.id, redact(tape.request), redact(tape.answer.body), wanted))
    return found


def is_on(tapes: Iterable[Tape], answer_id: str) -> bool:
    """Whether the answer is on one of the tapes."""
    return any(tape.answer is not None and tape.answer.id == answer_id for tape in tapes)


def forget_sent(tapes: Sequence[Tape], answer_id: str) -> None:
    """Forget what was sent to backends for the answers that go on from this one, as it holds this one's text."""
    gone = {answer_id}
    while later := [
        tape.answer.id
        for tape in tapes
        if tape.answer is not None
        and tape.answer.id not in gone
        and gone.intersection((tape.answer.previous, *tape.answer.quoted))
    ]:
        gone.update(later)
    for tape in tapes:
        if tape.answer is not None and tape.answer.id in gone:
            for attempt in list(tape.attempts):
                attempt.sent = b""
