"""The tools of a request and its choice among them, as chat requests spell them.

Tools that only the vendor can run have a `type` with a date, such as `web_search_20250305`, or no schema. They leave
the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from errors import RequestError

_DATED = re.compile(r"_\d{8}\Z")
_CHOICES: Mapping[object, str] = {"auto": "auto", "any": "required", "none": "none"}


@dataclass(frozen=True, slots=True)
class Tools:
    """`declared` are the tools of the chat request; `skipped` are the names of those that left it."""

    declared: list[dict[str, Any]]
    skipped: frozenset[str]

    @property
    def names(self) -> set[str]:
        """The names of the tools that are declared."""
        return {tool["function"]["name"] for tool in self.declared}


def tools_of(body: Mapping[str, Any]) -> Tools:
    """The tools of a request. Raises RequestError, which names the field."""
    given = body.get("tools")
    if given is not None and not isinstance(given, list):
        raise RequestError("'tools' must be a list.", param="tools")
    declared: list[dict[str, Any]] = []
    skipped: set[str] = set()
    for place, tool in enumerate(given or ()):
        where = f"tools.{place}"
        if not isinstance(tool, dict):
            raise RequestError(f"'{where}' must be an object.", param=where)
        if _runs_at_the_client(tool):
            declared.append({"type": "function", "function": _function(tool, where)})
        else:
            skipped.add(str(tool.get("name") or tool.get("type")))
    servers = body.get("mcp_servers")
    if isinstance(servers, list) and servers:
        skipped.add("mcp_servers")
    return Tools(declared, frozenset(skipped))


def _runs_at_the_client(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    if kind is None or kind == "custom":
        return True
    return "input_schema" in tool and not (isinstance(kind, str) and _DATED.search(kind))


def _function(tool: Mapping[str, Any], where: str) -> dict[str, Any]:
    name, schema = tool.get("name"), tool.get("input_schema")
    if not isinstance(name, str) or not name:
        raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
    if schema is not None and not isinstance(schema, dict):
        raise RequestError(f"'{where}.input_schema' must be an object.", param=f"{where}.input_schema")
    function: dict[str, Any] = {"name": name}
    if isinstance(tool.get("description"), str):
        function["description"] = tool["description"]
    function["parameters"] = schema or {"type": "object", "properties": {}}
    return function


def choice_of(body: Mapping[str, Any], tools: Tools) -> dict[str, Any]:
    """The fields of a chat request that say what `tool_choice` says. Raises RequestError."""
    choice = body.get("tool_choice")
    if choice is None or not tools.declared:
        return {}
    if not isinstance(choice, dict):
        raise RequestError("'tool_choice' must be an object.", param="tool_choice")
    fields: dict[str, Any] = {}
    kind, name = choice.get("type"), choice.get("name")
    if kind == "tool":
        if isinstance(name, str) and name in tools.names:
            fields["tool_choice"] = {"type": "function", "function": {"name": name}}
        elif not isinstance(name, str) or name not in tools.skipped:
            message = "'tool_choice.name' must name a tool that the request declares."
            raise RequestError(message, param="tool_choice.name")
    elif isinstance(kind, str) and kind in _CHOICES:
        fields["tool_choice"] = _CHOICES[kind]
    else:
        raise RequestError("'tool_choice.type' must be auto, any, tool or none.", param="tool_choice.type")
    if choice.get("disable_parallel_tool_use") is True:
        fields["parallel_tool_calls"] = False
    return fields
