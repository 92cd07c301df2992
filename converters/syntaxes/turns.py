"""How chat templates begin a turn: what stands in front of somebody's words, and who that is. No code.

Behind the end of its turn, or behind a call, a model may go on with the turn of somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Speaker = Literal["own", "result", "other"]


@dataclass(frozen=True, slots=True)
class TurnHeader:
    """A token that begins a turn.

    Without `own` and `results` the token alone says who speaks. With them the word behind it does: a word that is
    neither names another speaker, such as the user.
    """

    opens: str
    speaker: Speaker = "other"
    own: tuple[str, ...] = ()
    """Words for the model itself."""
    results: tuple[str, ...] = ()
    """Words for a tool."""
    closes: tuple[str, ...] = ()
    """What ends the header of the model's own turn, if anything does; attributes may stand before it."""
    exact: bool = False
    """Whether the word behind it must be one of those listed, or it is no header."""


_TOOLS = ("tool", "tools", "ipython", "function", "environment", "observation", "tool_response", "tool/function_call")

TURN_HEADERS: tuple[TurnHeader, ...] = (
    TurnHeader("<|im_start|>", own=("assistant",), results=_TOOLS, closes=("<|im_sep|>",)),
    TurnHeader("<|start_header_id|>", own=("assistant",), results=_TOOLS, closes=("<|end_header_id|>",)),
    TurnHeader("<|header_start|>", own=("assistant",), results=_TOOLS, closes=("<|header_end|>",)),
    TurnHeader("<|start_of_role|>", own=("assistant",), results=_TOOLS, closes=("<|end_of_role|>",)),
    TurnHeader("<|begin|>", own=("assistant",), results=_TOOLS),
    TurnHeader("<|BOT|>", own=("assistant",), results=_TOOLS),
    TurnHeader("<|from|>", own=("assistant",), results=_TOOLS),
    TurnHeader("<|turn>", own=("model", "assistant"), results=_TOOLS),
    TurnHeader("<start_of_turn>", own=("model", "assistant"), results=_TOOLS),
    TurnHeader("<seed:bos>", own=("assistant",), results=_TOOLS),
    TurnHeader("]~b]", own=("ai", "assistant"), results=_TOOLS),
    TurnHeader("<beginning_of_sentence>", own=("ai", "assistant"), results=_TOOLS),
    TurnHeader("<role>", own=("ASSISTANT",), results=("OBSERVATION", "TOOL"), closes=("</role>",)),
    TurnHeader("<SPECIAL_10>", own=("Assistant",), results=("Tool",)),
    TurnHeader("<SPECIAL_11>", own=("Assistant",), results=("Tool",)),
    TurnHeader("<extra_id_0>", own=("Assistant",), results=("Tool",)),
    TurnHeader("<extra_id_1>", own=("Assistant",), results=("Tool",)),
    TurnHeader('<|open|>message role="', own=("assistant",), results=_TOOLS, closes=("<|sep|>",)),
    TurnHeader("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "own"),
    TurnHeader("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>"),
    TurnHeader("<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>"),
    TurnHeader("<|CHATBOT_TOKEN|>", "own"),
    TurnHeader("<|USER_TOKEN|>"),
    TurnHeader("<|SYSTEM_TOKEN|>"),
    TurnHeader("<|im_assistant|>", own=("assistant",), results=_TOOLS, closes=("<|im_middle|>",)),
    TurnHeader("<|im_user|>"),
    TurnHeader("<|im_system|>system"),
    TurnHeader("<|im_system|>", "result"),
    TurnHeader("<|assistant|>", "own"),
    TurnHeader("<|user|>"),
    TurnHeader("<|system|>"),
    TurnHeader("<|developer|>"),
    TurnHeader("<|observation|>", "result"),
    TurnHeader("<|tool|>", "result"),
    TurnHeader("<|bom|><|assistant|>", "own"),
    TurnHeader("<|bom|><|user|>"),
    TurnHeader("<|bom|><|system|>"),
    TurnHeader("<|bom|><|tool|>", "result"),
    TurnHeader("[|assistant|]", "own"),
    TurnHeader("[|user|]"),
    TurnHeader("[|system|]"),
    TurnHeader("[|tool|]", "result"),
    TurnHeader("<｜Assistant｜>", "own"),
    TurnHeader("<｜User｜>"),
    TurnHeader("<｜System｜>"),
    TurnHeader("<｜hy_Assistant｜>", "own"),
    TurnHeader("<｜hy_Assistant:opensource｜>", "own"),
    TurnHeader("<｜hy_User"),
    TurnHeader("<|message_model|>", "own"),
    TurnHeader("<|message_user|>"),
    TurnHeader("<|message_system|>"),
    TurnHeader("<|message_tool|>", "result"),
    TurnHeader("<|assistant_start|>", "own"),
    TurnHeader("<|user_start|>"),
    TurnHeader("<|system_start|>"),
    TurnHeader("<|developer_start|>"),
    TurnHeader("<|begin_assistant|>", "own"),
    TurnHeader("<|begin_user|>"),
    TurnHeader("<|begin_system|>"),
    TurnHeader("<|begin_tool_result|>", "result"),
    TurnHeader("<|tool_result|>", "result"),
    TurnHeader("<|userprompt|>"),
    TurnHeader("<assistant>", "own"),
    TurnHeader("<user>"),
    TurnHeader("<system>"),
    TurnHeader("[INST]"),
    TurnHeader("<s>[INST]"),
    TurnHeader("[SYSTEM_PROMPT]"),
    TurnHeader("[AVAILABLE_TOOLS]"),
    TurnHeader("assistant<|role_sep|>", "own"),
    TurnHeader("user<|role_sep|>"),
    TurnHeader("system<|role_sep|>"),
    TurnHeader("function result<|role_sep|>", "result"),
)
"""All headers, but those of channels (`channels.py`)."""

RESULTS: tuple[str, ...] = (
    "<tool_response>",
    "<|tool_response|>",
    "<|tool_response>",
    "<|tool_response_start|>",
    "<tool_responses>",
    "<tool_response:",
    "<tool_responses:",
    "<function_results>",
    "<function_result>",
    "<function_response>",
    "<tool_result>",
    "<tool_results>",
    "<tool_output",
    "<results>",
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁output▁begin｜>",
    "<start_function_response>",
    "<|START_TOOL_RESULT|>",
    "<TOOL_RESPONSE>",
    "[TOOL_RESULT]",
    "[TOOL_RESULTS]",
)
"""Tokens that open the result of a tool without a turn of its own."""
