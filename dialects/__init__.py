"""The APIs that clients speak, one room each. A dialect sees requests and events, never markup and no sockets."""

from dialects.chat import Chat, ReasoningField
from dialects.messages import Messages
from dialects.protocol import Dialect


def all_dialects(reasoning_field: ReasoningField) -> tuple[Dialect, ...]:
    """Every dialect, as the configuration wants it. The application takes its routes from them."""
    return (Chat(reasoning_field), Messages())


__all__ = ["Dialect", "all_dialects"]
