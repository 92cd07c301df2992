"""`POST /dragoman/api/explain`: a text, tools and a model, and what Dragoman makes of them. Nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from converters.text.expectations import Schema
from errors import RequestError
from inspector.bodies import json_of
from inspector.bounded import Bounded
from records.pasted import MOST_CHARACTERS, pasted
from records.threads import away_from_streams

MOST_AT_ONCE = 2
MOST_TOOLS = 256
_LONGEST_NAME = 200
_SCHEMAS = ("parameters", "input_schema", "inputSchema")
"""Where the APIs of OpenAI, Anthropic and MCP have the schema of a tool."""


def add_explain(room: Blueprint) -> None:
    """The route. No key is looked for in what is told: it would show whoever asks whether a guess is one."""

    at_once = Bounded(MOST_AT_ONCE, f"{MOST_AT_ONCE} texts are explained at the moment.")

    @room.post("/api/explain")
    def explain() -> Response:
        body = json_of()
        text, model, tools = _text(body, "text", MOST_CHARACTERS), _text(body, "model", _LONGEST_NAME), _tools(body)
        with at_once:
            told = json.dumps(away_from_streams(lambda: pasted(text, tools, model)), ensure_ascii=False)
        return Response(told.encode(errors="replace"), content_type="application/json")


def _text(body: Mapping[str, Any], name: str, longest: int) -> str:
    value = body.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RequestError(f"{name!r} must be a string.", param=name)
    if len(value) > longest:
        raise RequestError(f"{name!r} must have at most {longest} characters.", param=name)
    return value


def _tools(body: Mapping[str, Any]) -> dict[str, Schema]:
    """The declared tools, in the form of any API."""
    tools = body.get("tools")
    if tools is None:
        return {}
    if not isinstance(tools, list):
        raise RequestError("'tools' must be a list.", param="tools")
    if len(tools) > MOST_TOOLS:
        raise RequestError(f"'tools' must hold at most {MOST_TOOLS} tools.", param="tools")
    return dict(_tool(tool, f"tools[{place}]") for place, tool in enumerate(_flat(tools)))


def _flat(tools: Sequence[Any]) -> list[Any]:
    """Functions without what stands around them in chat completions."""
    return [tool.get("function", tool) if isinstance(tool, dict) else tool for tool in tools]


def _tool(tool: Any, where: str) -> tuple[str, Schema]:
    if not isinstance(tool, dict):
        raise RequestError(f"'{where}' must be an object.", param=where)
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
    found: Any = next((tool[key] for key in _SCHEMAS if key in tool), {})
    if found is not None and not isinstance(found, dict):
        raise RequestError(f"'{where}.parameters' must be an object.", param=f"{where}.parameters")
    return name, found or {}
