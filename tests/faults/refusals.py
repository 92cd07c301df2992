"""Backends that refuse a request that can be changed, and then fail: attempts end, and so do their connections."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable

from tests.faults.ends import TOO_SLOW, End, Event, Refusal, either, whole
from tests.faults.fault import Fault, Script
from tests.faults.spoken import Reply, never
from tests.servers import (
    Answer,
    Client,
    Json,
    Piece,
    frame,
    json_answer,
    message_in,
    message_of,
    whole_stream,
)

NO_TOOLS = "this model does not support tools"
REASONS = (
    NO_TOOLS,
    "System role not supported",
    "content must be a string",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "unknown parameter: user",
    "unknown parameter: metadata",
)
MESSAGES: list[Json] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "The weather?"}]},
    {"role": "user", "content": "In Seoul."},
]
RICH: Json = {"messages": MESSAGES, "user": "u", "metadata": {"a": "b"}}
"""A request with something for each of the reasons."""
SOON = 0.2
"""Seconds: more than between two heartbeats; four of it are less than any time-out."""
INTERRUPTED = Refusal(502, "backend_interrupted")
CUT = Event("backend_interrupted")
UNHEARD = Refusal(504, "backend_first_byte_timeout")


def refused(message: str, before: float = 0.0, in_stream: bool = False) -> Answer:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    pause: tuple[Piece, ...] = (before,) if before else ()
    if in_stream:
        return Answer([frame(body)], before=pause)
    return json_answer(body, 400, before=pause)


def then(*answers: Callable[[Reply], Answer]) -> Callable[[Reply], Script]:
    """One answer after the other; the last one for all that follow."""

    def script(reply: Reply) -> Script:
        waiting = itertools.chain(answers, itertools.repeat(answers[-1]))
        return lambda received: next(waiting)(reply)

    return script


def no_tools(reply: Reply) -> Answer:
    return refused(NO_TOOLS)


def no_tools_late(reply: Reply) -> Answer:
    return refused(NO_TOOLS, SOON)


def no_tools_in_stream(reply: Reply) -> Answer:
    return refused(NO_TOOLS, in_stream=reply.way == "streamed")


def without_end(before: float = 0.0) -> Callable[[Reply], Script]:
    """Each time for another reason."""
    return then(*(lambda reply, reason=reason: refused(reason, before) for reason in REASONS))


def breaks_inside(reply: Reply) -> Answer:
    return reply.answer([reply.until("inside the call")], ends="broken")


def resets(reply: Reply) -> Answer:
    return reply.raw(0.02, ends="reset")


def resets_late(reply: Reply) -> Answer:
    return reply.raw(SOON, ends="reset")


def hangs(reply: Reply) -> Answer:
    return reply.answer(before=[never()])


def half_a_head(reply: Reply) -> Answer:
    return reply.raw("HTTP/1.1 200 OK\r\nContent-Ty", ends="broken")


def zipped_nonsense(reply: Reply) -> Answer:
    return reply.answer(headers=[("Content-Encoding", "gzip")])


def endless_refusal(reply: Reply) -> Answer:
    """The body of the refusal never ends."""
    head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    return reply.raw(head, '{"error": {"message": "' + NO_TOOLS, never())


def half_a_refusal(reply: Reply) -> Answer:
    head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    return reply.raw(head, '{"error": {"message": "' + NO_TOOLS, ends="broken")


def wrong_call(reply: Reply) -> Answer:
    """A call that cannot be run."""
    text = '<tool_call>\n{"name": "no_such_tool", "arguments": {}}\n</tool_call>'
    spoken = Reply(type(reply.spoken)(reply.spoken.syntax, reply.spoken.model, (text,)), reply.way)
    return spoken.answer()


def leaves_after(seconds: float) -> End:
    """The client goes away, so there is no end to be judged; the world looks at what is left."""

    def leaves(reply: Reply, client: Client) -> None:
        time.sleep(seconds)
        client.leave(reset=reply.way == "buffered")

    return leaves


def _whole_message(reply: Reply, client: Client) -> Json:
    raw = client.rest()
    assert client.status == 200 and not client.broken, (client.status, raw[:300])
    return message_of(whole_stream(raw)) if reply.way == "streamed" else message_in(json.loads(raw))


def first_stands(reply: Reply, client: Client) -> None:
    """The call of the first answer, or no call at all; and one finish reason."""
    message = _whole_message(reply, client)
    assert message["reasons"] in (["stop"], ["tool_calls"]), message
    assert {call["name"] for call in message["calls"]} <= {"no_such_tool"}, message


REFUSALS: tuple[Fault, ...] = (
    Fault("refuses once", then(no_tools, Reply.answer), whole, requests=2),
    Fault("refuses once in an event", then(no_tools_in_stream, Reply.answer), whole, requests=2),
    Fault("refuses the same without end", then(no_tools), Refusal(400, None, NO_TOOLS), requests=2),
    Fault("refuses without end", without_end(), Refusal(400, None, "alternate"), requests=4, asks=RICH),
    Fault(
        "refuses without end while heartbeats tell of it",
        without_end(SOON),
        Event(None, "alternate"),
        Refusal(400, None, "alternate"),
        "beating",
        requests=4,
        asks=RICH,
    ),
    Fault("refuses once after heartbeats", then(no_tools_late, Reply.answer), whole, whole, "beating", requests=2),
    Fault("refuses, then breaks inside the call", then(no_tools, breaks_inside), CUT, INTERRUPTED, requests=2),
    Fault(
        "refuses in an event, then breaks inside the call",
        then(no_tools_in_stream, breaks_inside),
        CUT,
        INTERRUPTED,
        requests=2,
    ),
    Fault("refuses, then resets", then(no_tools, resets), INTERRUPTED, requests=2),
    Fault("refuses late, then resets", then(no_tools_late, resets_late), CUT, INTERRUPTED, "beating", requests=2),
    Fault("refuses, then hangs", then(no_tools, hangs), UNHEARD, either(UNHEARD, TOO_SLOW), requests=2),
    Fault("refuses, then sends half a head", then(no_tools, half_a_head), INTERRUPTED, requests=2),
    Fault("refuses, then says that it zips", then(no_tools, zipped_nonsense), INTERRUPTED, requests=2),
    Fault("refuses and breaks off in it", then(half_a_refusal, Reply.answer), INTERRUPTED, requests=1),
    Fault("refuses and hangs in it", then(endless_refusal, Reply.answer), TOO_SLOW, requests=1),
    Fault("is left before its refusal", then(no_tools_late, Reply.answer), leaves_after(0.15), requests=1),
    Fault("is left between two attempts", then(no_tools, hangs), leaves_after(0.3), requests=2),
    Fault(
        "is left between two attempts, with heartbeats", then(no_tools, hangs), leaves_after(0.3), None, "beating", 2
    ),
    Fault("is left while each attempt is refused", without_end(0.2), leaves_after(0.5), asks=RICH),
    Fault("calls what there is not, without end", then(wrong_call), first_stands, None, "asking", requests=3),
    Fault("refuses, then calls what there is not", then(no_tools, wrong_call), first_stands, None, "asking", 4),
    Fault("breaks when it is asked again", then(wrong_call, breaks_inside), first_stands, None, "asking", requests=2),
    Fault("resets when it is asked again", then(wrong_call, resets), first_stands, None, "asking", requests=2),
    Fault("hangs when it is asked again", then(wrong_call, hangs), first_stands, None, "asking", requests=2),
    Fault("refuses when it is asked again", then(wrong_call, no_tools), first_stands, None, "asking"),
    Fault("is left while it is asked again", then(wrong_call, hangs), leaves_after(0.4), None, "asking", requests=2),
)
"""How often such a backend is asked is part of what must hold."""
