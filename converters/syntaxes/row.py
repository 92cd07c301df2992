"""The row of a syntax: a sample of what a model writes, with holes.

`{name}` and `{id}` stand for the name of the function and the id of the call. `{parameters}` stands for one `parameter`
for each argument, with its `{key}` and `{value}`. `{object}` stands for one JSON object that carries the whole call.
Parsing (shapes/) and rendering (render.py) follow the same sample. In parsing, a newline of the sample is optional
white space; but newlines next to `{value}` belong to the markup if the value begins on a line of its own.
A row with a sample that the grammar cannot take raises SampleError when it is made (text/samples.py).

It may not know how anything is parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from converters.syntaxes.prompt import COMMON, Prompt
from converters.syntaxes.reasoning_tags import ReasoningTag
from converters.text.samples import check_samples


@dataclass(frozen=True, slots=True)
class Syntax:
    """One row of the table."""

    name: str
    shape: Literal["json_object", "named_json", "tagged", "elements", "pythonic", "relaxed"]
    call: str
    source: str
    """The document that the sample was taken from."""
    also_call: tuple[str, ...] = ()
    """Other spellings of `call`, for parsing only."""
    parameter: str = ""
    """One argument."""
    also_parameter: tuple[str, ...] = ()
    """Other spellings of `parameter`, for parsing only."""
    group: str = ""
    """What stands around calls, which are `{calls}`. Without it a call counts only if its name is declared."""
    also_group: tuple[str, ...] = ()
    """Other spellings of `group`, for parsing only."""
    grouped: Literal["all", "each"] = "all"
    """Whether one `group` stands around all calls of a turn, or one around each."""
    needs_group: bool = False
    """Whether `call` counts only inside its `group`, because it begins with a word."""
    between: str = "\n"
    """What stands between two calls."""
    turn_end: str = ""
    """What stands behind the last call of a turn; for rendering only."""
    delimiter: str = ""
    """The token on both sides of a string, where strings stand between tokens instead of quotes."""
    prefix: str = ""
    """A prefix that the name of each tag may or may not have."""
    lead_token: str = ""
    """A token in front of each tag, which white space may follow."""
    suffixed: bool = False
    """Whether all tags may share a suffix of the model's choice behind a colon: `<tool_call:opensource>`."""
    addressed: tuple[str, ...] = ()
    """What the body of a message begins with, if a call is a message to a recipient (channels.py); else none."""
    prefilled_call: str = ""
    """The start of `call` that the prompt has written, so that an answer may begin behind it."""
    keys: tuple[str, str] = ("name", "arguments")
    """The keys of the name and the arguments in `{object}`; two empty strings if the name itself is the key."""
    id_key: str = ""
    """The key of the call's id, if it is the first member of `{object}`."""
    whole_message: bool = False
    """Whether a call has no marker: it counts only if it is the whole message."""
    declared_only: bool = False
    """Whether the marker occurs in prose: a call counts only if its name is declared."""
    string_types: tuple[str, ...] = ("true", "string", "str")
    """Values of `{type}` for a string; any other means that the value is JSON. Rendering writes the first one."""
    id: str = "functions.{name}:{index}"
    """What the model writes for `{id}`; `{index}` counts from 0 and `{number}` from 1."""
    code_tools: tuple[str, ...] = ()
    """Built-in tools from the model's training, which it calls with code instead of JSON."""
    escaped_keys: bool = False
    """Whether keys are escaped as in HTML: `&amp;`, `&quot;`."""
    inline_tags: tuple[str, ...] = ()
    """What tags begin with that stand around words of the answer, such as citations: they go, the words stay."""
    prompt: Prompt = COMMON
    """How tools are told to models of the row where the backend takes none, and what their history looks like."""
    own_ends: tuple[str, ...] = ()
    """End-of-turn tokens of its models that no other has, beside those of tokens.py. Of rows that were learned."""
    own_tags: tuple[ReasoningTag, ...] = ()
    """Tags of reasoning that its models alone have, beside those of reasoning_tags.py. Of rows that were learned."""
    own_results: tuple[str, ...] = ()
    """What opens the result of a tool for its models alone, beside those of turns.py. Of rows that were learned."""
    models: str = ""
    """Models that write this syntax: a regex, searched in a model's `plain_name`."""

    def __post_init__(self) -> None:
        check_samples(self)
