"""Hostile streams of a backend, through all that reads and writes a streamed answer: frames, choices, calls, ids."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from backends.chat import ChatReplyReader
from backends.net.response import HttpResponse
from backends.protocol import ReplyContext
from converters import Expectations, new_parser
from dialects.chat.request import ChatOptions
from dialects.chat.stream import ChatStreamWriter
from errors import ProxyError
from tests.servers import chunk, frame

TOOLS: dict[str, dict[str, Any]] = {
    "f": {"type": "object", "properties": {"a": {"type": "string"}}},
    "read_file_of_a_long_name": {},
}
ANY = Expectations(TOOLS)


class Stream(NamedTuple):
    """A stream of any size."""

    name: str
    make: Callable[[int], Iterable[bytes]]
    """The pieces of a stream with so many parts."""
    expectations: Expectations = ANY
    choices: int = 1


def _native(index: Any, id: Any, name: Any, arguments: Any, choice: int = 0) -> bytes:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    call = {"index": index, "id": id, "type": "function", "function": function}
    return frame(
        chunk({"tool_calls": [{key: value for key, value in call.items() if value is not None}]}, index=choice)
    )


def _text(text: str, choice: int = 0) -> bytes:
    return frame(chunk({"content": text}, index=choice))


def _in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _calls(count: int) -> Iterator[bytes]:
    return (_native(at, f"c{at}", "f", '{"a":"b"}') for at in range(count))


def _without_index(count: int) -> Iterator[bytes]:
    return (_native(None, f"c{at}", "f", '{"a":"b"}') for at in range(count))


def _same_id(count: int) -> Iterator[bytes]:
    return (_native(at, "c", "f", '{"a":"b"}') for at in range(count))


def _in_one_frame(count: int) -> Iterator[bytes]:
    function = {"name": "f", "arguments": "{}"}
    calls = [{"index": at, "id": f"c{at}", "type": "function", "function": function} for at in range(count)]
    yield frame(chunk({"tool_calls": calls}))


def _behind_an_open_one(count: int) -> Iterator[bytes]:
    yield _native(0, "c", "f", '{"a":"')
    for at in range(1, count):
        yield _native(at, f"c{at}", "f", '{"a":"b"}')


def _more_of_the_last(count: int) -> Iterator[bytes]:
    yield from _behind_an_open_one(count // 2)
    for _ in range(count // 2):
        yield _native(count // 2 - 1, None, None, " ")


def _changing_ids(count: int) -> Iterator[bytes]:
    yield _native(0, "c", "f", '{"a":"')
    for at in range(count):
        yield _native(0, f"c{at}", None, "{}}")


def _braces_with_names(count: int) -> Iterator[bytes]:
    yield _native(0, "c", "f", '{"a":"')
    for _ in range(count):
        yield _native(0, None, "g", "}")


def _blanks_with_names(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield _native(0, None, "read_", " ")


def _long_name(count: int) -> Iterator[bytes]:
    yield _native(0, "c", " :." * count + "x", "{}")
    yield _native(1, "d", "." * count, "{}")


def _calls_in_text(count: int) -> Iterator[bytes]:
    return (_text('<tool_call>{"name": "f", "arguments": {"a": "b"}}</tool_call>\n') for _ in range(count))


def _calls_twice(count: int) -> Iterator[bytes]:
    for at in range(count // 2):
        yield _text(f'<tool_call>{{"name": "f", "arguments": {{"a": "{at}"}}}}</tool_call>\n')
    for at in range(count // 2):
        yield _native(at, f"c{at}", "f", f'{{"a":"{count - at}"}}')


def _many_choices(count: int) -> Iterator[bytes]:
    return (_text("<", at % 128) for at in range(count))


def _calls_of_choices(count: int) -> Iterator[bytes]:
    return (_native(at // 128, f"c{at}", "f", '{"a":"b"}', at % 128) for at in range(count))


def _of_one_frame(count: int) -> Iterator[bytes]:
    choices = [{"index": 0, "delta": {"content": "x <"}, "finish_reason": None} for _ in range(count)]
    yield frame({**chunk({}), "choices": choices})


def _long_line(count: int) -> Iterator[bytes]:
    return _in_pieces(b"data: " + b"x" * (100 * count), 16)


def _lines(line: bytes, end: bytes, size: int, count: int) -> Iterator[bytes]:
    """One event of many lines."""
    return _in_pieces(line * (20 * count) + end, size)


def _tiny(size: int, count: int) -> Iterator[bytes]:
    return _in_pieces(b"".join(_text("x") for _ in range(count)), size)


def _repeated(data: bytes, count: int) -> Iterator[bytes]:
    return (data for _ in range(count))


def _held(opening: str, more: str, count: int) -> Iterator[bytes]:
    yield _text(opening)
    for _ in range(count):
        yield _text(more)


def _held_logprobs(count: int) -> Iterator[bytes]:
    for text in ('{"name": "f", ', *["x"] * count, "\n\nno"):
        found = chunk({"content": text})
        found["choices"][0]["logprobs"] = {"content": [{"token": text}]}
        yield frame(found)


def _held_fields(count: int) -> Iterator[bytes]:
    yield _text('{"name": "f", ')
    for at in range(count):
        yield frame(chunk({"content": "x", "vendor": at}))


def _changing_heads(count: int) -> Iterator[bytes]:
    return (frame({**chunk({"content": "x"}), "id": f"i{at}"}) for at in range(count))


def _late_usage(count: int) -> Iterator[bytes]:
    yield _text("x")
    for at in range(count):
        yield frame({**chunk({}), "choices": [], "usage": {"total_tokens": at}})


def _mixed(count: int) -> Iterator[bytes]:
    yield b"".join((_text("x"), _text("<"), b": c\n\n", _text("y `"))[at % 4] for at in range(count))


_ESCAPES = b"data: " + json.dumps({"error": {"message": "failed to parse input " * 3}}).encode() + b"\n\n"
_BARE = '{"name": "f", "arguments": {"a": "'

STREAMS: tuple[Stream, ...] = (
    Stream("native calls", _calls),
    Stream("native calls without an index", _without_index),
    Stream("native calls with one id", _same_id),
    Stream("native calls in one frame", _in_one_frame),
    Stream("native calls behind an open one", _behind_an_open_one),
    Stream("more of a native call behind an open one", _more_of_the_last),
    Stream("native calls that are refused", _behind_an_open_one, replace(ANY, parallel=False)),
    Stream("native calls, none of them allowed", _calls, replace(ANY, allowed=frozenset({"g"}))),
    Stream("native arguments under changing ids", _changing_ids),
    Stream("native arguments with another name", _braces_with_names),
    Stream("a native name that goes on", _blanks_with_names),
    Stream("a long native name", _long_name),
    Stream("calls in the text", _calls_in_text),
    Stream("calls in the text, then native ones", _calls_twice),
    Stream("128 choices", _many_choices, choices=128),
    Stream("native calls of 128 choices", _calls_of_choices, choices=128),
    Stream("choices of one index in one frame", _of_one_frame),
    Stream("a line without end", _long_line),
    Stream("comments in one event", partial(_lines, b": c\n", b"data: x\n\n", 1000)),
    Stream("comments in one event, in small pieces", partial(_lines, b":\n", b"\n", 7)),
    Stream("data lines in one event", partial(_lines, b"data: x\n", b"\n", 1000)),
    Stream("data lines with carriage returns", partial(_lines, b"data: x\r\n", b"\r\n", 100)),
    Stream("lines of nothing known", partial(_lines, b"x\r", b"\r", 100)),
    Stream("blank lines", partial(_lines, b"\n", b"\n", 100)),
    Stream("blank lines with carriage returns", partial(_lines, b"\r\n", b"\r\n", 7)),
    Stream("carriage returns", partial(_lines, b"\r", b"\r", 7)),
    Stream("tiny frames, byte by byte", partial(_tiny, 3)),
    Stream("tiny frames, in large pieces", partial(_tiny, 65536)),
    Stream("comments", partial(_repeated, b": keep-alive\n\n")),
    Stream("events without data", partial(_repeated, b"event: x\n\n")),
    Stream("data that is no JSON", partial(_repeated, b"data: x\n\n")),
    Stream("an empty choice", partial(_repeated, frame(chunk({})))),
    Stream("held text", partial(_held, _BARE, "x")),
    Stream("held braces", partial(_held, _BARE, "}")),
    Stream("held quotes", partial(_held, _BARE, '\\"')),
    Stream("held white space", partial(_held, "x", " \n" * 20)),
    Stream("held backticks", partial(_held, "```", "`")),
    Stream("a fence that is held", partial(_held, "```json\n" + _BARE, "x\n")),
    Stream("reasoning tags", partial(_held, "<think>\n", "<think>\n")),
    Stream("held log probabilities", _held_logprobs),
    Stream("held fields", _held_fields),
    Stream("changing heads", _changing_heads),
    Stream("usage before the end", _late_usage),
    Stream("frames of several kinds in one piece", _mixed),
)


def seconds(stream: Stream, count: int) -> float:
    """CPU seconds that a stream with so many parts takes."""
    context = ReplyContext(
        lambda: new_parser(stream.expectations), stream.expectations, frozenset({"c1"}), choices=stream.choices
    )
    pieces = list(stream.make(count))
    reader = ChatReplyReader(context)
    writer = ChatStreamWriter(("reasoning_content",), frozenset({"tool_calls", "usage"}), ChatOptions(), {"c1"})
    started = time.process_time()
    try:
        for piece in pieces:
            for step in reader.read(piece):
                writer.write(step)
            while reader.unread:
                for step in reader.read(b""):
                    writer.write(step)
        for step in reader.finish():
            writer.write(step)
    except ProxyError:
        pass  # what is no answer, or too much of one, is an error
    return time.process_time() - started


def head_seconds(length: int) -> float:
    """CPU seconds that the head of a backend's answer takes, byte by byte, with so many bytes in each part of it."""
    head = b"HTTP/1.1 200 " + b"O" * length + b"\r\nx-long: " + b"x" * length + b"\r\n" + b"a: b\r\n" * (length // 6)
    response = HttpResponse("POST")
    started = time.process_time()
    for byte in _in_pieces(head + b"\r\n", 1):
        response.feed(byte)
    return time.process_time() - started
