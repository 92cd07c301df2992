"""A backend's chat reply to steps: what each choice means, and the bytes it came in while they need no change.

A buffered reply is read as a stream of one delta. A reader does not know which dialect will write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backends.chat.choice import REASONING_FIELDS, ChoiceReader
from backends.chat.envelope import is_whole, mend_chunk, mend_reply
from backends.chat.errors import Refused, error_frame, quoted_text
from backends.chat.native_calls import NativeCalls
from backends.chat.passthrough import Calm, FrameTemplate, template_of
from converters.stages.pipeline import Pipeline
from converters.text.events import CallEnd, CallStart, Reasoning, Text
from converters.text.expectations import Expectations
from dialects.protocol import ChatRequest, ChoiceEvent, Finish, Ids, Native, ReplyEvent, Step, Trailer
from streaming.record import ExchangeRecord
from wire import lossless_json
from wire.sse import comments_of, data_of, frame_of

_TEXTS = frozenset({"content", *REASONING_FIELDS})
_READ = frozenset({"role", "content", "tool_calls", "function_call", *REASONING_FIELDS})
_ANY = ChatRequest(body={}, model="", stream=True, expectations=Expectations(), include_usage=True)


class ReplyReader:
    """The reply of one backend: frames of a stream, or one whole body, to steps."""

    def __init__(
        self,
        new_parser: Callable[[], Pipeline],
        exchange: ExchangeRecord,
        wanted: tuple[str, ...],
        request: ChatRequest = _ANY,
    ) -> None:
        """`wanted` names the fields in which the client wants reasoning."""
        self._new_parser = new_parser
        self._request = request
        self._ids = Ids(request.ids)
        self._apart = request.choices > 1
        self._exchange = exchange
        self._wanted = wanted
        self._choices: dict[int, ChoiceReader] = {}
        self._held: list[bytes] = []  # frames whose text is still held, whole
        self._held_fields: list[ChoiceEvent] = []  # what else stood in their deltas
        self._mixed = False  # part of a held frame's text has left already
        self._top: Mapping[str, Any] = {}
        self._mould: FrameTemplate | None = None
        self.begun = False
        """Something that means something was read."""
        self.done = False
        """[DONE] was read, or an error in its place."""

    @property
    def splits(self) -> bool:
        """The server was seen to tell reasoning from text itself."""
        return any(choice.splits for choice in self._choices.values())

    def all_finished(self, choices: int) -> bool:
        """Whether so many choices have begun, and all of them have their finish reason."""
        return len(self._choices) >= choices and all(choice.finished for choice in self._choices.values())

    # -- streamed ----------------------------------------------------------------------------------------------------

    def flow(self, block: bytes) -> bytes | None:
        """What leaves of whole frames that bring nothing but text: mostly all, as it came. None if they must be read.

        Then they count as read.
        """
        mould = self._mould
        if mould is None or not mould.wanted or self.done or self._held or self._held_fields:
            return None
        text = mould.text_of(block)
        if text is not None and text[-1].isspace() and mould.blank(block):
            return None  # a frame that is held is held whole, and leaves as it came if no call follows
        edges = self._choices[mould.index].flow(text, mould.reasoning) if text is not None else None
        if text is None or edges is None:
            return None
        if not any(edges):
            return block
        self._mixed = any(reader.holds for reader in self._choices.values())
        return mould.with_edges(block, text, *edges)

    def alike(self, frames: Sequence[bytes], place: int) -> int:
        """How many frames from a place on bring more of the same text, so that they may flow together.

        The last of them holds more than white space, if any does.
        """
        if self._mould is None:
            return 0
        fits = self._mould.fits
        end = next((end for end in range(place, len(frames)) if not fits(frames[end])), len(frames))
        last = next((last for last in range(end, place, -1) if not self._mould.blank(frames[last - 1])), end)
        return last - place

    @property
    def calm(self) -> Calm | None:
        """Behind a block that flowed: takes more of the same without us, if there is such."""
        return self._choices[self._mould.index].calm(self._mould) if self._mould else None

    def read_frame(self, frame: bytes) -> list[Step]:
        mould = self._mould
        text = mould.text_of(frame) if mould and not self._choices[mould.index].finished else None
        if text is not None and mould is not None:
            return self._read_text(frame, mould, text)
        data = data_of(frame)
        if data is None:
            return self._without_data(frame)
        if data.strip() == "[DONE]":
            self.done = True
            return []
        chunk = _parsed(data)
        if chunk is None:
            return [Step(frame)]
        if chunk.get("error") and not chunk.get("choices"):
            return self._failed(frame, chunk)
        self.begun = True
        if not _choices(chunk):
            return self._beside_choices(frame, chunk)
        return self._read_chunk(*self._mended(frame, data, chunk))

    def _failed(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        """The server's own error event; if it quotes a call that it could not read, the answer goes on with that."""
        first, self.begun, self.done = not self.begun, True, True
        text = quoted_text(json.dumps(chunk).encode())
        if text is not None and not self._choice(0).called and self._is_call(text):
            self._exchange.repair("error_recovered")
            events = self._read_choice(0, {"delta": {"content": text}, "finish_reason": "stop"})
            self._let_go()
            return [*self._told_role([]), Step(None, [(0, event) for event in events], self._top)]
        if first:
            raise Refused(200, json.dumps(chunk).encode())  # nothing was said, so it can still be an error reply
        self._exchange.error = "backend_error"
        return [*self.release(), Step(error_frame(frame, chunk))]

    def recovered(self, body: bytes) -> dict[str, Any] | None:
        """The reply that an error should have been: the backend could not read a call of its model's, but quotes it."""
        text = quoted_text(body)
        if text is None or not self._is_call(text):
            return None
        self._exchange.repair("error_recovered")
        message = {"role": "assistant", "content": text}
        unknown = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)  # clients need some usage
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": unknown}

    def _is_call(self, text: str) -> bool:
        """Whether a text holds calls, all of them with their ends and of declared tools: an error may quote less."""
        parser = self._new_parser()
        events = parser.feed(text) + parser.finish(cut=True)
        names = [event.name for event in events if isinstance(event, CallStart)]
        whole = all(event.how == "complete" for event in events if isinstance(event, CallEnd))
        return bool(names) and whole and set(names) <= set(self._request.expectations.tools)

    def _without_data(self, frame: bytes) -> list[Step]:
        """An event without data breaks most clients; a comment breaks none."""
        comments = comments_of(frame)
        if any(line and not line.startswith(b":") for line in frame.splitlines()):
            self._exchange.repair("event_without_data")
        return [Step(comments)] if comments else []

    def _beside_choices(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        """Usage comes last, so nothing will be said any more; it goes to a client that asked."""
        if not chunk.get("usage"):
            return [Step(frame, top=chunk)]
        return [*self.finish(), *([Step(frame, top=chunk)] if self._request.include_usage else [])]

    def _mended(self, frame: bytes, data: str, chunk: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """The chunk with what clients need around its words, and the frame that says just that."""
        codes = set() if is_whole(chunk) else mend_chunk(chunk, self._apart)
        if not codes:
            return frame, chunk
        for code in codes:
            self._exchange.repair(code)
        whole = lossless_json.read(data)
        mend_chunk(whole, self._apart)
        return comments_of(frame) + frame_of(lossless_json.written(whole)), chunk

    def _read_chunk(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        choices = _choices(chunk)
        top = {name: value for name, value in chunk.items() if name != "choices"}  # this is kept as long as the stream
        if not self._top:
            self._top = top
        events: list[ChoiceEvent] = []
        as_received = len(choices) == 1 or len({_index(choice) for choice in choices}) == len(choices)
        for choice in choices:
            index = _index(choice)
            if self._choice(index).finished:
                self._exchange.repair("finish_reason")
                as_received = False
            read = self._read_choice(index, choice)
            events += [(index, event) for event in read]
            as_received = as_received and self._is_as_received(choice, read)
        self._mould = self._mould_of(frame, top, choices)
        return self._steps(frame, top, choices, events, as_received)

    def _read_text(self, frame: bytes, mould: FrameTemplate, text: str) -> list[Step]:
        """A frame that brings nothing but text."""
        events = self._choices[mould.index].read({mould.field: text})
        as_received = all(self._passes(event, mould) for event in events)
        return self._steps(frame, mould.chunk, [], [(mould.index, event) for event in events], as_received)

    def _passes(self, event: ReplyEvent, mould: FrameTemplate) -> bool:
        """Whether an event of a text says just what its delta does."""
        if isinstance(event, Text | Reasoning):
            return not event.restored and isinstance(event, Reasoning) == mould.reasoning and mould.wanted
        return isinstance(event, Native)

    def _read_choice(self, index: int, choice: Mapping[str, Any]) -> list[ReplyEvent]:
        reader = self._choice(index)
        delta = _delta(choice)
        events = reader.read(delta)
        reason = choice.get("finish_reason")
        if reason:
            events += reader.finish(reason)
        return events

    def _is_as_received(self, choice: Mapping[str, Any], events: list[ReplyEvent]) -> bool:
        """Whether the events say just what the choice says, but for text that is still held."""
        delta = _delta(choice)
        for event in events:
            match event:
                case Finish(reason=reason):
                    same = self._told(reason) == choice.get("finish_reason")
                case Text(restored=again):
                    same = not again
                case Reasoning(restored=again):
                    same = not again and tuple(name for name in REASONING_FIELDS if delta.get(name)) == self._wanted
                case Native():
                    same = True
                case _:
                    same = False
            if not same:
                return False
        return True

    def _steps(
        self,
        frame: bytes,
        chunk: Mapping[str, Any],
        choices: list[dict[str, Any]],
        events: list[ChoiceEvent],
        as_received: bool,
    ) -> list[Step]:
        owed = any(reader.holds for reader in self._choices.values())
        self._held_fields += [(_index(each), Native(other)) for each in choices if (other := _other_fields(each))]
        if as_received and not self._mixed:
            self._held.append(frame)
            if owed and not events:
                return []
            if not owed:
                raw = b"".join(self._held)
                self._let_go()
                return [*self._told_role(choices), Step(raw, events, chunk)]
        events = [*self._held_fields, *events]
        self._let_go()
        self._mixed = owed
        trailer: list[ChoiceEvent] = [(0, Trailer())] if chunk.get("usage") else []
        if not events:
            return [Step(None, trailer, chunk)] if trailer else []
        return [*self._told_role([]), Step(None, [*events, *trailer], chunk)]

    def _mould_of(self, frame: bytes, chunk: Mapping[str, Any], choices: list[dict[str, Any]]) -> FrameTemplate | None:
        """What frames look like that bring more of the same, if this one brings nothing but text."""
        choice = choices[0]
        said = {name: value for name, value in _delta(choice).items() if value is not None}
        if len(choices) > 1 or len(said) != 1 or choice.get("finish_reason") or chunk.get("usage"):
            return None
        field, text = said.popitem()
        if field not in _TEXTS or not isinstance(text, str):
            return None
        wanted = field == "content" or self._wanted == (field,)
        return template_of(frame, text, _index(choice), field, wanted, chunk)

    def _let_go(self) -> None:
        """Nothing that was read is held any more, or what is left of it leaves in other frames."""
        self._held.clear()
        self._held_fields.clear()

    def _told_role(self, choices: list[dict[str, Any]]) -> list[Step]:
        """A step that tells the role of choices that have not been told it, and are not in what is sent now."""
        for choice in choices:
            if _delta(choice).get("role"):
                self._choice(_index(choice)).role_told = True
        if all(reader.role_told for reader in self._choices.values()):
            return []
        self._exchange.repair("role_missing")
        return self._tell_roles()

    def _tell_roles(self) -> list[Step]:
        """For the choices whose role the client has not been told."""
        untold = [(index, reader) for index, reader in sorted(self._choices.items()) if not reader.role_told]
        for _, reader in untold:
            reader.role_told = True
        role = Native({"role": "assistant", "content": ""})
        return [Step(None, [(index, role) for index, _ in untold], self._top)] if untold else []

    def finish(self) -> list[Step]:
        """The stream is over: choices that the backend did not finish are finished here."""
        return self._ended(lambda reader: reader.finish(None))

    def release(self) -> list[Step]:
        """The stream broke off: what was held is let go, and no choice is finished."""
        return self._ended(lambda reader: [*reader.end_text(cut=True)])

    def _ended(self, end: Callable[[ChoiceReader], list[ReplyEvent]]) -> list[Step]:
        open_choices = [(index, reader) for index, reader in sorted(self._choices.items()) if not reader.finished]
        events = [(index, event) for index, reader in open_choices for event in end(reader)]
        events = [*self._held_fields, *events]
        self._let_go()
        if not events:
            return []
        return [*self._told_role([]), Step(None, events, self._top)]

    # -- buffered ----------------------------------------------------------------------------------------------------

    def read_whole(self, reply: dict[str, Any]) -> tuple[list[Step], bool]:
        """The steps of a whole reply, and whether they say anything else than it does."""
        codes = mend_reply(reply, self._request.model, self._apart)
        for code in codes:
            self._exchange.repair(code)
        steps, changed = self._read_whole(reply)
        return steps, changed or bool(codes)

    def _read_whole(self, reply: Mapping[str, Any]) -> tuple[list[Step], bool]:
        events: list[ChoiceEvent] = []
        changed = False
        for choice in _choices(reply):
            message = choice.get("message")
            if not isinstance(message, dict):
                continue
            if not message.get("role"):
                self._exchange.repair("role_missing")
            reader = self._choice(_index(choice))
            read = [*reader.read(message, whole=True), *reader.finish(choice.get("finish_reason"))]
            events += [(_index(choice), event) for event in read]
            changed = changed or self._changes(choice, read)
        return [Step(None, events, reply)], changed

    def stream_whole(self, reply: dict[str, Any]) -> list[Step]:
        """The steps of a whole reply that is sent on as a stream."""
        steps, _ = self.read_whole(reply)
        trailer = [Step(None, [(0, Trailer())], reply)] if reply.get("usage") else []
        self._top = reply
        return [*self._tell_roles(), *steps, *trailer]

    def _changes(self, choice: Mapping[str, Any], events: list[ReplyEvent]) -> bool:
        message = choice["message"]
        said = "".join(event.text for event in events if isinstance(event, Text))
        as_received = self._is_as_received({**choice, "delta": message}, events)
        return not as_received or said != (message.get("content") or "") or not message.get("role")

    def _told(self, reason: str) -> str:
        """A finish reason as the client that asked is told it."""
        return "function_call" if self._request.legacy and reason == "tool_calls" else reason

    def _choice(self, index: int) -> ChoiceReader:
        if index not in self._choices:
            native = NativeCalls(self._request.expectations, self._ids, self._request.legacy)
            keeps = self._wanted == ("content",)
            self._choices[index] = ChoiceReader(self._new_parser, native, self._exchange, keeps)
        return self._choices[index]


def _parsed(data: str) -> dict[str, Any] | None:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return chunk if isinstance(chunk, dict) else None


def _choices(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = chunk.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _index(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _delta(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else {}


def _other_fields(choice: Mapping[str, Any]) -> dict[str, Any]:
    """What a delta holds besides what we read: it must not be lost when its frame is."""
    delta = _delta(choice)
    return {name: value for name, value in delta.items() if name not in _READ and value is not None}
