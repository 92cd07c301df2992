"""The fast lane: what it takes, what it leaves to be read, and that it never makes a difference."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from backends import ResponseHead, Wait
from backends.chat import ChatReplyReader
from backends.chat.passthrough import template_of
from backends.protocol import ReplyContext
from converters.stages.pipeline import new_parser
from converters.syntaxes import SYNTAXES
from dialects.chat import CHAT, Chat
from streaming.answer import UpstreamReply
from streaming.record import ExchangeRecord
from tests.helpers import ROWS, Case, corpus
from tests.scale import share
from wire.sse import frames_of

CASES = corpus()
PROSE = "The quick brown fox jumps over the lazy dog.\n\nIt says so itself: “so what?” — 서울 ok "


CODE = PROSE + "Use `a` and ``b`` so:\n\n```py\nx = [1]\n```\nThen ~all~ is well, I think, for 3 < 4. "


def frame(delta: dict[str, Any], reason: str | None = None, spaced: bool = False, **more: Any) -> bytes:
    top = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", **more}
    chunk = {**top, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    separators = (", ", ": ") if spaced else (",", ":")
    return b"data: " + json.dumps(chunk, ensure_ascii=spaced, separators=separators).encode() + b"\n\n"


def stream(pieces: Iterable[str], field: str = "content", spaced: bool = False) -> list[bytes]:
    first = frame({"role": "assistant", "content": ""}, spaced=spaced)
    return [first, *(frame({field: piece}, spaced=spaced) for piece in pieces), frame({}, "stop", spaced=spaced)]


class Blocks:
    """A backend's answer that arrives in these blocks."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)

    def wait_head(self, deadline: float | None) -> ResponseHead:
        return ResponseHead(200, "OK", (("Content-Type", "text/event-stream"),))

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        return next(filter(None, self._blocks), Wait.END)


class Run:
    """A stream read in blocks: the bytes for the client, and how many frames took the fast lane."""

    def __init__(self, blocks: Sequence[bytes], tools: Sequence[Any] = (), fast: bool = True, **options: Any) -> None:
        row = options.pop("row", None)
        fields = options.pop("fields", "reasoning_content")
        chat = CHAT.parse_request(json.dumps({"tools": list(tools), "stream": True}).encode())
        prior = ROWS[row] if row else None
        self.record = ExchangeRecord("r", "/")
        dialect = Chat(fields)
        modes: dict[str, Any] = {"content": "keep", "none": "drop"}
        expectations = replace(chat.expectations, reasoning=modes.get(fields, "split"))
        context = ReplyContext(lambda: new_parser(chat.expectations, prior), expectations)
        reader = ChatReplyReader(context)
        if not fast:
            reader._leased = lambda: None  # type: ignore[method-assign]
        read, read_frames = reader._chunks.read, 0

        def counted(frame: bytes) -> Any:
            nonlocal read_frames
            read_frames += 1
            return read(frame)

        reader._chunks.read = counted  # type: ignore[method-assign]
        writer = dialect.stream_writer(chat)
        answer = UpstreamReply(Blocks(blocks), reader, self.record, same_wire=True)  # type: ignore[arg-type]
        self.record.keep(answer.notes)
        self.writes: list[bytes] = []
        answer.head(None)
        while not isinstance(steps := answer.steps(None, writer), Wait):
            self.writes.append(steps if isinstance(steps, bytes) else b"".join(map(writer.write, steps)))
        self.out = b"".join(self.writes)
        self.fast_frames = len(frames_of(b"".join(blocks))) - read_frames


def blocks_of(frames: Sequence[bytes], dice: random.Random) -> list[bytes]:
    """The frames as they might arrive: some together, some cut."""
    data = b"".join(frames)
    cuts = sorted(dice.randint(0, len(data)) for _ in range(dice.randint(0, len(frames))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def pieces_of(text: str, dice: random.Random) -> list[str]:
    pieces = []
    while text:
        size = dice.choice((1, 2, 4, 9, 30))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _tools(case: Case) -> list[Any]:
    return [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in case.tools.items()]


@pytest.mark.parametrize("row", [syntax.name for syntax in SYNTAXES])
def test_it_makes_no_difference(row: str) -> None:
    """The fast and the slow lane write the same bytes and the same record, however the frames come."""
    dice = random.Random(row)
    for number, case in enumerate(case for case in CASES if case.row == row):
        for spaced in (False, True):
            text = dice.choice(("", PROSE, PROSE * 3, CODE)) + case.text + dice.choice(("", PROSE, CODE))
            frames = stream(pieces_of(text, dice), spaced=spaced)
            blocks = blocks_of(frames, dice)
            for fields in share(("reasoning_content", "content", "none"), 3, number + spaced):
                fast = Run(blocks, _tools(case), row=row, fields=fields)
                slow = Run(frames, _tools(case), row=row, fields=fields, fast=False)
                assert joined(fast.out) == joined(slow.out), (case, fields)
                assert (fast.record.outcome, fast.record.notes.codes) == (slow.record.outcome, slow.record.notes.codes)


def test_the_first_words_do_not_wait_for_what_came_with_them() -> None:
    frames = stream([*"xyz"])
    run = Run([b"".join(frames)])
    assert run.writes[0] == b"".join(frames[:2])  # the role, and "x"
    assert joined(run.writes[1]) == [("content", "yz"), ("finish_reason", "stop")]
    call = stream(["<tool_call>f\n<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>", " ", "b"])
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert b'"name":"f"' in Run([b"".join(call)], tools, row="glm45").writes[0].replace(b" ", b"")


def test_a_flood_of_what_means_nothing_is_read_once() -> None:
    """When each was looked at again for the next, so many took longer than any client waits."""
    began = time.process_time()
    run = Run([b": ping\n\n" * 20_000 + b"".join(stream("ab"))])
    assert time.process_time() - began < 10
    assert joined(run.out) == joined(b"".join(stream("ab")))


def joined(out: bytes) -> list[Any]:
    """What a client makes of the stream, with the deltas of one text or one call's arguments joined."""
    said: list[Any] = []
    for each in [each for each in frames_of(out) if each.startswith(b"data:")]:
        told = json.loads(each[6:])
        if "error" in told:
            said.append(("error", told["error"]["code"]))
        for choice in told.get("choices", ()):
            for key, value in choice["delta"].items():
                if key == "tool_calls":
                    for call in value:
                        function = call["function"]
                        if "id" in call:
                            call_id = re.sub(r"^[A-Za-z0-9]{9}$", "made up", call["id"])
                            said.append(((call["index"], call_id, function["name"]), function["arguments"]))
                        else:
                            assert said[-1][0][0] == call["index"], "arguments of another call"
                            said[-1] = (said[-1][0], said[-1][1] + function["arguments"])
                elif isinstance(value, str) and said and said[-1][0] == key:
                    said[-1] = (key, said[-1][1] + value)
                else:
                    said.append((key, value))
            if choice["finish_reason"]:
                said.append(("finish_reason", choice["finish_reason"]))
    return said


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
def test_most_of_a_text_takes_it(field: str) -> None:
    words = ["The", " quick", " brown", " fox,", " and", " 서울", " so", " on."] * 50
    frames = stream(words, field)
    run = Run(frames, [{"type": "function", "function": {"name": "f"}}])
    assert run.out == b"".join(frames)
    assert run.fast_frames >= len(words) - 3
    together = Run([b"".join(frames[:5]), b"".join(frames[5:-1]), frames[-1]])
    assert together.out == b"".join(frames)
    assert together.fast_frames == len(frames) - 3  # the role, the first words, the end


@pytest.mark.parametrize(
    "text",
    [
        " <",
        " <tool_call>",
        "`code`",
        "[TOOL_CALLS]",
        "~~~",
        "<|im_end|>",
    ],
)
def test_what_could_matter_is_read(text: str) -> None:
    frames = stream(["The", " quick", " brown", text])
    run = Run(frames)
    assert run.fast_frames <= 2
    assert run.out == Run(frames, fast=False).out


@pytest.mark.parametrize("text", ["ends in white ", "\n", " \n\n", "\u3000", 'a "quote"', "back\\slash\n", " \t so. "])
@pytest.mark.parametrize("field", ["content", "reasoning_content"])
def test_white_space_at_an_edge_waits_without_being_read(text: str, field: str) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    frames = stream(["The", " quick", " brown", text, text, "fox", " jumps", text], field)
    singly = Run(frames, tools)
    if text.isspace():  # a frame of nothing else waits whole
        assert singly.out == b"".join(frames)
    else:
        assert singly.fast_frames >= len(frames) - 4
    together = Run([b"".join(frames[:3]), b"".join(frames[3:-1]), frames[-1]], tools)
    slow = Run(frames, tools, fast=False)
    assert joined(singly.out) == joined(together.out) == joined(slow.out)
    assert together.fast_frames > 0 or text.isspace()
    last = frames_of(Run(frames[:6], tools).out)[-1]
    assert not joined(last)[-1][1][-1].isspace()  # what may stand before a call has not left yet


def test_a_marker_whose_halves_come_in_frames_of_one_block_is_found() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    pieces = ["The", " quick", " fox", " <tool_", "call>", "{'name': 'f', 'arguments': {}}", "</tool_call>"]
    frames = stream(pieces)
    run = Run([b"".join(frames[:3]), b"".join(frames[3:])], tools)
    assert b'"name":"f"' in run.out and b"<tool" not in run.out


def test_a_frame_of_another_kind_is_read() -> None:
    frames = stream(["The", " quick", " brown", " fox"])
    others = [
        frame({"content": " x"}, usage={"total_tokens": 3}),
        frame({"content": " y"}, "stop"),
        b": comment\n\n",
        frame({"reasoning_content": " z"}),
    ]
    for other in others:
        run = Run([*frames[:4], other])
        assert run.out == Run([*frames[:4], other], fast=False).out


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (frame({"content": "m"}), "m"),  # the model is called m, too
        (frame({"content": "a\nb"}), "a\nb"),
        (b'data: {"choices":[\ndata: {"delta":{"content":"x"}}]}\n\n', "x"),
        (b'event: e\ndata: {"choices":[{"delta":{"content":"x"}}]}\n\n', "x"),
        (b'data: {"choices":[{"delta":{"content":"\\u0078"}}],"model":"x"}\n\n', "x"),
    ],
)
def test_a_frame_whose_text_is_not_plain_to_see_makes_no_mould(raw: bytes, text: str) -> None:
    assert template_of(raw, text, 0, "content") is None


def test_a_mould_takes_only_what_fits_it() -> None:
    mould = template_of(frame({"content": "hello"}), "hello", 0, "content")
    assert mould is not None
    assert mould.text_of(frame({"content": "a b"}) + frame({"content": "c"})) == "a bc"
    assert mould.text_of(frame({"content": "\u0430"})) == "\u0430"
    for text in ("a", 'say "hi"\n', "\\d\u0430", "\x7f\u2028"):
        assert mould.text_of(frame({"content": text})) == text
    for other in (
        frame({"content": ""}),
        frame({"content": "a"}, "stop"),
        frame({"content": "a", "role": "assistant"}),
    ):
        assert mould.text_of(other) is None
    for other in (
        b"",
        frame({"content": ""}),
        frame({"content": 'a"'}).replace(b'\\"', b'"'),
        frame({"content": "a"}, "stop"),
        frame({"content": "a"}, created=2),
        frame({"content": "a"})[:-1],
        frame({"content": "\u0430"}).replace("\u0430".encode(), b"\xd0"),
        frame({"content": "a"}) + b": x\n\n" + frame({"content": "b"}),
    ):
        assert mould.text_of(other) is None, other


def test_a_long_burst_takes_it() -> None:
    frames = stream(["Some words of a text. "] * 1000)
    run = Run([b"".join(frames[:3]), b"".join(frames[3:-1]), frames[-1]])
    assert run.fast_frames == len(frames) - 3
    assert joined(run.out) == joined(b"".join(frames))
