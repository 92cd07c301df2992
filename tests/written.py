"""Calls as `render.py` writes them, but token by token, so that a test knows what is markup and what is a value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from converters.syntaxes import Syntax

Call = tuple[str, Mapping[str, Any]]

VALUES = frozenset({"text", "string", "number"})
"""Kinds of tokens that are data: a text value, a string with its quotes, a number or literal."""


class Token(NamedTuple):
    text: str
    kind: str
    """One of VALUES; `name`, `key`, `id`, `type`; `layout`, blanks between tokens; `edge`, the newline on either side
    of a text value; `mark`, everything else."""
    part: str = ""
    """`open` or `close`, with what it opens or closes: `open value`, `close call`, `close group`."""


_MARK = re.compile(
    r"\[Calling tool:|function call<\|role_sep\|>|-> tool/function_call|\n+|[ ]+|\]<\]minimax\[>\[|```\w*|>>>"
    r"|</?[A-Za-z][\w:|.-]*>|</?[|｜][^<>]*>|</?(?:[|｜][A-Z]+[|｜][ ]?)?[A-Za-z][\w:|.-]*"
    r"|/?>|\[/?[A-Z_]+\]|[=\"]|[^\s<>\[\]=\"`]+|."
)
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|\s+|[^\s{}\[\],:"]+')
_PYTHON = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[{}\[\]():,=]|\s+|[^\s{}\[\]():,='\"]+")


def written(syntax: Syntax, calls: Sequence[Call]) -> list[Token]:
    """The tokens of one turn with these calls. Their texts, joined, are what `render_calls` returns."""
    return [*_run(syntax, calls, _ids(syntax, calls)), *_marks(syntax.turn_end)]


def past(syntax: Syntax, calls: Sequence[Call], ids: Sequence[str] = ()) -> list[Token]:
    """The same without the end of the turn, and with these ids."""
    return list(_run(syntax, calls, ids or _ids(syntax, calls)))


def _ids(syntax: Syntax, calls: Sequence[Call]) -> list[str]:
    numbered = (
        syntax.id.replace("{index}", str(index)).replace("{number}", str(index + 1)) for index in range(len(calls))
    )
    return [each.replace("{name}", name) for each, (name, _) in zip(numbered, calls, strict=True)]


def _run(syntax: Syntax, calls: Sequence[Call], ids: Sequence[str]) -> Iterator[Token]:
    texts = [list(_call(syntax, *call, call_id)) for call, call_id in zip(calls, ids, strict=True)]
    if syntax.group and syntax.grouped == "each":
        named = [(Token(name, "name"), text) for (name, _), text in zip(calls, texts, strict=True)]
        texts = [list(_filled(syntax.group, "group", calls=text, name=[name])) for name, text in named]
    between = list(_marks(syntax.between))
    joined = [token for index, text in enumerate(texts) for token in (*(between if index else ()), *text)]
    if syntax.group and syntax.grouped == "all":
        yield from _filled(syntax.group, "group", calls=joined)
    else:
        yield from joined


def _call(syntax: Syntax, name: str, arguments: Mapping[str, Any], call_id: str) -> Iterator[Token]:
    holes = {"name": [Token(name, "name")], "id": [Token(call_id, "id")]}
    if syntax.shape == "json_object":
        name_key, arguments_key = syntax.keys
        named = {name_key: name, arguments_key: arguments} if name_key else {name: arguments}
        members = {syntax.id_key: call_id, **named} if syntax.id_key else named
        holes["object"] = list(_json(members))
    elif syntax.shape == "pythonic":
        text = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        holes["arguments"] = list(_tokens(_PYTHON, text))
    elif syntax.delimiter:
        holes["arguments"] = list(_relaxed(arguments, syntax.delimiter))
    elif syntax.shape == "named_json":
        holes["arguments"] = list(_json(arguments))
    else:
        holes["parameters"] = [token for each in arguments.items() for token in _parameter(syntax, *each)]
    yield from _filled(syntax.call, "call", **holes)


def _parameter(syntax: Syntax, key: str, value: Any) -> Iterator[Token]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    key = escape(key) if syntax.escaped_keys else key
    holes = {"key": [Token(key, "key")], "type": [Token(_type(syntax, value), "type")], "value": [Token(text, "text")]}
    tokens = list(_filled(syntax.parameter, "value", **holes))
    for index, (token, behind) in enumerate(pairwise(tokens)):
        if behind.kind == "text" and token.kind == "layout":
            tokens[index] = Token(token.text, "edge")
        if token.kind == "text" and behind.kind == "layout":
            tokens[index + 1] = Token(behind.text, "edge")
    yield from tokens


def _type(syntax: Syntax, value: Any) -> str:
    if syntax.string_types[0] == "true":
        return "true" if isinstance(value, str) else "false"
    kinds: dict[type, str] = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}
    return kinds.get(type(value), "number")


def _relaxed(value: Any, delimiter: str) -> Iterator[Token]:
    if isinstance(value, str):
        yield Token(f"{delimiter}{value}{delimiter}", "string")
    elif isinstance(value, Mapping):
        yield Token("{", "mark")
        for index, (key, each) in enumerate(value.items()):
            yield from [Token(",", "mark")] * bool(index)
            yield from (Token(key, "key"), Token(":", "mark"), *_relaxed(each, delimiter))
        yield Token("}", "mark", "close arguments")
    elif isinstance(value, list):
        yield Token("[", "mark")
        for index, each in enumerate(value):
            yield from [Token(",", "mark")] * bool(index)
            yield from _relaxed(each, delimiter)
        yield Token("]", "mark", "close arguments")
    else:
        yield Token(json.dumps(value), "number")


def _json(value: Any) -> Iterator[Token]:
    return _tokens(_JSON, json.dumps(value, ensure_ascii=False))


def _tokens(regex: re.Pattern[str], text: str) -> Iterator[Token]:
    """The tokens of JSON, or of the arguments of a Python call."""
    for found in regex.finditer(text):
        token = found.group()
        if token.isspace():
            yield Token(token, "layout")
        elif token[0] in "\"'":
            yield Token(token, "string")
        elif token in "{}[]():,=":
            yield Token(token, "mark", "close arguments" if token in "}])" else "")
        else:
            yield Token(token, "key" if regex is _PYTHON and text[found.end() :][:1] == "=" else "number")


def _filled(template: str, what: str, **holes: Sequence[Token]) -> Iterator[Token]:
    """The tokens of a template; those before its largest hole open something, those behind it close it."""
    part = f"open {what}"
    for text in re.split(r"(\{\w+\})", template):
        hole = text[1:-1] if text[:1] == "{" else ""
        if hole in holes:
            yield from holes[hole]
            part = f"close {what}" if hole in ("calls", "parameters", "arguments", "object", "value") else part
        else:
            yield from _marks(text, part)


def _marks(text: str, part: str = "") -> Iterator[Token]:
    for found in _MARK.finditer(text):
        yield Token(found.group(), "layout", "") if found.group().isspace() else Token(found.group(), "mark", part)


def joined(tokens: Iterable[Token]) -> str:
    return "".join(token.text for token in tokens)
