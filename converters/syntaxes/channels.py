"""Channels: the headers of messages inside one turn, as gpt-oss, Beam and Muse write them. No code.

A header is a sequence of tokens with words between them, in any order, doubled or with parts missing:

    <|start|>assistant to=RECIPIENT<|channel|>CHANNEL to=RECIPIENT <|constrain|>TYPE<|message|>

The recipient, or else the channel, says what the message is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Lane = Literal["reasoning", "text", "dropped"]

START = "<|start|>"
CHANNEL = "<|channel|>"
CONSTRAIN = "<|constrain|>"
MESSAGE = "<|message|>"
RECIPIENT = "to="
OWN_ROLE = "assistant"

MESSAGE_ENDS: tuple[str, ...] = ("<|end|>", "<|call|>", "<|return|>", "<|eom|>", "<|eot|>")
"""What ends a message. The header of the next one does, too."""

REASONING_ENDS: tuple[str, ...] = tuple(end for end in MESSAGE_ENDS if end != "<|call|>")
"""What ends a message that is reasoning: a model that thinks about calls names the token that ends one."""

CHANNELS: Mapping[str, Lane] = {"analysis": "reasoning", "commentary": "text", "final": "text"}
"""What is written on a channel, if it is addressed to nobody."""

RECIPIENTS: Mapping[str, Lane] = {
    "self": "reasoning",
    "user": "text",
    "commentary": "text",
    "final": "text",
    "all": "text",
    "developer": "dropped",
    "assistant": "dropped",
}
"""What is written to these recipients. Any other one is a tool."""

OTHERS: tuple[str, ...] = ("user", "system", "developer")
"""Roles that are neither the model's nor a tool's."""

TOOL_ROLES: tuple[str, ...] = ("tool", "python", "browser", "functions")
"""Roles of tools that no request declares."""

FIRST: tuple[str, ...] = (
    RECIPIENT,
    f" {RECIPIENT}",
    f"{OWN_ROLE}{CHANNEL}",
    f"{OWN_ROLE}{MESSAGE}",
    f"{OWN_ROLE} {RECIPIENT}",
    *(f"{channel}{MESSAGE}" for channel in CHANNELS),
)
"""What a header begins with where the prompt has written its start: counts only where a message begins."""
