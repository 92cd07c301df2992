"""The APIs that clients speak, one room each. A dialect sees requests and events, never markup and no sockets."""

from dialects.chat import Chat, ReasoningField
from dialects.messages import Messages
from dialects.ollama import conversations as ollama_conversations
from dialects.protocol import Clock, Dialect
from dialects.responses import Responses


def all_dialects(reasoning_field: ReasoningField, clock: Clock) -> tuple[Dialect, ...]:
    """Every dialect, as the configuration wants it. The application takes its routes from them.

    `clock` is for those whose answers tell times.
    """
    return (Chat(reasoning_field), Responses(), Messages(), *ollama_conversations(clock))


__all__ = ["Dialect", "all_dialects"]
