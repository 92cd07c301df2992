"""Turns a whole chat completion into a Reply, whose `raw` is the body if nothing in it had to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.chat.choices import Choices
from backends.chat.chunks import says_the_same
from backends.chat.envelope import mend_reply
from backends.chat.fields import (
    choices_of,
    features_of,
    head_of,
    index_of,
    message_extension,
    reply_extension,
    stop_extension,
    tokens_of,
    usage_of,
)
from backends.chat.large import LARGE
from backends.chat.logprobs import extension_of, logprobs_of
from converters.text.events import Text
from reply import NO_FEATURES, ChoiceEvent, Notes, Reply, ReplyEvent, Usage
from turns import in_turns


class WholeReader:
    """Reads one reply."""

    def __init__(self, choices: Choices, notes: Notes, several: bool, model: str) -> None:
        """`several`: more than one choice was asked for. `model` is its name in the request."""
        self._choices = choices
        self._notes = notes
        self._several = several
        self._model = model

    def read(self, reply: dict[str, Any], body: bytes | None) -> Reply:
        """`body` holds the bytes that `reply` was parsed from; None if it was made up here."""
        codes = mend_reply(reply, self._model, self._several)
        for code in codes:
            self._notes.repair(code)
        events: list[ChoiceEvent] = []
        features = NO_FEATURES
        changed = bool(codes)
        head = head_of(reply)
        self._notes.identified(head)
        for choice in choices_of(reply):
            message = choice.get("message")
            if not isinstance(message, dict):
                continue
            if not message.get("role"):
                self._notes.repair("role_missing")
            index = index_of(choice)
            reader = self._choices[index]
            delta = reader.finish(choice.get("finish_reason"), reader.read(message, whole=True))
            said = delta.events
            same = _text_of(said) == (message.get("content") or "")
            events.append((index, head))
            if (extension := message_extension(message)) is not None:
                events.append((index, extension))
            if same and (logprobs := logprobs_of(choice)) is not None:
                events.append((index, extension_of([logprobs])))
            events += [(index, event) for event in in_turns(said)]
            if (stop := stop_extension(choice)) is not None:
                events.append((index, stop))
            features |= features_of(message, choice.get("finish_reason"))
            changed = changed or not (same and message.get("role") and says_the_same(choice, delta))
        around = reply_extension(reply)
        if around is not None:
            events.append((0, around))
        if (counts := usage_of(reply)) is not None:
            self._notes.tokens = tokens_of(counts)
            events.append((0, Usage(counts)))
        return Reply(None if changed else body, events, reply, features, body is not None and len(body) > LARGE)


def _text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join([event.text for event in events if isinstance(event, Text)])
