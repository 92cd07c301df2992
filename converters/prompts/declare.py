"""What the system message says of the tools: each in the form of the row, then how to call them, then the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from converters.prompts import documents
from converters.prompts.samples import fill
from converters.prompts.typescript import Style, type_of_tool
from converters.render import call_id, render_past
from converters.syntaxes import Syntax
from converters.text.expectations import Choice
from converters.values.json.spelling import DEEPEST, Layout, write
from converters.values.json.whole import levels

Tool = Mapping[str, Any]

_EXAMPLE = ("example_function_name", {"example_parameter_1": "value_1", "example_parameter_2": "value_2"})
_INDENTED = Layout(indent=4)
_COMPACT = Layout(",", ":", ordered=True)
_STYLES = {
    "typescript": Style(),
    "typescript_bare": Style(last_comma=False),
    "typescript_indented": Style(indent="  ", empty="{\n{indent}}"),
}
_DOCUMENTS: Mapping[str, Callable[[Tool], str]] = {
    "python": documents.python,
    "xml": documents.xml,
    "xml_descriptions": documents.xml_descriptions,
}


def declared(syntax: Syntax, tools: Sequence[Tool], choice: Choice, named: str | None) -> str:
    """The whole of it; nothing where no tool may be called."""
    if choice == "none" or not isinstance(tools, Sequence) or isinstance(tools, str) or not tools:
        return ""
    prompt = syntax.prompt
    told = fill(prompt.declaration, {"tools": prompt.between_tools.join(_tool(syntax, each) for each in tools)})
    example = render_past(syntax, [_EXAMPLE], [call_id(syntax, _EXAMPLE[0], 0)])
    return told + fill(prompt.instruction, {"example": example}) + _demand(choice, named)


def _demand(choice: Choice, named: str | None) -> str:
    if named is not None:
        return f"\n\nYou must call the function {write(named)} in your next reply."
    return "\n\nYou must call at least one function in your next reply." if choice == "required" else ""


def _tool(syntax: Syntax, tool: Any) -> str:
    """One tool with what stands around it."""
    function = _function(tool)
    if function is None:
        return write(tool)
    holes = {
        "tool": tool_text(syntax, tool),
        "name": _text(function.get("name")),
        "description": _text(function.get("description")),
    }
    return fill(syntax.prompt.tool, holes)


def _function(tool: Any) -> Tool | None:
    """The function that a tool declares, wrapped or (as in `functions`) bare; None if it is something else."""
    if not isinstance(tool, Mapping) or levels(tool) > DEEPEST:
        return None
    for key in ("function", "custom"):
        if isinstance(inner := tool.get(key), Mapping):
            return inner
    return tool if isinstance(tool.get("name"), str) else None


def tool_text(syntax: Syntax, tool: Tool) -> str:
    """A tool in the form of the row, without what stands around it."""
    function = _function(tool)
    return write(tool) if function is None else _written(syntax, tool, function)


def _written(syntax: Syntax, tool: Tool, function: Tool) -> str:
    form = syntax.prompt.form
    whole = {"type": "function", "function": tool} if function is tool and form.startswith("json") else tool
    if form in _STYLES:
        return type_of_tool(function, _STYLES[form])
    if form in _DOCUMENTS:
        return _DOCUMENTS[form](function)
    if form == "relaxed":
        return documents.declaration(function, syntax.delimiter)
    if form == "function":
        return write(function)
    if form == "function_responses":
        return write({"responses": None, **function} if "responses" in function else {**function, "responses": None})
    if form == "json_indented":
        return write(whole, _INDENTED)
    if form == "json_list_indented":
        return write(whole, _INDENTED).replace("\n", "\n    ")
    return write(whole, _COMPACT) if form == "json_compact" else write(whole)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else write(value)
