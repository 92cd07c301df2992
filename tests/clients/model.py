"""The model of `make clients`: it reads a chat request and writes its calls as text, as the model asked for does.

It calls `get_weather` for each city of the question, or the shell tool of a coding agent to read a file, and then says
what the tools returned. It is the backend of the proxy, so it speaks chat completions only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.answers import TOP, Answer, Json, completion, frame, json_answer, said
from tests.servers import Received

Call = tuple[str, Json]
"""The name of a tool and its arguments."""

CITIES = ("서울", "Paris")
COMMAND = "cat secret.txt"
SHELLS = ("bash", "run_shell_command", "exec_command", "shell_command", "shell")
"""What coding agents call their tool that runs a command, in lower case."""
FINAL = "final_answer"
"""The tool with which agents of smolagents end."""
TOLD = "The tools said:"
"""How the last answer of a loop begins."""
PIECE = 7
"""Characters in each delta of a streamed answer: few, so that every marker is cut."""


def answer(received: Received) -> Answer:
    """What the backend says to any request."""
    path = received.target.partition("?")[0]
    if received.method != "POST":
        return json_answer({"object": "list", "data": [{"id": name, "object": "model"} for name in WRITERS]})
    if path != "/v1/chat/completions":
        return json_answer({"error": {"message": f"there is no {path}", "type": "not_found"}}, 404)
    request = received.json()
    text = says(request)
    if not request.get("stream"):
        return json_answer(completion(text) | {"model": request["model"]})
    frames = said(*(text[at : at + PIECE] for at in range(0, len(text), PIECE)))
    if (request.get("stream_options") or {}).get("include_usage"):
        usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        frames.insert(-1, frame({**TOP, "choices": [], "usage": usage}))
    return Answer(frames)


def says(request: Json) -> str:
    """The raw text of the answer: calls, what the tools returned, or a few words if there is no tool to use."""
    write = WRITERS.get(request["model"], _glm)
    tools = {tool["function"]["name"]: tool["function"] for tool in request.get("tools") or () if "function" in tool}
    results = _results(request["messages"])
    if results:
        told = f"{TOLD} {' '.join(results)}"
        if FINAL in tools:
            return write("", [(FINAL, {"answer": told})])
        return write(told, [])
    calls = _calls(tools, _question(request["messages"]))
    return write("One moment." if calls else "A small title", calls)


def _text(content: Any) -> str:
    parts = content if isinstance(content, list) else [content or ""]
    return "".join(part.get("text") or "" if isinstance(part, dict) else str(part) for part in parts)


def _question(messages: list[Json]) -> str:
    return next((_text(message["content"]) for message in reversed(messages) if message["role"] == "user"), "")


def _results(messages: list[Json]) -> list[str]:
    """What the tools returned since the model spoke last; smolagents tells it as the user does."""
    found: list[str] = []
    for message in reversed(messages):
        text = _text(message.get("content"))
        if message["role"] == "tool" or text.lstrip().startswith("Observation:"):
            found.insert(0, text)
        elif message["role"] == "assistant":
            break
    return found


def _calls(tools: Mapping[str, Json], question: str) -> list[Call]:
    for name, tool in tools.items():
        if name.rpartition("__")[2].lower() in SHELLS:
            return [(name, _shell_arguments(tool["parameters"]))]
    named = next((name for name in tools if name != FINAL), None)
    return [(named, {"city": city}) for city in CITIES if city in question] if named else []


def _shell_arguments(schema: Json) -> Json:
    """The command under whatever name the tool has for it, and something for all else that it requires."""
    properties = schema["properties"]
    name = "command" if "command" in properties else "cmd"
    command: Any = COMMAND.split() if properties[name].get("type") == "array" else COMMAND
    others = (each for each in schema.get("required", ()) if each != name)
    plain = {"boolean": False, "integer": 1, "number": 1, "string": "Reads the file"}
    return {name: command, **{each: plain.get(properties[each].get("type"), "") for each in others}}


# -- the four ways of writing ------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _glm(text: str, calls: list[Call]) -> str:
    written = "".join(
        f"\n<tool_call>{name}\n"
        + "".join(f"<arg_key>{key}</arg_key>\n<arg_value>{_shown(value)}</arg_value>\n" for key, value in given.items())
        + "</tool_call>"
        for name, given in calls
    )
    return f"<think>What does the user want?</think>\n{text}{written}"


def _qwen(text: str, calls: list[Call]) -> str:
    return text + "".join(
        f"\n<tool_call>\n<function={name}>\n"
        + "".join(f"<parameter={key}>\n{_shown(value)}\n</parameter>\n" for key, value in given.items())
        + "</function>\n</tool_call>"
        for name, given in calls
    )


def _harmony(text: str, calls: list[Call]) -> str:
    """One message to each reader; a model of OpenAI's ends its turn with the first call, this one need not."""
    written = ["<|channel|>analysis<|message|>What does the user want?<|end|>"]
    written += [
        f"<|start|>assistant<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>"
        f"{json.dumps(given, ensure_ascii=False)}<|call|>"
        for name, given in calls
    ]
    if not calls:
        written.append(f"<|start|>assistant<|channel|>final<|message|>{text}<|return|>")
    return "".join(written)


def _claude(text: str, calls: list[Call]) -> str:
    if not calls:
        return text
    written = "".join(
        f'<invoke name="{name}">\n'
        + "".join(f'<parameter name="{key}">{_shown(value)}</parameter>\n' for key, value in given.items())
        + "</invoke>\n"
        for name, given in calls
    )
    return f"{text}\n\n<function_calls>\n{written}</function_calls>"


WRITERS: Mapping[str, Callable[[str, list[Call]], str]] = {
    "glm-4.5-air": _glm,
    "qwen3-coder-30b": _qwen,
    "gpt-oss-20b": _harmony,
    "claude-sonnet-4": _claude,
}
"""The models, by their names in requests."""

MARKUP = re.compile(r"<tool_call|<function[=_]|<invoke|<parameter|<arg_|<\|\w+\|>|</?think>")
"""What no client may show."""
