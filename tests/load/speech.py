"""What each exchange of a load says: computed from its number, so that both ends know it and no two are alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.servers import DONE, Json, ask, chunk, completion, frame, message_in, message_of, read_stream, whole_stream

Kind = Literal["text", "call", "reasoning", "buffered", "forwarded"]
KINDS: tuple[Kind, ...] = ("text", "call", "reasoning", "buffered", "forwarded")
LETTERS = "가각간 서울 날씨 é ü ñ 🍜 ☕ <b> \\ \" ' & "


@dataclass(frozen=True)
class Speech:
    """One exchange. `events` is how many pieces its text has."""

    number: int
    kind: Kind
    events: int = 40

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number} {self.events}"

    @classmethod
    def of(cls, name: str) -> Speech:
        kind, number, events = name.split(" ")
        return cls(int(number), kind, int(events))  # type: ignore[arg-type]

    @property
    def target(self) -> str:
        return "/v1/completions" if self.kind == "forwarded" else "/v1/chat/completions"

    @property
    def streamed(self) -> bool:
        return self.kind != "buffered"

    def request(self) -> bytes:
        return json.dumps(ask(stream=self.streamed, user=self.name, model=f"m{self.number % 7}")).encode()

    def words(self) -> Iterator[str]:
        for place in range(self.events):
            digest = hashlib.sha256(f"{self.number}/{place}".encode()).hexdigest()
            letter = LETTERS[int(digest[:4], 16) % len(LETTERS)]
            yield f"{digest[: 8 + place % 17]}{letter}."

    @property
    def arguments(self) -> str:
        return json.dumps({"city": " ".join(self.words()), "days": self.number}, ensure_ascii=False)

    def texts(self) -> list[str]:
        """The pieces in which the model writes."""
        if self.kind in ("text", "forwarded", "buffered"):
            return list(self.words())
        if self.kind == "reasoning":
            thought, said = self._halves()
            return ["<think>", *thought, "</think>", *said]
        body = f'{{"name": "get_weather", "arguments": {self.arguments}}}'
        size = max(1, len(body) // self.events)
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        return [f"Call {self.number}.", "\n<tool_call>\n", *pieces, "\n</tool_call>"]

    def _halves(self) -> tuple[list[str], list[str]]:
        words = list(self.words())
        return words[: len(words) // 2], words[len(words) // 2 :]

    def frames(self) -> list[bytes]:
        """The stream as the backend sends it."""
        role = frame(chunk({"role": "assistant", "content": ""}))
        return [role, *(frame(chunk({"content": text})) for text in self.texts()), frame(chunk({}, "stop")), DONE]

    def whole(self) -> bytes:
        return json.dumps(completion("".join(self.texts())), ensure_ascii=False).encode()

    def expected(self) -> Json:
        """The message that the client must get; what needs no change is checked by its bytes instead."""
        if self.kind == "call":
            called = {"name": "get_weather", "arguments": self.arguments}
            content = f"Call {self.number}."
            return {"role": "assistant", "content": content, "calls": [called], "reasons": ["tool_calls"]}
        thought, said = ("".join(half) for half in self._halves())
        told = {"role": "assistant", "content": said, "calls": [], "reasons": ["stop"]}
        return {**told, "reasoning_content": thought}

    def check(self, status: int, body: bytes) -> str:
        """What is wrong with an answer; nothing, if every byte is right."""
        if status != 200:
            return f"status {status}: {body[:200]!r}"
        if self.kind == "buffered":
            return "" if body == self.whole() else f"altered: {message_in(json.loads(body))['content'][:200]!r}"
        if self.kind in ("text", "forwarded"):
            return "" if without_comments(body) == b"".join(self.frames()) else f"altered: {body[-300:]!r}"
        try:
            message = message_of(whole_stream(body))
        except (AssertionError, ValueError, LookupError) as error:
            return f"{type(error).__name__} {error}: {read_stream(body).errors if b'[DONE]' in body else body[-200:]!r}"
        return "" if message == self.expected() else f"altered: {message}"


def without_comments(body: bytes) -> bytes:
    """The outcome, and the heartbeats."""
    return b"".join(each + b"\n\n" for each in body.split(b"\n\n") if each and not each.startswith(b":"))
