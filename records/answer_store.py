"""The store of answers that clients may go on from: the records, and what of them is not written yet.

An answer is there as soon as it has ended: in the process that gave it at once, in another one when the writer's next
batch is there, for which a reader waits a moment. Its text goes with that of its record.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from errors import RecordsUnavailable
from records.kept_answers import AnswerState, answers_on, check_size, forget_sent, is_on
from records.recorder import Recorder
from records.sql import SqlStore
from records.stores import StoreError
from records.threads import away_from_streams
from reply import FoundAnswer
from streaming.tape import LONGEST_TEXT

Found = TypeVar("Found")

_LINKS = 2000
"""Answers of one conversation."""
_PATIENCE = 3.0
"""Seconds to wait for an answer of another process: its writer stores four times a second."""
_YOUNG = 5.0
"""Seconds from the making of an id, in which another process may not have stored that it is under way."""
_STEP = 0.05
"""Seconds between two looks."""
_WRITTEN = 2.0
"""Seconds to wait for the writer, before what it holds can be deleted."""
_TIME_DIGITS = 12


class AnswerStore:
    """Shared by all threads of the process. Each answer belongs to the key that made it (None: to nobody's)."""

    longest = LONGEST_TEXT

    def __init__(self, recorder: Recorder, most_bytes: int) -> None:
        """`most_bytes` of a conversation may be read at once."""
        self._recorder = recorder
        self._store = recorder.store
        self._shared = isinstance(recorder.store, SqlStore)  # other processes may write to it
        self.most_bytes = max(most_bytes, 2 * LONGEST_TEXT)

    def new_token(self) -> str:
        """40 hexadecimal digits. The first 12 are the time in milliseconds: so it is known what may yet come."""
        return f"{time.time_ns() // 1_000_000:0{_TIME_DIGITS}x}{secrets.token_hex(14)}"

    def find(self, answer_id: str, owner: str | None, patient: bool = True) -> FoundAnswer | None:
        """An answer that has ended; None if there is none, or it is another's. `patient`: waits if that may help.

        Raises RecordsUnavailable.
        """
        found = self._found(answer_id, owner, 0, patient)
        return found[0] if found else None

    def conversation(self, answer_id: str, owner: str | None) -> Sequence[FoundAnswer]:
        """The answer and all that it goes on from, the first first; none if one of them is not there any more.

        Raises RecordsUnavailable, and TooLarge for more than `most_bytes`.
        """
        found = self._found(answer_id, owner, _LINKS, patient=True)
        return found[::-1] if found and found[-1].previous is None else ()

    def delete(self, answer_id: str, owner: str | None) -> bool:
        """Delete the texts of an answer. False if there is none, or it is another's. Raises RecordsUnavailable."""
        if self.find(answer_id, owner) is None:
            return False
        until = time.monotonic() + _WRITTEN
        while is_on(self._recorder.unwritten(), answer_id):
            if time.monotonic() > until:
                raise RecordsUnavailable("The response is not stored yet. Delete it again in a moment.")
            time.sleep(_STEP)
        forget_sent(self._recorder.unwritten(), answer_id)
        return self._asked(lambda: self._store.erase_answer(answer_id, owner))

    def _found(self, answer_id: str, owner: str | None, links: int, patient: bool) -> Sequence[FoundAnswer]:
        until = time.monotonic() + _PATIENCE
        last_look_for: str | None = None
        while True:
            found = self._found_now(answer_id, owner, links)
            missing = _missing(found, answer_id, links)
            waits = patient and self._shared and time.monotonic() < until
            if missing in (None, last_look_for) or not waits:
                return found
            if self._may_come(missing, owner):
                time.sleep(_STEP)
            else:
                last_look_for = missing  # it may have been stored since this look

    def _found_now(self, answer_id: str, owner: str | None, links: int) -> Sequence[FoundAnswer]:
        if not self._shared:
            return self._store.answers(answer_id, owner, links, self.most_bytes)
        redact = self._recorder.redact
        # first what is on its way to the database: there it is afterwards
        found = answers_on(self._recorder.unwritten(), answer_id, owner, links, self.most_bytes, redact)
        older = found[-1].previous if found else answer_id
        if older is None or len(found) > links:
            return found
        left = links - len(found)
        stored = self._asked(lambda: self._store.answers(older, owner, left, self.most_bytes))
        found = [*found, *stored]
        check_size(sum(len(each.request) + len(each.body) for each in found), self.most_bytes)
        return found

    def _may_come(self, answer_id: str, owner: str | None) -> bool:
        """Whether the answer may be under way in another process."""
        if is_on(self._recorder.unwritten(), answer_id):
            return False  # it is under way in this one
        state: AnswerState = self._asked(lambda: self._store.answer_state(answer_id, owner))
        return state == "open" or (state is None and _is_young(answer_id))

    def _asked(self, ask: Callable[[], Found]) -> Found:
        try:
            return away_from_streams(ask)
        except StoreError as error:
            raise RecordsUnavailable(f"The store of responses cannot be used now: {error}") from None


def _missing(found: Sequence[FoundAnswer], answer_id: str, links: int) -> str | None:
    """The first answer that was not found; None if all were. What another process made may not be stored yet."""
    if not found:
        return answer_id
    return found[-1].previous if len(found) <= links else None


def _is_young(answer_id: str) -> bool:
    digits = answer_id.partition("_")[2][:_TIME_DIGITS]
    try:
        made = int(digits, 16) / 1000
    except ValueError:
        return False
    return abs(time.time() - made) < _YOUNG


def answer_store(recorder: Recorder | None, most_bytes: int) -> AnswerStore | None:
    """The store of the settings; None where no texts are recorded."""
    return AnswerStore(recorder, most_bytes) if recorder is not None and recorder.full else None
