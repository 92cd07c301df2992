"""What the prompts of models say that write calls of Python functions (pythonic.py). One `Prompt` for each row."""

from __future__ import annotations

from converters.syntaxes.prompt import Prompt

LFM2 = Prompt(
    declaration="List of tools: <|tool_list_start|>[{tools}]<|tool_list_end|>",
    instruction="",
    between_tools=", ",
    beside_system="\n",
    before_calls="",
    result="<|tool_response_start|>{result}<|tool_response_end|>",
)

PYTHONIC = Prompt(
    declaration=(
        "Here is a list of functions in JSON format that you can invoke. Use exact format: "
        "[func_name1(param1=value1, param2=value2), func_name2(...)]\n[\n    {tools}\n]\n"
    ),
    instruction="",
    form="json_list_indented",
    between_tools=",\n    ",
    beside_system="\n",
)

LLAMA4_PYTHONIC = Prompt(
    declaration=PYTHONIC.declaration,
    instruction="",
    form="json_list_indented",
    between_tools=",\n    ",
    beside_system="\n",
    before_calls="",
)

OLMO3 = Prompt(
    declaration=(
        "You are provided with function signatures within <functions></functions> XML tags. You may call one or more "
        "functions to assist with the user query. Output any function calls within <function_calls></function_calls> "
        "XML tags. Do not make assumptions about what values to plug into functions.<functions>[{tools}]</functions>"
    ),
    instruction="",
    between_tools=", ",
    beside_system=" ",
    before_calls="",
)

GEMMA3_TOOL_CODE = Prompt(result="```tool_output\n{result}\n```")
"""Gemma 3 has no markup of its own: Google's guide describes the fences."""
