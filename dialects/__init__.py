"""The APIs that clients speak, one room each. A dialect sees requests and events, never markup and no sockets."""

from dialects.chat import Chat, ReasoningField
from dialects.protocol import Dialect
from dialects.responses import Responses


def all_dialects(reasoning_field: ReasoningField) -> tuple[Dialect, ...]:
    """Every dialect, as the configuration wants it. The application takes its routes from them."""
    return (Chat(reasoning_field), Responses())


__all__ = ["Dialect", "all_dialects"]
