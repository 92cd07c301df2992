"""The form that an answer to a hostile request must have, API by API."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from tests.dialects.faces import message_of_error
from tests.dialects.messages.reading import read_stream
from tests.dialects.ollama import talk
from tests.dialects.responses.reading import assembled, events_of
from tests.hostile import Raw

REFUSALS = (400, 404, 405, 413, 415)
"""Statuses of what a client has got wrong."""
FAILURES = (502, 504)
UNREAD = (408, 414, 431)
"""Statuses of a request whose head was not read: nobody knows its API, so the error has OpenAI's form."""
_QUOTED = re.compile(r"'[^']+'")


def in_form(status: int, kind: str, body: bytes, raw: Raw) -> None:
    """AssertionError for anything but an answer in form. `kind` is its Content-Type."""
    own = status in (each.status for each in raw.refusals) or status == raw.status
    assert status != 500 or (own and b"The proxy failed" not in body), f"a 500: {body[:500]!r}"
    assert status != 503 or own, f"it was not to be had: {body[:500]!r}"  # the store of records, for one
    if status == 204:
        return
    face = raw.asking.face
    if face == "chat":
        _chat(status, kind, body, raw)
    elif face == "page" and kind.startswith("text/html"):
        assert body.rstrip().endswith(b"</html>"), body[-200:]
    elif face == "other":
        assert status < 600
        if kind.startswith("application/json") and body not in (raw.answer, *(each.body for each in raw.refusals)):
            strictly(body.decode())
    elif body == raw.answer and raw.asking.target.startswith("/v1/models"):
        pass  # some clients get the list of the backend
    elif not 200 <= status < 300:
        _error(status, kind, body, raw)
    elif kind.startswith("text/event-stream"):
        _stream(face, body)
    elif kind.startswith("application/x-ndjson"):
        talk.lines(body, strictly)
    else:
        assert kind.startswith("application/json"), f"{kind} {body[:200]!r}"
        _whole(face, strictly(body.decode()))


def strictly(text: str) -> Any:
    """The value of JSON that any reader takes: no NaN. Integers of any length are texts."""
    return json.loads(text, parse_constant=_no_constant, parse_int=_integer)


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 4000 else digits


def _error(status: int, kind: str, body: bytes, raw: Raw) -> None:
    """An error in the shape of the API, which says what is wrong."""
    assert kind.startswith("application/json"), f"{status} {kind} {body[:200]!r}"
    told = strictly(body.decode())
    if body in (raw.answer, *(each.body for each in raw.refusals)):
        return  # an error that has the shape of the API already passes as it came
    message = message_of_error("chat" if status in UNREAD else raw.asking.error_face, told)
    assert message, body[:200]
    if status in UNREAD:
        return
    if raw.status == 200 and not raw.refusals and raw.asking.backend == "chat":
        assert status in (*REFUSALS, *FAILURES), f"{status} {body[:300]!r}"
        if status == 400 and raw.asking.method == "POST" and raw.asking.face != "side":
            assert _QUOTED.search(message) or message.startswith(("The request", "The model")), (
                f"it names no field: {message}"
            )


def _stream(face: str, body: bytes) -> None:
    if face == "responses":
        assembled(events_of(body, strict=False, loads=strictly))
    else:
        assert face == "messages", f"{face} has no events: {body[:200]!r}"
        read_stream(body, strictly)


def _whole(face: str, told: Any) -> None:
    assert isinstance(told, dict), f"no object: {str(told)[:200]}"
    if face == "responses":
        assert told["object"] == "response" and isinstance(told["output"], list), str(told)[:300]
        assert told["status"] in ("completed", "incomplete"), told["status"]
    elif face == "messages":
        assert told["type"] == "message" and told["stop_reason"], str(told)[:300]
        assert all(isinstance(block["type"], str) for block in told["content"])
    elif face in ("ollama", "generate"):
        assert told["done"] is True and isinstance(told["model"], str), str(told)[:300]


def _chat(status: int, kind: str, body: bytes, raw: Raw) -> None:
    if kind.startswith("text/event-stream"):
        events, sent = _events(body), set(_events(raw.answer))
        assert events and events[-1] == "[DONE]" and events.count("[DONE]") == 1, (
            f"it does not end well: {body[-300:]!r}"
        )
        for event in events[:-1]:
            if event not in sent:  # what needs no change passes as it came
                assert isinstance(_object_of(event), dict), f"an event is no object: {event[:200]}"
        return
    assert kind.startswith("application/json"), f"{status} {kind} {body[:200]!r}"
    reply = _object_of(body.decode(errors="replace"))
    if status != raw.status or status != 200:
        if raw.status == 200 and not raw.refusals:
            assert status in (400, 502), f"{status} {body[:200]!r}"
            assert isinstance(reply["error"]["message"], str), body[:200]
        return
    assert isinstance(reply, dict) or body == raw.answer, f"no object: {body[:200]!r}"


def _object_of(text: str) -> Any:
    """NaN may stand in it: the members that nobody looks into pass as they came."""
    return json.loads(text, parse_int=_integer)


def _events(body: bytes) -> list[str]:
    """The data of each event."""
    found = []
    text = body.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    for block in text.split("\n\n"):
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            found.append("\n".join(data))
    return found
