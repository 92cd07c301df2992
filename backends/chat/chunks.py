"""Turns frames of a streamed chat completion into steps: their events, and the received bytes where nothing changed.

Frames whose text is still held are kept whole, and leave whole if nothing in them had to change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from backends.chat.choice import MOST_HELD, ChoiceReader, Delta, canonical_reason
from backends.chat.choices import Choices
from backends.chat.envelope import mend_chunk, needs_no_repair
from backends.chat.errors import late_error_of, quoted_text
from backends.chat.fields import (
    REASONING_FIELDS,
    USAGE,
    choices_of,
    delta_of,
    features_of,
    index_of,
    json_or_none,
    message_extension,
    reply_extension,
    stop_extension,
    tokens_of,
    usage_of,
)
from backends.chat.heads import Heads
from backends.chat.large import LARGE
from backends.chat.logprobs import WaitingLogprobs, logprobs_of
from backends.chat.passthrough import FrameTemplate, template_of
from converters.text.events import CallEnd, Reasoning, Text
from errors import Interrupted, Refused, Unreadable
from reply import (
    NO_FEATURES,
    ChoiceEvent,
    Extension,
    Failure,
    Features,
    Finish,
    Notes,
    ReplyEvent,
    Step,
    Usage,
)
from turns import Turns
from wire import lossless_json
from wire.json_values import spelled_whole
from wire.sse import comments_of, data_of, frame_of

_TEXTS = frozenset({"content", *REASONING_FIELDS})

_MOST_FRAMES = 1 << 20
"""Bytes of frames that are kept whole while their text is held: behind that, it leaves in frames of our own."""
_MOST_FIELDS = 10_000
"""Fields that nobody interprets, of frames whose text is held."""
_FIELDS = (b"event", b"id", b"retry", b"data")
"""What the lines of an event begin with."""


class ChunkReader:
    """`read` each frame, then `finish`; or `release` what was held, if the stream broke off."""

    def __init__(
        self,
        choices: Choices,
        notes: Notes,
        several: bool,
        is_call: Callable[[str], bool],
        tells_unreadable: bool = False,
    ) -> None:
        """`several`: more than one choice was asked for. `is_call` tells whether a text holds only whole calls."""
        self._tells_unreadable = tells_unreadable
        self._choices = choices
        self._notes = notes
        self._several = several
        self._is_call = is_call
        self._held: list[bytes] = []  # frames whose text is still held, whole
        self._held_features: Features = NO_FEATURES
        self._waiting = 0  # bytes of the frames since the last one whose text left
        self._unchecked = 0  # bytes of the frames since it was last counted how much all choices hold
        self._held_fields: list[ChoiceEvent] = []  # fields of theirs that nobody interprets
        self._late: list[Step] = []  # usage that came before the end of a choice
        self._mixed = False  # part of a held frame's text has left already
        self._logprobs = WaitingLogprobs()
        self._heads = Heads(choices, notes)
        self.template: FrameTemplate | None = None
        """The template of frames that bring more of the text of the last one; None if that brought anything else."""
        self.begun = False
        """A frame with data was read."""
        self.done = False
        """`[DONE]` was read, or an error in its place."""
        self.failed = False
        """The backend reported an error."""
        self.strange = False
        """Something was read that is no event."""

    @property
    def idle(self) -> bool:
        """Nothing is held, so that text may bypass this reader."""
        return not (self.done or self._held or self._held_fields)

    def passed(self) -> None:
        """Note that text has bypassed this reader; the parser may hold white space since."""
        self._mixed = self._choices.holds

    def read(self, frame: bytes) -> list[Step]:
        template = self.template
        if template is not None and not self._choices[template.index].finished:
            text = template.text_of(frame)
            if text is not None:
                return self._read_text(frame, template, text)
        data = data_of(frame)
        if data is None:
            return self._without_data(frame)
        if data.strip() == "[DONE]":
            self.done = True
            return []
        chunk = json_or_none(data)
        if not isinstance(chunk, dict):
            return [Step(frame)]
        if chunk.get("error") and not chunk.get("choices"):
            return self._failed(frame, chunk)
        self.begun = True
        if not choices_of(chunk):
            return self._beside_choices(frame, chunk)
        return self._read_chunk(*self._mended(frame, data, chunk))

    def finish(self) -> list[Step]:
        """End the stream: finish the choices that the backend did not finish."""
        late, self._late = self._late, []
        return [*self._ended(lambda reader: reader.finish(None).events), *late]

    def interrupted(self) -> list[Step]:
        """The body ended, but no choice did: it was cut, however well its framing ended. Nothing is closed."""
        failure = Interrupted("The backend's answer ended before the model had finished.")
        self.failed = True
        return [*self.release(), Step(None, [(0, Failure(failure.info, failure.code))])]

    def release(self) -> list[Step]:
        """Emit what was held after the stream broke off. No choice is finished."""
        return self._ended(lambda reader: list(reader.end_text(cut=True)))

    # -- what a frame can be -----------------------------------------------------------------------------------------

    def _failed(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        """An error event, or the call that it quotes because the server could not parse it. Raises Refused."""
        first, self.begun, self.done = not self.begun, True, True
        body = spelled_whole(chunk, Turns()) if len(frame) > LARGE else json.dumps(chunk).encode()
        text = quoted_text(body)
        if text is not None and not self._choices[0].called and self._is_call(text):
            self._notes.repair("error_recovered")
            delta = self._read_choice(0, {"delta": {"content": text}, "finish_reason": "stop"}, {})
            return self._rendered([(0, event) for event in delta.events])
        error = late_error_of(body)
        if first:
            raise Refused(error)  # nothing was said, so it can still be an error reply
        self.failed = True
        raw = None if error.raw is None else frame
        return [*self.release(), Step(raw, [(0, Failure(error))])]

    def _without_data(self, frame: bytes) -> list[Step]:
        """Keep only the comments: an event without data breaks most clients."""
        if frame.isspace():
            return []
        comments = comments_of(frame)
        lines = [line for line in frame.splitlines() if line and not line.startswith(b":")]
        if lines:
            self._notes.repair("event_without_data")
        self.strange = self.strange or not all(line.startswith(_FIELDS) for line in lines)
        return [Step(comments)] if comments else []

    def _beside_choices(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        """A chunk without choices. Usage comes last: before a choice has finished, it waits for the end."""
        if (counts := usage_of(chunk)) is None:
            return [Step(frame)]
        self._notes.tokens = tokens_of(counts)
        usage = Step(frame, [(0, Usage(counts))], USAGE)
        if next(self._choices.open, None) is None:
            return [usage]
        self._late.append(usage)
        return []

    def _mended(self, frame: bytes, data: str, chunk: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """Repair the envelope of a chunk; returns (the frame of the repaired chunk, the chunk)."""
        codes = set() if needs_no_repair(chunk) else mend_chunk(chunk, self._several)
        if not codes:
            return frame, chunk
        for code in codes:
            self._notes.repair(code)
        if len(frame) > LARGE:
            return comments_of(frame) + frame_of(spelled_whole(chunk, Turns()).decode()), chunk
        whole = lossless_json.loads(data)
        mend_chunk(whole, self._several)
        return comments_of(frame) + frame_of(lossless_json.dumps(whole)), chunk

    def _read_chunk(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        choices = choices_of(chunk)
        as_received = len({index_of(choice) for choice in choices}) == len(choices)
        features = NO_FEATURES
        events: list[ChoiceEvent] = []
        for choice in choices:
            index = index_of(choice)
            if self._choices[index].finished:
                self._notes.repair("finish_reason")
                as_received = False
            self._heads.see(choice, chunk)
            delta = self._read_choice(index, choice, chunk)
            same = says_the_same(choice, delta)
            leaves = self._choices[index].lets_go(delta)
            beside = self._logprobs.of_frame(index, choice, as_received=same, text_leaves=leaves)
            events += [(index, event) for event in ([beside, *delta.events] if beside else delta.events)]
            as_received = as_received and same
            features |= features_of(delta_of(choice), choice.get("finish_reason"))
        self.template = self._template_of(frame, chunk, choices)
        fields = [(index_of(each), found) for each in choices if (found := message_extension(delta_of(each)))]
        usage: list[ChoiceEvent] = []
        if (counts := usage_of(chunk)) is not None:
            self._notes.tokens = tokens_of(counts)
            usage.append((0, Usage(counts)))
        if len(choices) == 1 and not (as_received and not self._mixed) and self._brings_only_calls(choices[0], delta):
            text: list[ChoiceEvent] = [(index, event) for event in delta.text]
            native: list[ChoiceEvent] = [(index, event) for event in delta.native]
            before = self._rendered(text)
            return [*before, Step(frame, [*self._heads.taken(), *fields, *native, *usage], features)]
        self._held_fields += fields
        return self._steps(frame, events, usage, as_received, features)

    def _read_text(self, frame: bytes, template: FrameTemplate, text: str) -> list[Step]:
        """Read a frame that fits the template and brings nothing but text."""
        index = template.index
        delta = self._choices[index].read({template.field: text})
        events = delta.text
        as_received = delta.text_as_received and all(is_text(event, template.reasoning) for event in events)
        return self._steps(frame, [(index, event) for event in events], [], as_received, template.features)

    def _read_choice(self, index: int, choice: Mapping[str, Any], chunk: Mapping[str, Any]) -> Delta:
        reader = self._choices[index]
        delta = reader.read(delta_of(choice))
        reason = choice.get("finish_reason")
        if not reason:
            return delta
        reader.finish(reason, delta)
        beside = [each for each in (stop_extension(choice), reply_extension(chunk)) if each is not None]
        if beside and isinstance(delta.last[-1] if delta.last else None, Finish):
            delta.last = [*delta.last[:-1], *beside, delta.last[-1]]
        return delta

    def _brings_only_calls(self, choice: Mapping[str, Any], delta: Delta) -> bool:
        """Whether a chunk holds nothing but valid calls, so that its bytes may follow rewritten text."""
        said = delta_of(choice)
        texts = any(said.get(name) for name in _TEXTS)
        return bool(
            delta.native
            and delta.native_as_received
            and not (texts or choice.get("finish_reason") or self._choices.holds)
        )

    def _steps(
        self,
        frame: bytes,
        events: list[ChoiceEvent],
        usage: list[ChoiceEvent],
        as_received: bool,
        features: Features,
    ) -> list[Step]:
        pending = self._choices.holds
        self._waits(frame, pending and not events)
        if as_received and not self._mixed:
            self._held.append(frame)
            self._held_features |= features
            if pending and not events:
                return []
            if not pending:
                raw, features = b"".join(self._held), self._held_features
                missing, heads = self._heads.missing(), self._heads.taken()
                step = Step(raw, [*heads, *self._held_fields, *events, *usage], features)
                self._let_go()
                return [*missing, step]
        steps = self._rendered([*events, *usage])
        self._mixed = pending
        return steps

    def _waits(self, frame: bytes, waits: bool) -> None:
        """Bound what waits: frames are kept up to 1 MiB, then their text alone. Raises TooMuch for more of it."""
        self._unchecked += len(frame)
        if self._unchecked > _MOST_FRAMES:
            self._unchecked = 0
            if self._choices.pending > MOST_HELD:
                self._hold_no_more()
        self._waiting = self._waiting + len(frame) if waits else 0
        if self._waiting > _MOST_FRAMES:
            self._held.clear()
            self._held_features = NO_FEATURES
            self._mixed = True
        if self._waiting > MOST_HELD or len(self._held_fields) > _MOST_FIELDS:
            self._hold_no_more()

    def _hold_no_more(self) -> NoReturn:
        self._let_go()
        self._logprobs = WaitingLogprobs()
        self._choices.hold_no_more()

    def _rendered(self, events: list[ChoiceEvent]) -> list[Step]:
        """The step that a writer must write from events; what was held comes first. Empty without events."""
        events = [*self._held_fields, *events]
        if not self._tells_unreadable:
            events = readable(events)
        self.failed = self.failed or (bool(events) and isinstance(events[-1][1], Failure))
        self.done = self.done or self.failed
        self._let_go()
        self._mixed = False
        if not events:
            return []
        return [*self._heads.missing(), Step(None, [*self._heads.taken(), *events])]

    def _template_of(
        self, frame: bytes, chunk: Mapping[str, Any], choices: list[dict[str, Any]]
    ) -> FrameTemplate | None:
        """The template of a frame that brings nothing but text; None for any other."""
        choice = choices[0]
        said = {name: value for name, value in delta_of(choice).items() if value is not None}
        if len(choices) > 1 or len(said) != 1 or choice.get("finish_reason") or chunk.get("usage"):
            return None
        if logprobs_of(choice) is not None:
            return None  # each token has its own
        field, text = said.popitem()
        if field not in _TEXTS or not isinstance(text, str):
            return None
        return template_of(frame, text, index_of(choice), field)

    def _let_go(self) -> None:
        """Forget the held frames: they were sent, or their events were."""
        self._held.clear()
        self._held_features = NO_FEATURES
        self._held_fields.clear()

    def _ended(self, end: Callable[[ChoiceReader], Sequence[ReplyEvent]]) -> list[Step]:
        return self._rendered([(index, event) for index, reader in self._choices.open for event in end(reader)])


def readable(events: list[ChoiceEvent]) -> list[ChoiceEvent]:
    """The events of a stream up to a call whose arguments cannot be read, and a Failure in place of the others.

    The client has the beginning of its arguments, and must not take them for all.
    """
    failure = Unreadable()
    for place, (_, event) in enumerate(events):
        if isinstance(event, CallEnd) and event.how == "unreadable":
            return [*events[:place], (0, Failure(failure.info, failure.code))]
    return events


def is_text(event: ReplyEvent, reasoning: bool) -> bool:
    """Whether an event says just what the text of its delta says."""
    if isinstance(event, Text | Reasoning):
        return not event.restored and isinstance(event, Reasoning) == reasoning
    return isinstance(event, Extension)


def says_the_same(choice: Mapping[str, Any], delta: Delta) -> bool:
    """Whether events say just what the received choice says, apart from text that is still held."""
    if not (delta.native_as_received and delta.text_as_received):
        return False
    said = choice.get("delta") or choice.get("message") or {}
    for event in (*delta.text, *delta.last_text):
        if isinstance(event, Text | Reasoning):
            split = any(said.get(name) for name in REASONING_FIELDS)
            if event.restored or (isinstance(event, Reasoning) and not split):
                return False
        elif not isinstance(event, Extension):
            return False
    last = delta.last[-1] if delta.last else None
    return not isinstance(last, Finish) or last.reason == canonical_reason(choice.get("finish_reason"))
