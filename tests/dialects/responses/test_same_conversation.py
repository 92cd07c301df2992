"""What the backend is asked is the same, whether a client sends all items again or names the response before."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Reasoning, Text
from dialects.responses import Responses
from reply import Finish, FoundAnswer, Step
from tests.answers import Json


class Kept:
    """A ResponseStore of a dictionary."""

    longest = 1 << 20
    most_bytes = 1 << 26

    def __init__(self) -> None:
        self.found: dict[str, FoundAnswer] = {}
        self._number = itertools.count()

    def new_token(self) -> str:
        return f"{next(self._number):040x}"

    def find(self, response_id: str, owner: str | None, patient: bool = True) -> FoundAnswer | None:
        return self.found.get(response_id)

    def conversation(self, response_id: str, owner: str | None) -> Sequence[FoundAnswer]:
        chain = [self.found[response_id]]
        while chain[0].previous is not None:
            chain.insert(0, self.found[chain[0].previous])
        return chain

    def delete(self, response_id: str, owner: str | None) -> bool:
        return self.found.pop(response_id, None) is not None


TOOLS: list[Json] = [
    {"type": "function", "name": "f", "parameters": {"type": "object"}},
    {"type": "custom", "name": "patch"},
    {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g"}]},
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PART = st.one_of(
    TEXT.map(lambda text: {"type": "input_text", "text": text}),
    st.just({"type": "input_image", "image_url": "data:image/png;base64,AA=="}),
)
ITEM = st.one_of(
    TEXT.map(lambda text: {"role": "user", "content": text}),
    st.lists(PART, min_size=1, max_size=2).map(lambda parts: {"type": "message", "role": "user", "content": parts}),
    TEXT.map(lambda text: {"type": "message", "role": "assistant", "content": text}),
    TEXT.map(lambda text: {"type": "function_call_output", "call_id": "c", "output": text}),
    TEXT.map(lambda text: {"type": "mystery", "text": text}),
    st.just({"type": "item_reference", "id": "rs_elsewhere"}),
)
INPUT = st.one_of(TEXT, st.lists(ITEM, max_size=3))
CALL = st.sampled_from([("f", '{"a": 1}'), ("patch", '{"input": "*** x\\n"}'), ("n__g", "{}")])
EVENTS = st.lists(st.one_of(TEXT.map(Text), TEXT.map(Reasoning), CALL), max_size=4)
REASON = st.sampled_from(["stop", "length"])
MODEL = st.sampled_from(["glm-4.6", "gpt-oss-20b", "qwen3-coder"])
TURN = st.tuples(INPUT, EVENTS, REASON, st.booleans())


def answered(dialect: Responses, store: Kept, asked: Json, events: Sequence[Any], reason: str) -> Json:
    """The response to a request, which is stored if it is to be."""
    raw = json.dumps(asked).encode()
    parsed = dialect.parse_request(raw)
    if parsed.kept is not None:
        parsed.kept.taken = True
    writer = dialect.stream_writer(parsed)
    calls = itertools.count()
    for event in events:
        if isinstance(event, tuple):
            index = next(calls)
            told: list[Any] = [CallStart(index, event[0]), ArgumentsDelta(index, event[1]), CallEnd(index)]
        else:
            told = [event]
        writer.write(Step(None, [(0, each) for each in told]))
    writer.write(Step(None, [(0, Finish(reason))]))
    last = writer.end("outcome").rpartition(b"\ndata: ")[2]
    kept = parsed.kept
    if kept is not None and kept.body is not None:
        store.found[kept.id] = FoundAnswer(kept.id, raw, kept.body, kept.previous)
        assert json.loads(kept.body) == json.loads(last)["response"]
    found: Json = json.loads(last)["response"]
    return found


@settings(max_examples=120, deadline=None)
@given(st.lists(TURN, min_size=1, max_size=4), INPUT, MODEL)
def test_naming_a_response_is_sending_all_before_it(turns: list[Any], last: Any, model: str) -> None:
    store = Kept()
    dialect = Responses(store=store)
    common: Json = {"model": model, "tools": TOOLS, "instructions": "Be brief."}
    items: list[Json] = []
    previous: str | None = None
    for asked, events, reason, encrypted in [*turns, (last, [], "stop", False)]:
        given_now = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        include = {"include": ["reasoning.encrypted_content"]} if encrypted else {}
        short = {**common, **include, "input": asked, "previous_response_id": previous}
        items += given_now
        found = dialect.parse_request(json.dumps(short).encode()).upstream.body
        whole = dialect.parse_request(json.dumps({**common, **include, "input": items}).encode()).upstream.body
        assert found == whole
        response = answered(dialect, store, short, events, reason)
        previous = response["id"]
        items += response["output"]


@settings(max_examples=60, deadline=None)
@given(st.lists(TURN, min_size=1, max_size=4), MODEL)
def test_what_was_sent_before_is_the_beginning_of_what_is_sent(turns: list[Any], model: str) -> None:
    store = Kept()
    dialect = Responses(store=store)
    previous: str | None = None
    before = b""
    for text, events, _, _ in turns:
        user = text if isinstance(text, str) else "Go on."
        asked = {"model": model, "tools": TOOLS, "input": user, "previous_response_id": previous}
        body = dialect.parse_request(json.dumps(asked).encode()).upstream.body
        sent = body[body.index(b'"messages":[') : body.rindex(b"]")]
        assert sent.startswith(before)
        before = sent
        previous = answered(dialect, store, asked, events, "stop")["id"]
