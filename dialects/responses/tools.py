"""Tools of a request as functions, which is all that chat completions know, and back.

A `custom` tool becomes a function with one string. The tools of a namespace stand beside the others, under a name that
holds both. What only the vendor's own servers can run leaves the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from errors import RequestError

SKIPPED = "tool_skipped"
"""The code that says so (docs/OUTCOMES.md)."""
INPUT = "input"
"""The one argument of a function that stands for a custom tool."""
_CHOICES = frozenset({"auto", "none", "required"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the client knows it."""

    name: str
    kind: Literal["function", "custom"] = "function"
    namespace: str | None = None


def chat_name(name: str, namespace: str | None) -> str:
    """The name of the function that stands for a tool."""
    return f"{namespace}__{name}" if namespace else name


@dataclass(slots=True)
class ToolTable:
    """The tools of a request, by the names of the functions that stand for them."""

    tools: dict[str, Tool] = field(default_factory=dict)
    functions: list[dict[str, Any]] = field(default_factory=list)
    """Their declarations for the backend."""
    skipped: bool = False
    """A tool was left out."""

    def add(self, declared: Any, where: str) -> None:
        """Add a list of tools. Raises RequestError, which names the place that begins with `where`."""
        if declared is None:
            return
        if not isinstance(declared, list):
            raise RequestError(f"'{where}' must be a list.", param=where)
        for place, tool in enumerate(declared):
            self._add(tool, f"{where}[{place}]", None)

    def of(self, name: str) -> Tool:
        """The tool that a call of the function `name` is for. One that nobody declared is a function."""
        return self.tools.get(name) or Tool(name)

    def _add(self, tool: Any, where: str, namespace: str | None) -> None:
        if not isinstance(tool, dict):
            raise RequestError(f"'{where}' must be an object.", param=where)
        kind = tool.get("type")
        if kind == "namespace" and namespace is None:
            name = _name_of(tool, where)
            inner = tool.get("tools")
            if not isinstance(inner, list):
                raise RequestError(f"'{where}.tools' must be a list.", param=f"{where}.tools")
            for place, each in enumerate(inner):
                self._add(each, f"{where}.tools[{place}]", name)
        elif kind == "function":
            # some clients send the nested form of chat completions
            nested = tool.get("function")
            function = nested if isinstance(nested, dict) and "name" not in tool else tool
            self._declare(Tool(_name_of(function, where), "function", namespace), _function_of(function))
        elif kind == "custom":
            self._declare(Tool(_name_of(tool, where), "custom", namespace), _function_of_custom(tool))
        else:
            self.skipped = True

    def _declare(self, tool: Tool, function: dict[str, Any]) -> None:
        name = chat_name(tool.name, tool.namespace)
        if name not in self.tools:
            self.tools[name] = tool
            self.functions.append({"type": "function", "function": {"name": name, **function}})

    # -- tool_choice -------------------------------------------------------------------------------------------------

    def choice(self, asked: Any) -> Any:
        """`tool_choice` as chat completions spell it; None if it says nothing. Raises RequestError."""
        if asked is None:
            return None
        if isinstance(asked, str):
            if asked not in _CHOICES:
                raise RequestError("'tool_choice' must be auto, none, required or an object.", param="tool_choice")
            return asked
        if not isinstance(asked, dict):
            raise RequestError("'tool_choice' must be a string or an object.", param="tool_choice")
        if asked.get("type") == "allowed_tools":
            return self._allowed(asked)
        if asked.get("type") in ("function", "custom"):
            return _named(self._declared(asked, "tool_choice"))
        self.skipped = True  # a tool that only the vendor's servers run
        return "auto"

    def _allowed(self, asked: Mapping[str, Any]) -> Any:
        listed = asked.get("tools")
        if not isinstance(listed, list):
            raise RequestError("'tool_choice.tools' must be a list.", param="tool_choice.tools")
        names: list[str] = []
        for place, each in enumerate(listed):
            where = f"tool_choice.tools[{place}]"
            if not isinstance(each, dict):
                raise RequestError(f"'{where}' must be an object.", param=where)
            if each.get("type") in ("function", "custom"):
                names.append(self._declared(each, where))
            else:
                self.skipped = True
        if not names:
            return "none"
        mode = "required" if asked.get("mode") == "required" else "auto"
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(map(_named, names))}}

    def _declared(self, chosen: Mapping[str, Any], where: str) -> str:
        """The name of the function that stands for a tool that a choice names."""
        name = chosen.get("name")
        inside = chosen.get("namespace")
        if isinstance(name, str):
            full = chat_name(name, inside if isinstance(inside, str) else None)
            for each in (full, *self._ending_in(name)):
                if each in self.tools:
                    return each
        raise RequestError(f"'{where}.name' must name a tool that the request declares.", param=f"{where}.name")

    def _ending_in(self, name: str) -> Iterable[str]:
        """The tool of any namespace that has this name, where there is just one."""
        found = [full for full, tool in self.tools.items() if tool.name == name]
        return found if len(found) == 1 else ()


def _named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def _name_of(tool: Mapping[str, Any], where: str) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
    return name


def _function_of(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tool[key] for key in ("description", "parameters", "strict") if tool.get(key) is not None}


def _function_of_custom(tool: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"type": "string"}
    grammar = tool.get("format")
    if isinstance(grammar, dict) and isinstance(grammar.get("definition"), str):
        syntax = grammar.get("syntax")
        wanted["description"] = f"Text of this grammar ({syntax}):\n{grammar['definition']}"
    told = {key: tool[key] for key in ("description",) if tool.get(key) is not None}
    schema = {"type": "object", "properties": {INPUT: wanted}, "required": [INPUT], "additionalProperties": False}
    return {**told, "parameters": schema}
