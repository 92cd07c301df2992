"""Formats that clients and backends share: server-sent events, and JSON that keeps its spelling. No I/O."""
