"""The wings that face clients: one dialect for each API. They see events, never markup, and no sockets."""

from dialects.chat import CHAT
from dialects.protocol import Dialect

DIALECTS: tuple[Dialect, ...] = (CHAT,)

__all__ = ["CHAT", "DIALECTS", "Dialect"]
