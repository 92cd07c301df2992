"""Rows whose calls are spelled as calls of Python functions."""

from __future__ import annotations

from converters.syntaxes import prompts_pythonic
from converters.syntaxes.row import Syntax

LFM2 = Syntax(
    name="lfm2",
    shape="pythonic",
    group="<|tool_call_start|>[{calls}]<|tool_call_end|>",
    call="{name}({arguments})",
    between=", ",
    prompt=prompts_pythonic.LFM2,
    models=r"lfm-?2",
    source="chat template of LiquidAI/LFM2-1.2B",
)

LLAMA4_PYTHONIC = Syntax(
    name="llama4_pythonic",
    shape="pythonic",
    group="<|python_start|>[{calls}]<|python_end|>",
    call="{name}({arguments})",
    between=", ",
    prompt=prompts_pythonic.LLAMA4_PYTHONIC,
    source="Meta's prompt format of Llama 4",
)

OLMO3 = Syntax(
    name="olmo3",
    shape="pythonic",
    group="<function_calls>\n{calls}\n</function_calls>",
    call="{name}({arguments})",
    prompt=prompts_pythonic.OLMO3,
    models=r"olmo-?3",
    source="chat template of allenai/Olmo-3-7B-Instruct",
)

GEMMA3_TOOL_CODE = Syntax(
    name="gemma3_tool_code",
    shape="pythonic",
    group="```tool_code\n{calls}\n```",
    call="{name}({arguments})",
    declared_only=True,
    prompt=prompts_pythonic.GEMMA3_TOOL_CODE,
    models=r"gemma-?[23]",
    source="Google's guide to function calling with Gemma 3",
)

GEMMA4_PYTHONIC = Syntax(
    name="gemma4_pythonic",
    shape="pythonic",
    group="<|tool_call>call:{calls}<tool_call|>",
    also_group=("<|tool_call>{calls}<tool_call|>",),
    grouped="each",
    call="{name}({arguments})",
    between="",
    declared_only=True,
    source="seen of Gemma 4",
)

LLAMA_BUILTIN = Syntax(
    name="llama_builtin",
    shape="pythonic",
    group="<|python_tag|>{calls}",
    call="{name}({arguments})",
    declared_only=True,
    source="Meta's prompt format of Llama 3.1",
)

PYTHONIC = Syntax(
    name="pythonic",
    shape="pythonic",
    group="[{calls}]",
    call="{name}({arguments})",
    between=", ",
    whole_message=True,
    prompt=prompts_pythonic.PYTHONIC,
    models=r"toolace|llama-?3[._-]?2-?[13]b|llama-?4",
    source="chat template of meta-llama/Llama-3.2-3B-Instruct",
)

HERMES_PYTHONIC = Syntax(
    name="hermes_pythonic",
    shape="pythonic",
    group="<tool_call>\n{calls}\n</tool_call>",
    call="{name}({arguments})",
    declared_only=True,
    source="seen of fine-tunes whose prompt asks for Hermes' JSON",
)
