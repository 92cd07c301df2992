"""What the failing backends were about to say: the same answer in three syntaxes, streamed and buffered."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tests.servers import Answer, Json, Piece, chunk, completion, frame, said

Way = Literal["streamed", "buffered"]
WAYS: tuple[Way, ...] = ("streamed", "buffered")
Where = Literal["inside an event", "inside a character", "between events", "inside the call"]

_JSON = ['{"city": "', "서울", '", "days": 3}']


@dataclass(frozen=True)
class Spoken:
    """Some text and a call, in the pieces in which a model says them."""

    syntax: str
    model: str
    texts: tuple[str, ...]


SPOKEN = (
    Spoken(
        "hermes",
        "hermes-3",
        ("One ", "moment.\n", "<tool_call>\n", '{"name": "get_weather", "arguments": ', *_JSON, "}\n</tool_call>"),
    ),
    Spoken(
        "glm45",
        "glm-4.5",
        (
            *("One ", "moment.\n", "<tool_call>get_weather", "\n<arg_key>city</arg_key>\n<arg_value>", "서울"),
            *("</arg_value>\n", "<arg_key>days</arg_key>\n<arg_value>3</arg_value>", "\n</tool_call>"),
        ),
    ),
    Spoken(
        "harmony",
        "gpt-oss-20b",
        (
            *("<|channel|>commentary<|message|>", "One ", "moment.", "<|end|><|start|>assistant"),
            *("<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>", *_JSON, "<|call|>"),
        ),
    ),
)
TEXT = "One moment."
ARGUMENTS = {"city": "서울", "days": 3}
UNTOLD = "(not told)"
"""The code of an error in an API that has none: it cannot be judged."""
STREAM, BODY = "text/event-stream", "application/json"


@dataclass(frozen=True)
class Reply:
    """The answer that a backend begins to give, in one of the two ways."""

    spoken: Spoken
    way: Way

    @property
    def pieces(self) -> list[bytes]:
        if self.way == "streamed":
            return said(*self.spoken.texts)
        return [json.dumps(completion("".join(self.spoken.texts)), ensure_ascii=False).encode()]

    @property
    def whole(self) -> bytes:
        return b"".join(self.pieces)

    def answer(self, pieces: Sequence[Piece] | None = None, kind: str | None = "", **more: Any) -> Answer:
        """`kind` is the Content-Type: the usual one, another, or None."""
        kind = (STREAM if self.way == "streamed" else BODY) if kind == "" else kind
        headers = [*more.pop("headers", []), *([("Content-Type", kind)] if kind else [])]
        return Answer(self.pieces if pieces is None else pieces, headers=headers, **more)

    def raw(self, *pieces: Piece | str, **more: Any) -> Answer:
        """All that is sent, head included."""
        told = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
        return Answer(told, framing="raw", **more)

    def until(self, where: Where) -> bytes:
        """Its body up to a place that hurts."""
        seoul, moment = self.whole.index("서울".encode()), self.whole.index(b"moment")
        behind = self.whole.index(b"\n\n", moment) + 2 if self.way == "streamed" else 40
        places: dict[Where, int] = {
            "inside an event": moment + 3,
            "inside a character": seoul + 1,
            "between events": behind,
            "inside the call": seoul + 6,
        }
        return self.whole[: places[where]]

    def but_last(self, count: int) -> list[bytes]:
        return self.pieces[: len(self.pieces) - count]


def never() -> threading.Event:
    """What a backend that hangs waits for."""
    return threading.Event()


def truth() -> Json:
    """What all of it means."""
    return {"role": "assistant", "content": TEXT, "reasons": ["tool_calls"]}


def odd_event(delta: Json) -> bytes:
    return frame(chunk(delta))
