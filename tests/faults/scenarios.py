"""Every way in which a backend fails, in every phase, and the truth that the client must be told of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from tests.faults.ends import TOO_SLOW, End, Event, Refusal, despite_noise, either, whole
from tests.faults.fault import Fault, Script
from tests.faults.refusals import REFUSALS
from tests.faults.spoken import SPOKEN, STREAM, WAYS, Reply, Spoken, Way, Where, never, odd_event
from tests.servers import DONE, Answer, Piece, completion, frame, json_answer

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n"
BREAK = 0.03
"""Seconds that what was sent is given to be read: a reset throws away what nobody has fetched yet."""

LATE_BREAK = 0.4
"""The same where all of it must be read, on a busy machine too."""


@dataclass(frozen=True)
class Scenario:
    fault: Fault
    spoken: Spoken
    way: Way

    @property
    def name(self) -> str:
        return f"{self.fault.name} / {self.way} / {self.spoken.syntax}"

    @property
    def reply(self) -> Reply:
        return Reply(self.spoken, self.way)

    @property
    def end(self) -> End:
        return self.fault.streamed if self.way == "streamed" else self.fault.buffered or self.fault.streamed

    @property
    def model(self) -> str:
        """Of a refusal one of its own: what the proxy learns of it changes no other scenario."""
        own = f"-{REFUSALS.index(self.fault)}-{self.way}" if self.fault in REFUSALS else ""
        return f"{self.spoken.model}{own}"

    @property
    def answer(self) -> Script:
        return self.fault.script(self.reply)


def scenarios() -> list[Scenario]:
    found = [Scenario(fault, spoken, way) for fault in (*FAULTS, *REFUSALS) for way in WAYS for spoken in SPOKEN]
    assert len({scenario.name for scenario in found}) == len(found)
    return found


# -- the ways to go --------------------------------------------------------------------------------------------------

NO_TLS = either(Refusal(502, "backend_unreachable"), Refusal(504, "backend_connect_timeout"))
INTERRUPTED = Refusal(502, "backend_interrupted")
NO_API = Refusal(502, "backend_not_api")
CUT = Event("backend_interrupted")
HOW: dict[str, tuple[tuple[Piece, ...], Literal["broken", "reset"], End, End]] = {
    "closes": ((), "broken", CUT, INTERRUPTED),
    "resets": ((BREAK,), "reset", CUT, INTERRUPTED),
    "hangs": ((never(),), "broken", Event("backend_idle_timeout"), TOO_SLOW),
}


def _broken_heads() -> Iterator[Fault]:
    """Nothing has been said to the client, so the status can tell."""
    begun = {"nothing": "", "half a status line": "HTTP/1.1 20", "half a head": "HTTP/1.1 200 OK\r\nContent-Ty"}
    silent = Refusal(504, "backend_first_byte_timeout")
    for phase, head in begun.items():
        for how, (last, ends, _, _) in HOW.items():
            end = silent if how == "hangs" else INTERRUPTED
            yield Fault(
                f"{how} after {phase}",
                lambda reply, head=head, last=last, ends=ends: reply.raw(head, *last, ends=ends),  # type: ignore[misc]
                end,
                end,
            )


def _broken_bodies() -> Iterator[Fault]:
    """The status waits for the first event, or for the whole body, and has left with it."""
    for how, (last, ends, cut, refusal) in HOW.items():
        unheard = Refusal(504, "backend_first_byte_timeout") if how == "hangs" else refusal
        yield Fault(
            f"{how} after the head",
            lambda reply, last=last, ends=ends: reply.answer(last, ends=ends),  # type: ignore[misc]
            unheard,
            unheard,
        )
        for where in get_args(Where):
            yield Fault(
                f"{how} {where}",
                lambda reply, where=where, last=last, ends=ends: reply.answer(  # type: ignore[misc]
                    [reply.until(where), *last], ends=ends
                ),
                cut,
                refusal,
            )
        yield Fault(
            f"{how} with the end of the connection for a frame",
            lambda reply, last=last, ends=ends: reply.raw(  # type: ignore[misc]
                f"HTTP/1.0 200 OK\r\nContent-Type: {STREAM}\r\n\r\n", reply.until("inside the call"), *last, ends=ends
            ),
            cut,
            NO_API if how == "closes" else refusal,  # without any framing, a close is the end: of half a body
        )


def _late_breaks() -> Iterator[Fault]:
    """All that matters has been said."""
    for how, (last, ends, _, _) in HOW.items():
        last = (LATE_BREAK,) if how == "resets" else last
        yield Fault(
            f"{how} after [DONE]",
            lambda reply, last=last, ends=ends: reply.answer([*reply.pieces, *last], ends=ends),  # type: ignore[misc]
            whole,
            HOW[how][3],
        )
        yield Fault(
            f"{how} after the finish reason",
            lambda reply, last=last, ends=ends: reply.answer(  # type: ignore[misc]
                [*(reply.but_last(1) if reply.way == "streamed" else [reply.whole[:-30]]), *last], ends=ends
            ),
            whole,
            HOW[how][3],
        )


# -- the rest --------------------------------------------------------------------------------------------------------


def http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _sized(reply: Reply, length: object, body: bytes | None = None) -> Answer:
    kind = STREAM if reply.way == "streamed" else "application/json"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    return reply.raw(head, reply.whole if body is None else body)


def _trickle(reply: Reply) -> Answer:
    return reply.answer([bytes([byte]) for byte in reply.whole])


def _trickled_head(reply: Reply) -> Answer:
    kind = STREAM if reply.way == "streamed" else "application/json"
    wire = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(reply.whole)}\r\n\r\n".encode()
    return reply.raw(*(bytes([byte]) for byte in wire), reply.whole)


def _flood(reply: Reply) -> Answer:
    """Megabytes of what means nothing before what means something."""
    nothing = b": ping\n\n" * 4000 if reply.way == "streamed" else b" " * 1_000_000
    return reply.answer([*[nothing] * 5, *reply.pieces])


def _between(*extra: bytes) -> Callable[[Reply], Answer]:
    def script(reply: Reply) -> Answer:
        if reply.way == "buffered":
            return reply.answer()
        return reply.answer([piece for each in reply.pieces[:-2] for piece in (*extra, each)] + reply.pieces[-2:])

    return script


def _zipped(reply: Reply, keep: float = 1.0, really: bool = True) -> Answer:
    data = gzip.compress(reply.whole) if really else reply.whole
    return reply.answer([data[: int(len(data) * keep)]], headers=[("Content-Encoding", "gzip")])


def _error(status: int, body: bytes, kind: str = "application/json") -> Callable[[Reply], Answer]:
    return lambda _: Answer([body] if body else [], status, [("Content-Type", kind)], "length")


def _said_wrong(reply: Reply) -> Answer:
    """llama.cpp, when its own parser fails: an opaque 500 that quotes what the model wrote."""
    message = "Failed to parse input at pos 12: " + "".join(reply.spoken.texts)
    return json_answer({"error": {"code": 500, "message": message, "type": "server_error"}}, 500)


OPENAI = json.dumps({"error": {"message": "out of memory", "type": "x", "param": None, "code": "oom"}}).encode()
DEEP = b'{"x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
UPGRADE = "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000
BAD_UTF8 = b'data: {"choices": [{"index": 0, "delta": {"content": ""}, "x": "\xff\xc3"}]}\n\n'

FAULTS: tuple[Fault, ...] = (
    Fault("refuses connections", Reply.answer, Refusal(502, "backend_unreachable"), place="refusing"),
    Fault("never accepts", Reply.answer, Refusal(504, "backend_connect_timeout"), place="deaf"),
    Fault("has a name that nobody knows", Reply.answer, Refusal(502, "backend_unreachable"), place="nameless"),
    Fault("does not speak TLS", Reply.answer, NO_TLS, place="plain"),
    *_broken_heads(),
    *_broken_bodies(),
    *_late_breaks(),
    Fault(
        "hangs while heartbeats tell of it",
        lambda reply: reply.answer(before=[never()]),
        Event("backend_first_byte_timeout"),
        Refusal(504, "backend_first_byte_timeout"),
        "beating",
    ),
    Fault(
        "dies while heartbeats tell of it",
        lambda reply: reply.raw(0.3, ends="reset"),
        CUT,
        INTERRUPTED,
        "beating",
    ),
    Fault(
        "refuses late",
        lambda reply: json_answer(OPENAI, 503, before=[0.3]),
        Event("oom", "out of memory"),
        Refusal(503, "oom", "out of memory"),
        "beating",
    ),
    Fault("is late", lambda reply: reply.answer(before=[0.3]), whole, whole, "beating"),
    Fault("trickles", _trickle, whole, whole),
    Fault("trickles its head", _trickled_head, whole, whole),
    Fault("floods", _flood, whole, whole),
    Fault("sends blank lines", _between(b"\n\n\n\n"), whole, whole),
    Fault("sends events that are no JSON", _between(b"data: {oops\n\n"), despite_noise, despite_noise),
    Fault("sends events that mean nothing", _between(b"data: 7\n\n", b"data: null\n\n"), despite_noise, despite_noise),
    Fault("sends events that are nested deeply", _between(b"data: " + DEEP + b"\n\n"), despite_noise, despite_noise),
    Fault("sends events without data", _between(b"retry: 3\n\n", b"event: x\nid: 7\n\n"), whole, whole),
    Fault("sends odd deltas", _between(odd_event({"content": None}), odd_event({"x": 1})), whole, whole),
    Fault("sends bytes that are no UTF-8", _between(BAD_UTF8), despite_noise, despite_noise),
    Fault("calls a stream HTML", lambda reply: reply.answer(kind="text/html"), whole, whole),
    Fault("calls a stream nothing", lambda reply: reply.answer(kind=None), whole, whole),
    Fault("calls a stream plain text", lambda reply: reply.answer(kind="text/plain"), whole, whole),
    Fault("calls a stream JSON", lambda reply: reply.answer(kind="application/json"), whole, whole),
    Fault(
        "answers JSON to every request",
        lambda reply: json_answer(completion("".join(reply.spoken.texts))),
        whole,
        whole,
    ),
    Fault("zips although nobody asked", _zipped, whole, whole),
    Fault("zips and breaks off", lambda reply: _zipped(reply, 0.5), INTERRUPTED, INTERRUPTED),
    Fault("says that it zips", lambda reply: _zipped(reply, really=False), INTERRUPTED, INTERRUPTED),
    Fault("promises more than it sends", lambda reply: _sized(reply, len(reply.whole) + 9), whole, INTERRUPTED),
    Fault(
        "promises more and stops inside the call",
        lambda reply: _sized(reply, 9999, reply.until("inside the call")),
        CUT,
        INTERRUPTED,
    ),
    Fault("sends more than it promised", lambda reply: _sized(reply, len(reply.whole), reply.whole * 2), whole, whole),
    Fault("promises a length below zero", lambda reply: _sized(reply, -5), INTERRUPTED, INTERRUPTED),
    Fault("promises no number", lambda reply: _sized(reply, "many"), INTERRUPTED, INTERRUPTED),
    Fault("promises two lengths", lambda reply: _sized(reply, "5, 6"), INTERRUPTED, INTERRUPTED),
    Fault(
        "sends a chunk without a size",
        lambda reply: reply.raw(HEAD.format(STREAM), http_chunk(reply.until("between events")), "zz\r\n"),
        CUT,
        INTERRUPTED,
    ),
    Fault("speaks no HTTP", lambda reply: reply.raw("220 mail.example.com\r\n"), INTERRUPTED, INTERRUPTED),
    Fault("changes the protocol", lambda reply: reply.raw(UPGRADE), INTERRUPTED, INTERRUPTED),
    Fault("has a head without end", lambda reply: reply.raw(ENDLESS), INTERRUPTED, INTERRUPTED),
    Fault(
        "announces its answer",
        lambda reply: reply.raw(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(reply.whole)}\r\n\r\n",
            reply.whole,
        ),
        whole,
        whole,
    ),
    Fault("says error under 200", _error(200, OPENAI), Refusal(502, "oom", "out of memory")),
    Fault("fails with an error of OpenAI's", _error(500, OPENAI), Refusal(500, "oom", "out of memory")),
    Fault("fails with HTML", _error(502, b"<h1>Gone</h1>", "text/html"), Refusal(502, None, "Gone")),
    Fault("fails with nothing", _error(503, b"", "text/plain"), Refusal(503, None, "503")),
    Fault("fails with half an error", _error(500, b'{"error": {"mess'), Refusal(500, None, '{"error"')),
    Fault("fails with no UTF-8", _error(500, b"\xff\xfe broken"), Refusal(500, None, "broken")),
    Fault("is too busy", _error(429, OPENAI), Refusal(429, "oom")),
    Fault("redirects", _error(302, b"over there", "text/plain"), Refusal(302, None, "over there")),
    Fault("fails with the text of the model", _said_wrong, either(whole, Refusal(500, None, "get_weather"))),
    Fault(
        "says error in mid-stream",
        lambda reply: (
            reply.answer([reply.until("between events"), frame(json.loads(OPENAI)), DONE], kind=STREAM)
            if reply.way == "streamed"
            else json_answer(OPENAI, 500)
        ),
        Event("oom", "out of memory"),
        Refusal(500, "oom"),
    ),
    Fault(
        "says nothing at all",
        lambda reply: reply.answer([]),
        Refusal(502, "backend_interrupted", "without saying anything"),
        NO_API,
    ),
    Fault(
        "never says [DONE]",
        lambda reply: reply.answer(reply.but_last(1) if reply.way == "streamed" else None),
        whole,
        whole,
    ),
    Fault(
        "says neither finish nor [DONE]",
        lambda reply: reply.answer(reply.but_last(2) if reply.way == "streamed" else None),
        CUT,
        whole,
    ),
    Fault(
        "leaves out the last blank line",
        lambda reply: reply.answer([reply.whole.rstrip()]),
        whole,
        whole,
    ),
    Fault("ends its lines with CRLF", lambda reply: reply.answer([reply.whole.replace(b"\n", b"\r\n")]), whole, whole),
)
