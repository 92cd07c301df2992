"""What a subcommand is given: texts and tools from files or standard input, and the settings.

Whatever is wrong with them is one line, and exit status 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from command.subcommand import CommandError
from command.terminal import tell
from config import Config
from converters.syntaxes import SYNTAXES
from errors import ConfigError

Tool = dict[str, Any]
"""A tool as chat completions declare it."""


def settings() -> Config:
    """The settings of the environment and `.env`, as the proxy has them. Raises CommandError for a wrong one."""
    try:
        return Config.from_environment(syntax_names={syntax.name for syntax in SYNTAXES})
    except ConfigError as error:
        raise CommandError(str(error)) from None


def text_of(name: str) -> str:
    """The text of a file, or of standard input for `-`. What is no UTF-8 becomes U+FFFD, as in an answer."""
    if name == "-" and sys.stdin.isatty():
        tell("Reading what the model wrote from the terminal; Ctrl-D ends it.")
    return _bytes_of(name).decode("utf-8", "replace")


def tools_of(names: Sequence[str]) -> list[Tool]:
    """The tools of files, in each of the forms that APIs have, or of a whole request. Raises CommandError."""
    return [_tool(each, name) for name in names for each in _declared(name)]


def _declared(name: str) -> list[Any]:
    try:
        found = json.loads(_bytes_of(name))
    except (ValueError, RecursionError) as error:
        raise CommandError(f"--tools {name}: no JSON ({error})") from None
    if isinstance(found, dict):
        found = found.get("tools", found.get("functions", [found]))
    if not isinstance(found, list):
        raise CommandError(f"--tools {name}: takes a list of tools, or a request with `tools`")
    return found


def _tool(found: Any, name: str) -> Tool:
    """In the form of chat completions: those of the Responses and the Messages API say the same otherwise."""
    if isinstance(found, dict) and isinstance(found.get("function"), dict):
        found = found["function"]
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise CommandError(f"--tools {name}: a tool has no name")
    schema = found.get("parameters", found.get("input_schema"))
    function = {"name": found["name"], **({"parameters": schema} if isinstance(schema, dict) else {})}
    return {"type": "function", "function": function}


def _bytes_of(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None
