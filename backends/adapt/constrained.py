"""A grammar for a demanded call, where the tools stand in the prompt and the server takes grammars (`CONSTRAIN`).

A server that gets tools constrains a demanded call itself. Prompted tools are text to it, so that the grammar must say
how the model writes a call. The grammar is GBNF, which llama-server takes as `grammar`, SGLang as `ebnf` (through
XGrammar), and vLLM as `structured_outputs.grammar`. It fixes the markup and the name. The arguments are any JSON
object, and are validated as always.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backends.adapt.facts import Request
from converters.render import render_calls
from converters.syntaxes import Syntax

_FIELDS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "llamacpp": lambda grammar: {"grammar": grammar},
    "sglang": lambda grammar: {"ebnf": grammar},
    "vllm": lambda grammar: {"structured_outputs": {"grammar": grammar}},
}
"""By preset of the backend: the fields that bring a grammar."""
_TAKEN = frozenset({"grammar", "json_schema", "ebnf", "regex", "structured_outputs", "response_format"})
"""Fields of a request that already says what the answer looks like."""
_SPECIAL = re.compile(r"<\||\|>|｜")
"""Parts of special tokens. A grammar speaks of text, and a server may hide such tokens from it."""
_PROBE = {"a": "b"}
_MOST_TOOLS = 64

_JSON = r"""
object ::= "{" ws ( string ws ":" ws value ( ws "," ws string ws ":" ws value )* ws )? "}"
array ::= "[" ws ( value ( ws "," ws value )* ws )? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" ( [^"\\\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" [0-9a-fA-F]{4} ) )* "\""
number ::= "-"? ( "0" | [1-9] [0-9]* ) ( "." [0-9]+ )? ( [eE] [-+]? [0-9]+ )?
ws ::= [ \t\n]*
"""
"""JSON by RFC 8259, with little white space."""


def constrained(written: Request, names: Sequence[str], syntax: Syntax, preset: str | None) -> Request:
    """`written` with a grammar that allows nothing but one call of one of `names`.

    The same object if there is no such grammar, if the server takes none, or if the request says already what its
    answer looks like.
    """
    fields = _FIELDS.get(preset or "")
    if fields is None or not names or len(names) > _MOST_TOOLS or not _TAKEN.isdisjoint(written):
        return written
    grammar = grammar_of(names, syntax)
    return written if grammar is None else {**written, **fields(grammar)}


def grammar_of(names: Sequence[str], syntax: Syntax) -> str | None:
    """The grammar of one call, written in a row; None for a row whose arguments are no JSON object."""
    calls: list[str] = []
    for name in names:
        before, found, behind = render_calls(syntax, [(name, _PROBE)]).partition(json.dumps(_PROBE))
        if not found or _SPECIAL.search(before + behind):
            return None
        calls.append(f"{_literal(before)} object {_literal(behind)}".strip())
    return f"root ::= {' | '.join(calls)}{_JSON}"


def _literal(text: str) -> str:
    """Text as a terminal of GBNF, whose escapes are those of JSON as far as they are used here."""
    return json.dumps(text) if text else ""
