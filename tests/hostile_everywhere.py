"""Hypothesis strategies of requests to every client API and to the inspector, and of what backends answer to them.

All of it is well formed (`tests/hostile_faces.py`) but for up to three changes (`tests/hostile_trees.py`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from hypothesis import strategies as st

from tests.backends.adapt.test_refusals import ENGINES
from tests.hostile import HOSTILE, KEYS, LEAVES, LOOSE, NAMES, REPLIES, STREAMS, TEXTS, Raw, Text, Told, quoted
from tests.hostile_faces import (
    ASKINGS,
    LISTS,
    REFUSED,
    SHOWN,
    STREAMED,
    TOKENIZED,
    WHOLE,
    Asking,
    Backend,
    Json,
)
from tests.hostile_trees import HOWS, Change, changed

WORDS: Text = st.one_of(
    LEAVES,
    LEAVES,
    HOSTILE,
    TEXTS.map(quoted),
    st.sampled_from([*NAMES, *LOOSE]).map(quoted),
    st.sampled_from(["@response@", "@item@", "@call@", "@record@"]).map(quoted),
)
MEMBERS = (
    *("type", "id", "name", "role", "content", "text", "input", "output", "call_id", "tool_calls", "tool_call_id"),
    *("arguments", "function", "parameters", "input_schema", "summary", "encrypted_content", "status", "images"),
    *("stream", "store", "include", "previous_response_id", "tools", "tool_choice", "metadata", "reasoning", "n"),
    *("thinking", "think", "format", "options", "stop", "system", "instructions", "max_tokens", "top_logprobs"),
    *("response_format", "logprobs", "background", "source", "is_error", "error", "message", "code", "usage"),
    *KEYS,
)
CHANGES = st.lists(
    st.builds(Change, st.integers(0, 1 << 16), st.sampled_from(HOWS), WORDS, st.sampled_from(MEMBERS)), max_size=3
).map(tuple)
PARAMETERS = (
    *("limit", "after", "order", "include", "include[]", "stream", "q", "since", "until", "model", "before", "status"),
    *("before_id", "after_id", "client_version", "slow", "failed", "page", "request", "texts", "key", "code", "face"),
)
HEADERS: Sequence[tuple[tuple[str, str], ...]] = (
    *((), (), (), (), (), ()),
    (("x-dragoman-syntax", "hermes"),),
    (("x-dragoman-syntax", "\xff{}"),),
    (("x-request-id", "@record@"),),
    (("x-request-id", "a\xff b" * 100),),
    (("user-agent", "codex_cli_rs/0.171"), ("anthropic-beta", "\xe9")),
    (("accept-language", "ko;q=x,\xff"), ("accept", "text/html")),
)


def bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def frames_of(chunks: Sequence[Json], changes: Sequence[Change]) -> str:
    """A stream of which each change is made in one chunk."""
    told = [
        changed(chunk, [each for each in changes if each.place % len(chunks) == at]) for at, chunk in enumerate(chunks)
    ]
    return "".join(f"data: {each}\n\n" for each in told) + "data: [DONE]\n\n"


def _made(samples: Sequence[Json]) -> Text:
    return st.builds(changed, st.sampled_from(samples), CHANGES)


_FRAMES = st.one_of(st.builds(frames_of, st.sampled_from(STREAMED), CHANGES), STREAMS)
_WHOLE = st.one_of(_made(WHOLE), REPLIES)
_BESIDE: dict[Backend, Text] = {"models": _made(LISTS), "tokens": _made(TOKENIZED), "show": _made(SHOWN)}
_SENTENCES = st.sampled_from(sorted({words for _, words, _ in ENGINES}))
_REFUSALS = st.lists(
    st.builds(
        lambda status, body, sentence: Told(status, bytes_of(body.replace("@words@", quoted(sentence)[1:-1]))),
        st.sampled_from([400, 400, 400, 422, 500, 501]),
        _made(REFUSED),
        _SENTENCES,
    ),
    max_size=3,
).map(tuple)


def asked(asking: Asking, changes: Sequence[Change]) -> bytes:
    """The body of a request with changes."""
    return bytes_of(changed(asking.body, changes)) if asking.body is not None else b""


def _answers(asking: Asking) -> st.SearchStrategy[tuple[str, bool]]:
    """(an answer, whether it is sent as a stream): as was asked for, but once in a while."""
    if asking.backend != "chat":
        return _BESIDE[asking.backend].map(lambda body: (body, False))
    return st.integers(0, 20).flatmap(
        lambda dice: (
            _FRAMES.map(lambda text: (text, True))
            if asking.streams != (dice == 0)
            else _WHOLE.map(lambda text: (text, False))
        )
    )


def _raw(asking: Asking) -> st.SearchStrategy[Raw]:
    def build(
        changes: tuple[Change, ...],
        answer: tuple[str, bool],
        refusals: tuple[Told, ...],
        extra: tuple[int, str, str, tuple[tuple[str, str], ...]],
        status: int,
    ) -> Raw:
        dice, name, value, headers = extra
        where = replace(asking, headers=(*asking.headers, *headers))
        if asking.method == "GET" and dice < 4:
            mark = "&" if "?" in asking.target else "?"
            where = replace(where, target=f"{asking.target}{mark}{name}={quote(bytes_of(value))}")
        body, as_stream = answer
        return Raw(
            asked(asking, changes),
            asking.streams,
            bytes_of(body),
            as_stream,
            status if dice == 5 else 200,
            where,
            refusals if dice > 15 and asking.backend == "chat" else (),
            changes,
        )

    extra = st.tuples(st.integers(0, 20), st.sampled_from(PARAMETERS), WORDS, st.sampled_from(HEADERS))
    statuses = st.sampled_from([201, 204, 400, 404, 422, 429, 500, 503, 599])
    return st.builds(build, CHANGES, _answers(asking), _REFUSALS, extra, statuses)


EVERYWHERE = st.sampled_from(ASKINGS).flatmap(_raw)
"""A request to any API, and what comes of it."""


def mixed_up(one: Raw, others: Sequence[Raw], dice: random.Random) -> Raw:
    """The same with changes of others, at other places."""
    if one.asking.body is None:
        return one
    pool = [change for other in dice.choices(others, k=3) for change in other.changes]
    changes = tuple(
        replace(change, place=dice.randrange(1 << 16), how=dice.choice(HOWS))
        for change in dice.sample(pool, min(len(pool), dice.choice((0, 1, 1, 2, 3))))
    )
    return replace(one, request=asked(one.asking, changes), changes=changes)
