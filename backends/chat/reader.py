"""A backend's chat completions, streamed or whole, to the neutral reply. It does not know which dialect will write.

A buffered reply is read as a stream of one delta.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial

from backends.chat.choices import Choices
from backends.chat.chunks import ChunkReader, readable
from backends.chat.errors import chat_completion, error_of, is_error, late_error_of, quoted_text
from backends.chat.fields import json_or_none
from backends.chat.large import pieces_of
from backends.chat.passthrough import LeasedFrames, ReceivedFrames, WrittenFrames
from backends.chat.whole import WholeReader
from backends.protocol import PassingWriter, Passthrough, ReplyContext
from converters.text.events import CallEnd, CallStart, Reasoning, Text
from errors import BackendError, ErrorInfo, Interrupted, NotAnApi, Refused
from reply import Notes, Reply, Step
from turns import MANY, Turns
from wire.sse import Frames, data_of, frames_of, is_torn

_LONG = 1 << 17
"""Bytes of a body that takes milliseconds to become objects."""


class ChatReplyReader:
    """The ReplyReader of `/v1/chat/completions`."""

    wire = "chat.completions"

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self.notes = Notes()
        self._choices = Choices(context, self.notes)
        # No method of ours: if anything here referred to us, only the garbage collector would free a request's objects.
        self._is_call = partial(_holds_calls, context)
        self._frames = Frames()
        self._unread = b""  # frames that can wait until the first words have left
        self._spoken = False  # those have been read
        self._lent = False  # a passthrough was given away, so that text may have passed by
        self._was_whole = False  # the answer was no stream

    @cached_property
    def _chunks(self) -> ChunkReader:
        context = self._context
        return ChunkReader(self._choices, self.notes, context.choices > 1, self._is_call, context.tells_unreadable)

    @cached_property
    def _whole(self) -> WholeReader:
        return WholeReader(self._choices, self.notes, self._context.choices > 1, self._context.model)

    @property
    def done(self) -> bool:
        return self._was_whole or self._chunks.done

    @property
    def unread(self) -> bool:
        return bool(self._unread)

    # -- streamed ----------------------------------------------------------------------------------------------------

    def read(self, data: bytes) -> Sequence[Step]:
        """Read more of a stream. The first words return at once; what came with them waits (`unread`)."""
        block, self._unread = self._unread + self._frames.take(data), b""
        return self._read_block(block)

    def _read_block(self, block: bytes) -> list[Step]:
        self._settle()
        step = self._take(block)
        return self._read_frames(frames_of(block)) if step is None else [step]

    def _read_frames(self, frames: list[bytes]) -> list[Step]:
        steps: list[Step] = []
        turns = Turns() if len(frames) > MANY else None
        pos = 0
        while pos < len(frames) and not self.done:
            if turns is not None:
                turns.take()
            before = len(steps)
            alike = frames[pos : pos + self._run_length(frames, pos)]
            # `_read_block` has tried all of them, and one alone costs the same
            step = self._take(b"".join(alike)) if 1 < len(alike) < len(frames) else None
            if step is not None:
                steps.append(step)
            for frame in alike if step is None else ():
                steps += self._chunks.read(frame)
            pos += len(alike)
            if not (self._spoken or self.done) and pos < len(frames) and any(map(_has_words, steps[before:])):
                self._spoken, self._unread = True, b"".join(frames[pos:])
                return steps
        if self.done and frames and not self._chunks.failed:
            steps += self._chunks.finish()
        return steps

    def finish(self) -> Sequence[Step]:
        self._settle()
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
            if self._chunks.strange:
                raise NotAnApi
            raise Interrupted("The backend ended its answer without saying anything.")
        if not self.done:
            steps += self._chunks.finish() if self._choices.all_finished else self._chunks.interrupted()
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

    def passthrough(self, writer: PassingWriter, same_wire: bool) -> Passthrough | None:
        frames, template = self._leased(), self._chunks.template
        if frames is None or template is None or not self._frames.empty:
            return None
        if same_wire and frames.same and writer.accepts(template.features):
            self._lent = True
            return ReceivedFrames(template, frames)
        around = writer.around(template.index, frames.lease.kind, frames.lease.call)
        self._lent = around is not None
        return None if around is None else WrittenFrames(frames, around)

    def _settle(self) -> None:
        """Note what bypassed the reader since a passthrough was granted."""
        if self._lent:
            self._chunks.passed()
            self._lent = False

    def _leased(self) -> LeasedFrames | None:
        """The frames that a lease covers; None if the next frame must be read."""
        template = self._chunks.template
        if template is None or not self._chunks.idle:
            return None
        choice = self._choices[template.index]
        lease = choice.lease(template.reasoning)
        return None if lease is None else LeasedFrames(template, lease, choice)

    def _take(self, block: bytes) -> Step | None:
        """A step for whole frames that a lease covers; None if they must be read."""
        frames = self._leased()
        step = None if frames is None else frames.step(block)
        if step is not None:
            self._chunks.passed()
        return step

    def _run_length(self, frames: Sequence[bytes], pos: int) -> int:
        """How many frames from a position on may be taken together; 1 if that one must be read.

        They fit the template, and the last of them holds more than white space, if any does.
        """
        template = self._chunks.template
        if template is None or self._leased() is None:
            return 1
        end = next((end for end in range(pos, len(frames)) if not template.fits(frames[end])), len(frames))
        last = next((last for last in range(end, pos, -1) if not template.blank(frames[last - 1])), end)
        return max(last - pos, 1)

    # -- whole -------------------------------------------------------------------------------------------------------

    def read_whole(self, body: bytes) -> Reply:
        self._was_whole = True
        turns = Turns() if len(body) > _LONG else None
        found = chat_completion(body)
        if turns is not None:
            turns.take()
        if found is not None:
            return self._whole.read(found, body)
        if not is_error(body):
            if json_or_none(body) is None:
                raise NotAnApi
            return Reply(body)
        reply = self._quoted_reply(body)
        if reply is None:
            raise Refused(error_of(BackendError.status, body))
        return reply

    def stream_whole(self, body: bytes) -> Sequence[Step]:
        found = chat_completion(body)
        if found is None and not is_error(body) and data_of(body) is not None:
            self._spoken = True  # a stream after all, whatever it is called; and all of it is here
            steps = self._read_block(self._frames.take(body))
            return steps if self.done else [*steps, *self.finish()]
        if found is None and not isinstance(json_or_none(body), dict):
            raise NotAnApi
        self._was_whole = True
        reply = self._quoted_reply(body) if found is None else self._whole.read(found, body)
        if reply is None:
            raise Refused(late_error_of(body))
        return [Step(None, [*reply.events] if self._context.tells_unreadable else readable([*reply.events]))]

    def read_refusal(self, status: int, body: bytes) -> Reply | ErrorInfo:
        return self._quoted_reply(body) or error_of(status, body)

    def _quoted_reply(self, body: bytes) -> Reply | None:
        """The reply made of a call that the backend could not parse and quotes in its error; None if there is none."""
        text = quoted_text(body)
        if text is None or not self._is_call(text):
            return None
        self._was_whole = True
        self.notes.repair("error_recovered")
        message = {"role": "assistant", "content": text}
        unknown = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)  # clients need some usage
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return self._whole.read({"choices": [choice], "usage": unknown}, None)


def _holds_calls(context: ReplyContext, text: str) -> bool:
    """Whether a text holds complete calls of declared tools, and only such: an error may quote less."""
    parser = context.new_parser()
    events = [event for piece in pieces_of(text) for event in parser.feed(piece)] + parser.finish(cut=True)
    names = [event.name for event in events if isinstance(event, CallStart)]
    whole = all(event.how == "complete" for event in events if isinstance(event, CallEnd))
    return bool(names) and whole and set(names) <= set(context.expectations.tools)


def _has_words(step: Step) -> bool:
    """Whether a step holds text or the name of a call, which somebody waits for."""
    return any(isinstance(event, Text | Reasoning | CallStart) for _, event in step.events)
