"""The APIs that clients speak, one room each. A dialect sees requests and events, never markup and no sockets."""

from dialects.chat import Chat, ReasoningField
from dialects.messages import Messages
from dialects.ollama import conversations as ollama_conversations
from dialects.protocol import Clock, Dialect
from dialects.responses import Responses
from dialects.responses.store import ResponseStore


def all_dialects(
    reasoning_field: ReasoningField, clock: Clock, responses: ResponseStore | None = None
) -> tuple[Dialect, ...]:
    """Every dialect, as the configuration wants it. The application takes its routes from them.

    `clock` is for those whose answers tell times, `responses` for what goes on from earlier answers.
    """
    return (Chat(reasoning_field), Responses(store=responses), Messages(), *ollama_conversations(clock))


__all__ = ["Dialect", "ResponseStore", "all_dialects"]
