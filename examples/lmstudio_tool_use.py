"""A client that calls two tools through Dragoman: ask, run the calls, send the results, print the answer.

Load a model in LM Studio, start its server, and put the proxy in front of it:

    BACKEND_URL=http://localhost:1234 dragoman
    python examples/lmstudio_tool_use.py

The client needs only the OpenAI SDK (`pip install openai`). Another base URL is its first argument.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from openai import OpenAI

QUESTION = "What is the weather in Seoul? Also multiply 6 by 7."
MAX_TURNS = 5
"""Requests after which the client gives up: a model may call tools for ever."""


def get_weather(city: str) -> str:
    return f"Sunny in {city}, 23 degrees."


def multiply(a: float, b: float) -> str:
    return str(a * b)


FUNCTIONS: dict[str, Callable[..., str]] = {"get_weather": get_weather, "multiply": multiply}


def describe(name: str, description: str, **types: str) -> Any:
    """Returns the declaration of a tool. `types` are the JSON Schema types of its arguments; all are required."""
    properties = {key: {"type": kind} for key, kind in types.items()}
    schema = {"type": "object", "properties": properties, "required": list(types)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


TOOLS = [
    describe("get_weather", "Current weather in a city", city="string"),
    describe("multiply", "Product of two numbers", a="number", b="number"),
]


def run_tool(name: str, arguments: str) -> str:
    """Returns what the function returns, or the error as text, so that the model can correct its call."""
    try:
        return FUNCTIONS[name](**json.loads(arguments))
    except (KeyError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def answer(client: OpenAI, model: str, question: str) -> str:
    """Asks until the model answers without calling a tool. Returns that answer."""
    messages: list[Any] = [{"role": "user", "content": question}]
    for _ in range(MAX_TURNS):
        reply = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
        message = reply.choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            if call.type == "function":
                result = run_tool(call.function.name, call.function.arguments)
                print(f"{call.function.name} {call.function.arguments} -> {result}")
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return f"No answer after {MAX_TURNS} requests."


def main() -> None:
    base_url = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000/v1"
    client = OpenAI(base_url=base_url, api_key="unused")
    model = client.models.list().data[0].id
    print(f"{model}: {QUESTION}")
    print(answer(client, model, QUESTION))


if __name__ == "__main__":
    main()
