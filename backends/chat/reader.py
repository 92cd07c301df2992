"""A backend's chat completions, streamed or whole, to the neutral reply. It does not know which dialect will write.

A buffered reply is read as a stream of one delta.
"""

from __future__ import annotations

from collections.abc import Sequence

from backends.chat.choices import Choices
from backends.chat.chunks import ChunkReader
from backends.chat.errors import chat_completion, error_of, is_error, late_error_of, quoted_text
from backends.chat.passthrough import Calm
from backends.chat.whole import WholeReader
from backends.protocol import Passthrough, ReceivesPassthrough, ReplyContext
from converters.text.events import CallEnd, CallStart, Reasoning, Text
from errors import BackendError, ErrorInfo, Interrupted, Refused
from reply import Notes, Reply, Step
from wire.sse import Frames, data_of, frames_of, is_torn


class ChatReplyReader:
    """The ReplyReader of `/v1/chat/completions`."""

    wire = "chat.completions"

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self.notes = Notes()
        several = context.choices > 1
        self._choices = Choices(context, self.notes)
        self._chunks = ChunkReader(self._choices, self.notes, several, self._is_call)
        self._whole = WholeReader(self._choices, self.notes, several, context.model)
        self._frames = Frames()
        self._unread = b""  # frames that can wait until the first words have left
        self._spoken = False  # those have been read
        self._flowed = False  # the last block passed, so that more of it may

    @property
    def done(self) -> bool:
        return self._chunks.done

    @property
    def unread(self) -> bool:
        return bool(self._unread)

    # -- streamed ----------------------------------------------------------------------------------------------------

    def read(self, data: bytes) -> Sequence[Step]:
        """The first words of all are returned at once: what came behind them is read by the next call."""
        block, self._unread = self._unread + self._frames.take(data), b""
        return self._read_block(block)

    def _read_block(self, block: bytes) -> list[Step]:
        flowing = self._flow(block)
        self._flowed = flowing is not None
        return self._read_frames(frames_of(block)) if flowing is None else [flowing]

    def _read_frames(self, frames: list[bytes]) -> list[Step]:
        steps: list[Step] = []
        place = 0
        while place < len(frames) and not self.done:
            before, alike = len(steps), self._alike(frames, place)
            some = frames[place : place + max(alike, 1)]
            # all of them, and one alone, have been tried
            flowing = self._flow(b"".join(some)) if 1 < alike < len(frames) else None
            if flowing is not None:
                steps.append(flowing)
            for frame in some if flowing is None else ():
                steps += self._chunks.read(frame)
            place += len(some)
            if not (self._spoken or self.done) and place < len(frames) and any(map(_has_words, steps[before:])):
                self._spoken, self._unread = True, b"".join(frames[place:])
                return steps
        if self.done and frames and not self._chunks.failed:
            steps += self._chunks.finish()
        return steps

    def finish(self) -> Sequence[Step]:
        last = self._frames.finish()
        if is_torn(last) and not last.lstrip().startswith(b"{"):
            if not self._choices.all_finished:
                raise Interrupted("The backend's answer broke off in the middle of an event.")
            last = b""
        if last.strip():
            last = last.rstrip(b"\r\n") + b"\n\n"  # the blank line that the backend left out
        if not self._chunks.begun and last.lstrip().startswith(b"{"):
            return self.stream_whole(last)
        steps = self._read_frames([last] if last.strip() else [])
        if not self._chunks.begun:
            raise Interrupted("The backend ended its answer without saying anything.")
        if not self.done:
            steps += self._chunks.finish()
            self._chunks.done = True
        return steps

    def broken_off(self) -> Sequence[Step] | None:
        if not self._choices.all_finished:
            return None
        self._chunks.done = True
        return self._chunks.finish()

    def release(self) -> Sequence[Step]:
        return self._chunks.release()

    # -- the short way -----------------------------------------------------------------------------------------------

    def passthrough(self, writer: ReceivesPassthrough) -> Passthrough | None:
        template = self._chunks.template
        if not self._flowed or template is None or not self._frames.empty or not writer.accepts(template.features):
            return None
        calm: Calm | None = self._choices[template.index].calm(template)
        return calm

    def _flow(self, block: bytes) -> Step | None:
        """Whole frames that bring nothing but text, mostly as they came. None if they must be read."""
        template = self._chunks.template
        if template is None or not self._chunks.idle:
            return None
        text = template.text_of(block)
        if text is None or (text[-1].isspace() and template.blank(block)):
            return None  # a frame that is held is held whole, and leaves as it came if no call follows
        edges = self._choices[template.index].flow(text, template.reasoning)
        if edges is None:
            return None
        lead, tail = edges
        if lead or tail:
            self._chunks.passed()
            block = template.with_edges(block, text, lead, tail)
            text = lead + text[: len(text) - len(tail)]
        event = Reasoning(text) if template.reasoning else Text(text)
        return Step(block, [(template.index, event)], template.features)

    def _alike(self, frames: Sequence[bytes], place: int) -> int:
        """How many frames from a place on bring more of the same text, so that they may flow together.

        The last of them holds more than white space, if any does.
        """
        template = self._chunks.template
        if template is None:
            return 0
        end = next((end for end in range(place, len(frames)) if not template.fits(frames[end])), len(frames))
        last = next((last for last in range(end, place, -1) if not template.blank(frames[last - 1])), end)
        return last - place

    # -- whole -------------------------------------------------------------------------------------------------------

    def read_whole(self, body: bytes) -> Reply:
        self._chunks.done = True
        found = chat_completion(body)
        if found is not None:
            return self._whole.read(found, body)
        if not is_error(body):
            return Reply(body)
        reply = self._quoted_reply(body)
        if reply is None:
            raise Refused(error_of(BackendError.status, body))
        return reply

    def stream_whole(self, body: bytes) -> Sequence[Step]:
        if chat_completion(body) is None and not is_error(body) and data_of(body) is not None:
            self._spoken = True  # a stream after all, whatever it is called; and all of it is here
            steps = self._read_block(self._frames.take(body))
            return steps if self.done else [*steps, *self.finish()]
        self._chunks.done = True
        found = chat_completion(body)
        reply = self._quoted_reply(body) if found is None else self._whole.read(found, body)
        if reply is None:
            raise Refused(late_error_of(BackendError.status, body))
        return [Step(None, reply.events)]

    def read_refusal(self, status: int, body: bytes) -> Reply | ErrorInfo:
        return self._quoted_reply(body) or error_of(status, body)

    def _quoted_reply(self, body: bytes) -> Reply | None:
        """The reply that an error should have been: the backend could not read a call of its model's, but quotes it."""
        text = quoted_text(body)
        if text is None or not self._is_call(text):
            return None
        self._chunks.done = True
        self.notes.repair("error_recovered")
        message = {"role": "assistant", "content": text}
        unknown = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)  # clients need some usage
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return self._whole.read({"choices": [choice], "usage": unknown}, None)

    def _is_call(self, text: str) -> bool:
        """Whether a text holds calls, all of them with their ends and of declared tools: an error may quote less."""
        parser = self._context.new_parser()
        events = parser.feed(text) + parser.finish(cut=True)
        names = [event.name for event in events if isinstance(event, CallStart)]
        whole = all(event.how == "complete" for event in events if isinstance(event, CallEnd))
        return bool(names) and whole and set(names) <= set(self._context.expectations.tools)


def _has_words(step: Step) -> bool:
    """Whether a step says something that a person or a program waits for: of a call, its name does."""
    return any(isinstance(event, Text | Reasoning | CallStart) for _, event in step.events)
