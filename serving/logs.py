"""The log, set up by the settings."""

from __future__ import annotations

import json
import logging

from config import Config


class _JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, with the entries that `extra={"fields": function}` returns."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", dict)(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start_logging(config: Config) -> None:
    """Set up the log of `config.environment`, then log the warnings of the configuration.

    development: readable lines. production: JSON lines. testing: readable lines, errors only.
    """
    handler = logging.StreamHandler()
    readable = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.setFormatter(_JsonLines() if config.environment == "production" else readable)
    root = logging.getLogger("dragoman")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(logging.ERROR if config.environment == "testing" else config.log_level)
    for warning in config.warnings():
        root.warning("%s", warning)
