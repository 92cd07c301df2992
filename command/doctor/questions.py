"""What the probes ask: tools and sentences. Each question ends in words that no other has, so that a scripted model
can tell them apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def _tool(name: str, description: str, parameters: Schema) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


_TEXT, _WHOLE = {"type": "string"}, {"type": "integer"}
WEATHER = _tool(
    "get_weather", "The weather of a city for the next days.", _object(["city", "days"], city=_TEXT, days=_WHOLE)
)
TIME = _tool("get_time", "The time now. It takes no arguments.", _object([]))
NOTE = _tool("save_note", "Save a note, exactly as it is given.", _object(["text"], text=_TEXT))
TRIP_SCHEMA = _object(
    ["traveller", "stops", "flexible", "budget"],
    traveller=_object(["name", "age"], name=_TEXT, age=_WHOLE),
    stops={"type": "array", "items": _object(["city", "nights"], city=_TEXT, nights=_WHOLE)},
    flexible={"type": "boolean"},
    budget={"type": "number"},
)
TRIP = _tool("plan_trip", "Plan a trip.", TRIP_SCHEMA)
TOOLS = [WEATHER, TIME]

PLAIN = "What is the capital of Korea? Answer in one short sentence."
COUNT = "Count from one to twelve in words, separated by commas."
CALL = "What will the weather be in Seoul for the next 3 days? Call get_weather for it."
REQUIRED = "What will the weather be in Busan for the next 2 days? A tool must be called."
NAMED = "What time is it, and what will the weather be in Daegu? Begin with get_time only."
FORBIDDEN = "What will the weather be in Jeju for the next 4 days? Answer without any tool."
PARALLEL = (
    "What will the weather be in Paris for 1 day, and in Oslo for 2 days? "
    "Call get_weather once for each city, both in one answer."
)
NO_ARGUMENTS = "What time is it now? Call get_time, which takes no arguments."
NOTE_TEXT = 'He said: "안녕, 세상 👋" \\ it costs 5 €\nsecond line'
UNICODE = f"Save this note with save_note, character for character:\n{NOTE_TEXT}\nThat is all of the note."
TRIP_ARGUMENTS = {
    "traveller": {"name": "Ada", "age": 36},
    "stops": [{"city": "Seoul", "nights": 2}, {"city": "Busan", "nights": 1}],
    "flexible": True,
    "budget": 1250.5,
}
NESTED = (
    "Call plan_trip for the traveller Ada, aged 36: 2 nights in Seoul, then 1 night in Busan. "
    "The dates are flexible, and the budget is 1250.5 euros."
)
REASONING = "Think step by step: do I need an umbrella in Ulsan today? Then call get_weather for 1 day in Ulsan."
LONG_COUNT = "Count from 1 to 400 in words, one number a line, and leave none out."

RESULT_QUESTION = "What is the weather in Incheon today?"
RESULT = json.dumps({"temperature_celsius": 17, "sky": "hail"})
RESULT_WORDS = ("17", "hail")

PASSWORD = "KINGFISHER-7304"
_FILLER = "Line {number} of the log: the pump is running, the valve is closed, and nothing else has happened."
_TOKENS_OF_LINE = 22


def history() -> list[dict[str, Any]]:
    """A conversation in which a tool was called and has answered."""
    function = {"name": "get_weather", "arguments": json.dumps({"city": "Incheon", "days": 1})}
    call = {"id": "doctor001", "type": "function", "function": function}
    return [
        {"role": "user", "content": RESULT_QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "doctor001", "content": RESULT},
    ]


def quoted_markup(markup: str) -> str:
    """The request to show markup, but not to call anything."""
    return (
        "This is how a model writes a call. Call nothing, and write two things: the words `For example:`, "
        f"and behind them this fenced code block, unchanged.\n```\n{markup}\n```\nOnly repeat the example."
    )


def long_prompt(tokens: int) -> str:
    """A password, so many tokens of other things, and the question for the password."""
    lines = [_FILLER.format(number=number) for number in range(1, max(2, tokens // _TOKENS_OF_LINE))]
    before = f"The password is {PASSWORD}. Remember it."
    return "\n".join([before, *lines, "What is the password from the first line? Answer with the password only."])
