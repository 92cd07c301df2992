"""What a row of the table is: a sample of what a model writes, with holes.

`{name}` and `{id}` stand for the function's, `{parameters}` is made of one `parameter` for each `{key}` and `{value}`,
and `{object}` stands where one JSON object carries it all. Reading and writing both follow the sample (shapes/ and
render.py). In reading, a newline of the sample is layout, except that newlines which touch `{value}` belong to the
markup if the value begins on a line of its own. A `group` may stand around the calls; without it a call is believed
only if its name is declared.

It may not know how anything is parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Syntax:
    """One row. `models` and `prefilled` are regexes, searched in a model's name as `plain_name` writes it."""

    name: str
    shape: Literal["json_object", "named_json", "tagged", "elements", "pythonic", "relaxed"]
    call: str
    source: str
    also_call: tuple[str, ...] = ()
    """Other ways in which `call` is written."""
    parameter: str = ""
    also_parameter: tuple[str, ...] = ()
    group: str = ""
    also_group: tuple[str, ...] = ()
    grouped: Literal["all", "each"] = "all"
    """How the model uses `group`: around all calls of a turn, or around each."""
    between: str = "\n"
    turn_end: str = ""
    """What the model writes behind the last call of a turn. Reading does not need it."""
    delimiter: str = ""
    """What a string stands between, where that is a token and no quote."""
    prefix: str = ""
    """A prefix that tags may carry in front of their names, each tag for itself."""
    lead_token: str = ""
    """A token that stands in front of each tag; some models write white space behind it."""
    suffixed: bool = False
    """All tags may carry one suffix behind a colon, which is any, but the same for all: `<tool_call:opensource>`."""
    prefilled_call: str = ""
    """What of `call` the prompt has written, so that an answer may begin behind it."""
    keys: tuple[str, str] = ("name", "arguments")
    """The keys of name and arguments in an object; two empty ones where the name itself is the key."""
    id_key: str = ""
    """The key of the call's id, where an object carries it as the first member."""
    whole_message: bool = False
    """There is no marker: it is a call only as the whole message."""
    declared_only: bool = False
    """Its marker could be prose, so that only a declared name is believed."""
    string_types: tuple[str, ...] = ("true", "string", "str")
    """What stands for `{type}` in a parameter whose value is a string; any other value is JSON."""
    id: str = "functions.{name}:{index}"
    """How the model writes `{id}`, where `{index}` counts from 0 and `{number}` from 1."""
    code_tools: tuple[str, ...] = ()
    """Tools that the model was trained on, which it calls with code in place of JSON."""
    escaped_keys: bool = False
    """Keys are written with `&amp;` and `&quot;`."""
    models: str = ""
    prefilled: str = ""
    """Models whose prompt has already opened the reasoning, so that only its end is written."""
    prefilled_when_thinking: str = ""
    """Models whose prompt does so when the request asks for thinking."""
