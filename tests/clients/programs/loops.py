"""What the programs in Python share. They run in the environment of their client, so this imports only the library.

A program is given `CLIENTS_URL`, `CLIENTS_MODELS` (names with commas) and `CLIENTS_SECRET`, which only its tool tells.
It writes JSON lines to `CLIENTS_RESULTS`: first the names of its ways, then for each way and model an object with
`way`, `model`, `wanted`, which the answer must hold, and `answer` or `error`.
"""

import asyncio
import inspect
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

URL = os.environ["CLIENTS_URL"]
QUESTION = "What is the weather in 서울 and in Paris?"
CITIES = ("서울", "Paris")
SECONDS = 20
"""How long a program waits for an answer."""
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather.", "parameters": CITY}}
RESPONSES_TOOL = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": CITY}
TURNS = 4
"""More than any loop needs, so that one that does not end is seen."""


def weather(city: str) -> str:
    """What the tool does."""
    return f"{city}={os.environ['CLIENTS_SECRET']}"


def play(ways: dict[str, Callable[[str], Any]], cities: tuple[str, ...] = CITIES) -> None:
    """Play every way with every model. A way takes the name of a model and gives the last answer, or a coroutine."""
    wanted = [weather(city) for city in cities]
    with Path(os.environ["CLIENTS_RESULTS"]).open("w", encoding="utf-8") as results:
        print(json.dumps(list(ways)), file=results, flush=True)
        for way, loop in ways.items():
            for model in os.environ["CLIENTS_MODELS"].split(","):
                line = {"way": way, "model": model, "wanted": wanted}
                try:
                    given = loop(model)
                    line["answer"] = asyncio.run(given) if inspect.iscoroutine(given) else given
                except Exception as error:  # noqa: BLE001 -- whatever a library raises is the result of the loop
                    traceback.print_exc()
                    line["error"] = f"{type(error).__name__}: {error}"[:500]
                print(json.dumps(line), file=results, flush=True)
