"""Formats that both sides of the proxy write: server-sent events, and JSON that keeps its digits. No I/O."""
