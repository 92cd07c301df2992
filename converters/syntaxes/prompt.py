"""How the tools are told to a model of a row, and how what it has called stands in its history: samples with holes.

For a backend that takes no tools (converters/prompts/). The samples are the text that the chat template of the row's
family writes. Where a family's template says nothing, the values that stand here are used: they are the form of Hermes,
with the row's own markup in the instruction. An empty sample means that the family's template writes nothing there.

It may not know how anything is written or parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ToolForm = Literal[
    "json",
    "json_compact",
    "json_indented",
    "json_list_indented",
    "function",
    "function_responses",
    "typescript",
    "typescript_bare",
    "typescript_indented",
    "python",
    "xml",
    "xml_descriptions",
    "relaxed",
]
"""How one tool is written.

`json` is the declaration as it was sent, `json_compact` with sorted keys and no blanks, `json_indented` with lines
set in by four blanks, `json_list_indented` as an element of an indented list. `function` is the JSON of the function
alone, `function_responses` with a `responses` that is null. `typescript` is a type as gpt-oss gets it,
`typescript_bare` without the last comma, `typescript_indented` with members set in. `python` is the head of a function
with a docstring. `xml` is Qwen3-Coder's, `xml_descriptions` that of Claude's legacy prompt. `relaxed` is Gemma's, with
strings between the row's `delimiter` instead of quotes.
"""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a prompt says of tools, calls and results."""

    declaration: str = (
        "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
        "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n{tools}\n</tools>"
    )
    """What the system message says of the tools, which are `{tools}`."""
    instruction: str = (
        "\n\nFor each function call, write the function's name and its arguments in exactly this format:\n{example}"
    )
    """What follows: how a call is written. `{example}` is a call, as the row writes it."""
    form: ToolForm = "json"
    tool: str = "{tool}"
    """One tool of the declaration. `{name}` and `{description}` are the function's."""
    between_tools: str = "\n"
    before_system: bool = False
    """Whether the tools stand before the system text of the request."""
    beside_system: str = "\n\n"
    """What stands between the system text of the request and the tools."""
    before_calls: str = "\n"
    """What stands between the text of a message and its calls."""
    before_lone_calls: str = ""
    """What stands before the calls of a message without text."""
    result: str = "<tool_response>\n{result}\n</tool_response>"
    """One result, which is `{result}`; `{quoted}` if it stands as a JSON string; `{value}` if it stands as JSON where
    it is JSON, and as a JSON string where it is not. `{name}` is the function, `{id}` the id of the call as the row
    writes it; `{index}` counts the results of a message from 0, and `{number}` from 1."""
    results: str = "{results}"
    """Neighbouring results, which are `{results}`."""
    between_results: str = "\n"
    kept_id: str = ""
    """Ids that stand in a history as they are: a regex for all of an id, with `{name}` for the function's name. Any
    other id, and every id of a row without this, is written as `Syntax.id` says."""
    counted: Literal["conversation", "turn"] = "conversation"
    """Where the ids that `Syntax.id` spells begin to count."""
    last_id_key: str = ""
    """The key of the call's id in a history, if it is the last member of `{object}`."""


COMMON = Prompt()
"""For a row of whose family no template was seen."""
