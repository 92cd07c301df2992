"""The log, set up by the settings: readable lines, or one object of JSON a line, for our own log and for gunicorn's.

Each line that is written while a request is answered says which: `request_id`, and `record` where records are kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from config import Config
from log_context import exchange_ids

_READABLE = "%(asctime)s %(levelname)-7s %(message)s"


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, with the entries that `extra={"fields": function}` returns.

    They are data, so `message` is the same for all lines of a kind: what happened to which request stands in fields.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        fields: Mapping[str, Any] = getattr(record, "fields", dict)()
        line["message"] = fields.get("message") or record.getMessage()
        ids = exchange_ids()
        if ids.request:
            line["request_id"] = ids.request
            line["record"] = ids.record or None
        line.update(fields)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class ReadableLines(logging.Formatter):
    """Formats a record for people. A line that does not name its request itself gets the name at its end."""

    def __init__(self) -> None:
        super().__init__(_READABLE)

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        ids = exchange_ids()
        if ids.request and ids.request not in line:
            line += f" request={ids.request}"
        if ids.record and ids.record not in line:
            line += f" record={ids.record}"
        return line


def start_logging(config: Config) -> None:
    """Set up the log of `config.environment`, then log the warnings of the configuration.

    development: readable lines. production: JSON lines. testing: readable lines, errors only.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if config.environment == "production" else ReadableLines())
    root = logging.getLogger("dragoman")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(logging.ERROR if config.environment == "testing" else config.log_level)
    for warning in config.warnings():
        root.warning("%s", warning)
