"""Hypothesis strategies of what hostile models, schemas, backends and clients write.

Everything is spelled here as JSON text, not as values: so that there are NaN, duplicate keys, endless numbers and
halves of surrogate pairs in it, which `json.dumps` does not write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from converters import SYNTAXES
from converters.syntaxes.tokens import END_TOKENS
from tests.hostile_faces import Asking
from tests.hostile_trees import Change

Text = st.SearchStrategy[str]


CHAT = Asking("chat", "/v1/chat/completions")


@dataclass(frozen=True)
class Told:
    """What the backend answers before the answer that counts."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Raw:
    """A request, and what the backend answers."""

    request: bytes
    stream: bool
    answer: bytes
    as_stream: bool
    """Whether the answer is sent as server-sent events."""
    status: int = 200
    asking: Asking = CHAT
    """Of which API the request is, where it goes and with which headers; not its body."""
    refusals: tuple[Told, ...] = ()
    changes: tuple[Change, ...] = ()
    """What was changed in the body of `asking`."""


def quoted(text: str) -> str:
    """A JSON string. Half a surrogate pair is written as an escape."""
    return json.dumps(text)


# -- values that no field expects --------------------------------------------------------------------------------------

NUMBERS = (
    *("0", "-1", "1.5", "1e9999999999999999999", "-1e-9999999999999999999", "NaN", "Infinity", "-Infinity", "-0"),
    *(
        "9" * 5000,
        "1" + "0" * 400,
        "0." + "1" * 5000,
        "1e400",
        "9223372036854775808",
        "4294967296",
        "2147483647",
        "1e2",
    ),
)
STRINGS = (
    *('""', '" "', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u2028\\u0085"', '"x"', '"0"', '"1e999"', '"true"'),
    *(
        '"\\ud83d"',
        '"\\n\\r\\n\\ndata: [DONE]\\n\\n"',
        '"__proto__"',
        '"[DONE]"',
        '"assistant"',
        '"function"',
        '"stop"',
    ),
    quoted("x" * 3000),
    quoted("#/anyOf/" + "9" * 5000),
    quoted("(a+)+$"),
)
WORDS = ("null", "true", "false")
DEEP = (
    *("[" * depth + "]" * depth for depth in (3, 60, 125, 129, 900, 5000)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (60, 125, 129, 900, 5000)),
)
LEAVES = st.sampled_from(
    [*NUMBERS, *STRINGS, *WORDS, "[]", "{}", "[null]", "[[]]", '{"":{}}', '{"a":1,"a":2}', "[1,2,3]"]
)
KEYS = (
    *(
        "a",
        "",
        "name",
        "arguments",
        "type",
        "id",
        "index",
        "content",
        "function",
        "properties",
        "items",
        "$ref",
        "role",
    ),
    *("parameters", "\x00", "\ud800", "é", "choices", "delta", "message", "tool_calls", "__class__", "input", "args"),
)


def objects(values: Text, keys: Sequence[str] = KEYS, most: int = 3) -> Text:
    pairs = st.lists(st.tuples(st.sampled_from(list(keys)), values), max_size=most)
    return pairs.map(lambda some: "{" + ",".join(f"{quoted(key)}:{value}" for key, value in some) + "}")


def arrays(values: Text, most: int = 3) -> Text:
    return st.lists(values, max_size=most).map(lambda some: "[" + ",".join(some) + "]")


HOSTILE: Text = st.one_of(
    LEAVES,
    st.sampled_from(DEEP),
    st.recursive(LEAVES, lambda inner: st.one_of(objects(inner), arrays(inner)), max_leaves=6),
)


def mostly(good: Text, bad: Text = HOSTILE, one_in: int = 6) -> Text:
    """Nearly always right, so that what lies behind is reached."""
    return st.integers(1, one_in).flatmap(lambda dice: bad if dice == 1 else good)


def record(fields: dict[str, Text], one_in: int = 8) -> Text:
    """An object with these members: one may be missing, there twice, or something else."""

    def spell(values: tuple[tuple[int, str], ...]) -> str:
        pairs = []
        for name, (dice, value) in zip(fields, values, strict=True):
            if dice != 1:
                pairs.append(f"{quoted(name)}:{value}")
            if dice == 2:
                pairs.append(f"{quoted(name)}:{value}")
        return "{" + ",".join(pairs) + "}"

    each = [st.tuples(st.integers(1, 3 * one_in), mostly(values, one_in=one_in)) for values in fields.values()]
    return st.tuples(*each).map(spell)


# -- model text --------------------------------------------------------------------------------------------------------

HOLES = re.compile(r"\{\w+\}")
FRAGMENTS = sorted(
    {
        part
        for row in SYNTAXES
        for sample in (row.group, row.call, row.parameter)
        for part in HOLES.split(sample)
        if part
    }
)
NAMES = ("get_weather", "f", "", "nobody", "functions.get_weather:0", "x" * 500, "get_weather\n", "\ud800", "f.f", "π")
LOOSE = (
    *(
        "<think>",
        "</think>",
        "```",
        "```json\n",
        "`",
        "\n",
        " ",
        "\u2028",
        "\ud83d",
        "\ud800",
        "{",
        "}",
        "[",
        '"',
        "\\",
        "'",
    ),
    *('{"name": "f", "arguments": ', '{"name": "get_weather", "parameters": {"city": "', "f(a=", "[f(", "NaN", "\x00"),
    *("Hello.", "<|channel|>", "<tool_response>", "<!--", "<", "&lt;", "\ufeff", "a" * 200, "<think>" * 30, "[" * 300),
)
VALUES: Text = st.one_of(HOSTILE, st.text(max_size=8), st.sampled_from([*LOOSE, *NUMBERS]))
ARGUMENTS: Text = st.one_of(
    objects(VALUES, ("city", "days", "a", "b", "c", "", "properties", "$ref")),
    VALUES,
    st.sampled_from(
        ["{'city': 'x', 'days': 1,}", '{"city": "x"', "{city: x}", '{{"a": 1}}', '{"a": {"arguments": {}}}']
    ),
)
_SAMPLES = sorted({row.group.replace("{calls}", row.call) or row.call for row in SYNTAXES})
_BY_CALL = {row.group.replace("{calls}", row.call) or row.call: row.parameter for row in SYNTAXES}


def _written(sample: str) -> Text:
    """A call of a row, its holes filled with anything."""
    parameter = _BY_CALL[sample]

    def fill(holes: tuple[str, str, str, str]) -> str:
        name, arguments, value, key = holes
        made = parameter.replace("{key}", key).replace("{value}", value)
        given = {"name": name, "arguments": arguments, "parameters": made, "id": f"functions.{name}:0"}
        given["object"] = f'{{"name": {quoted(name)}, "arguments": {arguments}}}'
        return HOLES.sub(lambda hole: given.get(hole[0][1:-1], value), sample)

    keys = st.sampled_from(["city", "days", "a", "b", "c", "", "x" * 300, "\n"])
    return st.tuples(st.sampled_from(NAMES), ARGUMENTS, VALUES, keys).map(fill)


TEXTS: Text = st.lists(
    st.one_of(
        st.sampled_from(_SAMPLES).flatmap(_written),
        st.sampled_from([*FRAGMENTS, *END_TOKENS]),
        st.sampled_from(LOOSE),
        st.text(max_size=10),
        st.tuples(st.sampled_from([*FRAGMENTS, *LOOSE[:20]]), st.integers(2, 50)).map(lambda pair: pair[0] * pair[1]),
    ),
    max_size=5,
).map("".join)

# -- schemas and requests ----------------------------------------------------------------------------------------------

REFERENCES = (
    *(
        "#",
        "#/",
        "#/properties/a",
        "#/$defs/x",
        "#/anyOf/0",
        "#/anyOf/" + "9" * 5000,
        "#/anyOf/-1",
        "http://x/y",
        "",
        "#/%",
    ),
    *("#/properties/a/properties/a", "#/~2", "#a", "/" * 2000, "#" + "/items" * 1500),
)
_TYPES = ("string", "integer", "number", "boolean", "object", "array", "null", "wrong", "")
_PATTERNS = ("(a+)+$", "((((", "^(a|a)*$", "[", "\\", "(?<x>a)", "a{99999}", "(" * 300, "\ud800")


def _schema_of(inner: Text) -> Text:
    schema_fields: dict[str, Text] = {
        "type": st.one_of(st.sampled_from(_TYPES).map(quoted), arrays(st.sampled_from(_TYPES).map(quoted))),
        "properties": objects(inner, ("city", "days", "a", "b", "c")),
        "items": inner,
        "anyOf": arrays(inner),
        "oneOf": arrays(inner),
        "allOf": arrays(inner),
        "not": inner,
        "$ref": st.sampled_from(REFERENCES).map(quoted),
        "$defs": objects(inner, ("x", "a")),
        "enum": arrays(HOSTILE),
        "const": HOSTILE,
        "pattern": st.sampled_from(_PATTERNS).map(quoted),
        "patternProperties": objects(inner, _PATTERNS),
        "additionalProperties": inner,
        "required": arrays(st.sampled_from(["city", "a"]).map(quoted)),
        "minimum": st.sampled_from(NUMBERS),
        "multipleOf": st.sampled_from(NUMBERS),
        "maxLength": st.sampled_from(NUMBERS),
        "format": st.sampled_from(["date-time", "regex", ""]).map(quoted),
        "default": HOSTILE,
    }
    names = st.lists(st.sampled_from(sorted(schema_fields)), max_size=4)
    return names.flatmap(lambda some: record({name: schema_fields[name] for name in dict.fromkeys(some)}))


SCHEMAS: Text = st.recursive(LEAVES, _schema_of, max_leaves=4).map(str)
_PARAMETERS = st.one_of(
    _schema_of(SCHEMAS),
    objects(SCHEMAS, ("city", "days", "a", "b", "c")).map(lambda given: f'{{"type":"object","properties":{given}}}'),
)
_FUNCTION: dict[str, Text] = {
    "name": st.sampled_from(NAMES).map(quoted),
    "description": st.just('"x"'),
    "parameters": _PARAMETERS,
    "strict": LEAVES,
}
TOOLS = record({"type": st.just('"function"'), "function": record(_FUNCTION)})
MODELS = (
    *(
        "m",
        "glm-4.5",
        "qwen3-coder",
        "gpt-oss-20b",
        "deepseek-r1",
        "functiongemma",
        "kimi-k2",
        "llama-3.1",
        "minimax-m2",
    ),
    *("", "x" * 3000, "\ud800", "gemma-4", "mistral", "granite-3", "command-r", "cogito"),
)
_MESSAGES = arrays(
    record(
        {
            "role": st.sampled_from(["user", "assistant", "tool", "system", "developer", ""]).map(quoted),
            "content": st.one_of(
                TEXTS.map(quoted), arrays(record({"type": st.just('"text"'), "text": st.just('"x"')}))
            ),
            "tool_calls": st.one_of(st.just("[]"), arrays(HOSTILE)),
            "tool_call_id": LEAVES,
        },
        one_in=5,
    )
)
_ODD: tuple[str, ...] = (
    "n",
    "logprobs",
    "stream_options",
    "response_format",
    "functions",
    "function_call",
    "parallel_tool_calls",
    "stop",
)
_ODD += (
    "chat_template_kwargs",
    "reasoning_effort",
    "max_tokens",
    "tool_choice",
    "thinking",
    "reasoning",
    "stream",
    "user",
)


def _request(parts: tuple[str, str, str, bool, list[tuple[str, str]]]) -> tuple[bytes, bool]:
    model, messages, tools, stream, odd = parts
    pairs = [("model", model), ("messages", messages), ("tools", tools)]
    pairs += [("stream", "true")] if stream else []
    text = "{" + ",".join(f"{quoted(name)}:{value}" for name, value in [*pairs, *odd]) + "}"
    return text.encode("utf-8", "surrogatepass"), stream


REQUESTS = st.tuples(
    mostly(st.sampled_from(MODELS).map(quoted), one_in=20),
    mostly(_MESSAGES, one_in=20),
    mostly(arrays(TOOLS), one_in=10),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(_ODD), HOSTILE), max_size=1),
).map(_request)

# -- answers -----------------------------------------------------------------------------------------------------------

_INDEX = mostly(st.sampled_from(["0", "0", "0", "1"]), one_in=10)
_REASONS = st.sampled_from(["null", "null", "null", '"stop"', '"tool_calls"', '"length"', '""', '"wrong"'])
_CALL = record(
    {
        "index": _INDEX,
        "id": st.sampled_from(['"a"', '"b"', "null", '""', quoted("i" * 2000)]),
        "type": st.just('"function"'),
        "function": record(
            {
                "name": st.sampled_from(NAMES).map(quoted),
                "arguments": st.one_of(ARGUMENTS.map(quoted), TEXTS.map(quoted), st.sampled_from(['""', '"{"', '"}"'])),
            }
        ),
    }
)


def _spoken(call: Text) -> dict[str, Text]:
    """What a delta or a message may hold."""
    return {
        "role": st.just('"assistant"'),
        "content": mostly(TEXTS.map(quoted), one_in=20),
        "reasoning_content": mostly(TEXTS.map(quoted), st.one_of(st.just("null"), HOSTILE), one_in=2),
        "reasoning": st.one_of(st.just("null"), HOSTILE),
        "tool_calls": st.one_of(st.just("null"), arrays(call)),
        "function_call": st.one_of(st.just("null"), st.just("null"), HOSTILE),
        "refusal": LEAVES,
    }


def _some(fields: dict[str, Text]) -> Text:
    names = st.sets(st.sampled_from(sorted(fields)), min_size=1, max_size=3)
    return names.flatmap(lambda some: record({name: fields[name] for name in sorted(some)}, one_in=15))


_USAGE = st.one_of(st.just("null"), record({"prompt_tokens": st.just("1"), "total_tokens": LEAVES}))
_LOGPROBS = st.one_of(
    st.just("null"), record({"content": arrays(record({"token": st.just('"x"'), "logprob": LEAVES}))})
)


def _answer(kind: str, inner: str) -> Text:
    choice: dict[str, Text] = {"index": _INDEX, inner: _some(_spoken(_CALL)), "finish_reason": _REASONS}
    choice["logprobs"] = _LOGPROBS
    return record(
        {
            "id": st.just('"chatcmpl-1"'),
            "object": st.just(quoted(kind)),
            "created": st.just("1700000000"),
            "model": st.just('"m"'),
            "choices": arrays(record(choice, one_in=20), most=2),
            "usage": _USAGE,
            **({"error": HOSTILE} if kind == "never" else {}),
        },
        one_in=40,
    )


CHUNKS = _answer("chat.completion.chunk", "delta")
REPLIES = _answer("chat.completion", "message")
_DATA = mostly(
    CHUNKS, st.one_of(HOSTILE, st.sampled_from(["", "{", "[DONE]", '{"error": 7}', '{"error": {"message": []}}'])), 15
)
_FRAMES = mostly(
    _DATA.map(lambda data: f"data: {data}\n\n"),
    st.one_of(
        st.sampled_from(
            [": x\n\n", "event: x\n\n", "\n", "data\n\n", "data:\n\n", "\ufeff", "id: 1\nretry: x\n\n", "{}\n"]
        ),
        _DATA.map(lambda data: f"event: x\r\ndata: {data}\r\n\r\n"),
        _DATA.map(lambda data: f"data:{data[: len(data) // 2]}\ndata:{data[len(data) // 2 :]}\n\n"),
        _DATA.map(lambda data: data[: len(data) // 2]),
    ),
    10,
)
STREAMS = st.tuples(
    st.lists(_FRAMES, max_size=5).map("".join),
    st.sampled_from(['data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n', ""]),
    st.sampled_from(["data: [DONE]\n\n", "data: [DONE]\n\n", "", "data: [DONE]"]),
).map("".join)


def _bytes(text: str, dice: int) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return data if dice else data.replace(b"o", b"\xff", 1)


EXCHANGES = st.builds(
    lambda asked, whole, frames, dice, broken, status: Raw(
        asked[0],
        asked[1],
        _bytes(frames if asked[1] != (dice == 0) else whole, broken),
        asked[1] != (dice == 0),
        status if dice == 1 else 200,
    ),
    REQUESTS,
    mostly(REPLIES, HOSTILE, 20),
    STREAMS,
    st.integers(0, 25),
    st.integers(0, 25),
    st.sampled_from([200, 201, 204, 400, 404, 422, 429, 503, 599]),
)
