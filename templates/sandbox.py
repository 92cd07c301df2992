"""The child process that runs one foreign chat template: `python -I sandbox.py`, spoken to in lines of JSON.

The first line that comes in holds `template` and `variables`; each further one a conversation (the variables of one
rendering). Each is answered by one line: `{"text": ...}`, or `{"error": ...}` with the reason in one line.

A template finds what Transformers offers it: jinja2's immutable sandbox, `tojson` without HTML escapes,
`raise_exception`, `strftime_now`, `{% generation %}` and loop controls. One that calls `append` needs the mutable
sandbox. It can reach no file: there is no loader, and the process imports nothing of the project.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from jinja2 import Environment, TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

CPU_SECONDS = 2
MEMORY_BYTES = 512 << 20
MOST_CHARACTERS = 1 << 16
"""Longest rendering."""

_FIXED_DAY = datetime(2026, 1, 2, 3, 4, 5)
"""What `strftime_now` tells, so that two renderings of one conversation are equal."""


class Generation(Extension):
    """`{% generation %}` marks the model's own words for training; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - as the base class has it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Raises TypeError for what JSON cannot hold; a generator counts as a list."""

    def default(each: Any) -> Any:
        if isinstance(each, Undefined):
            raise TypeError("an undefined value is no JSON")
        if hasattr(each, "__next__"):
            return list(each)
        raise TypeError(f"{type(each).__name__} is no JSON")

    options: dict[str, Any] = {"ensure_ascii": ensure_ascii, "indent": indent, "sort_keys": sort_keys}
    return json.dumps(
        value, separators=(separators[0], separators[1]) if separators else None, default=default, **options
    )


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _environment(kind: Callable[..., Environment]) -> Environment:
    environment = kind(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    environment.filters["tojson"] = _tojson
    environment.filters["from_json"] = json.loads
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _FIXED_DAY.strftime
    return environment


class Renderer:
    """One template, compiled; it moves to the mutable sandbox once the template changes a list."""

    def __init__(self, source: str, variables: dict[str, Any]) -> None:
        self._source = source
        self._variables = variables
        self._template = _environment(ImmutableSandboxedEnvironment).from_string(source)
        self._is_mutable = False

    def render(self, conversation: dict[str, Any]) -> str:
        """Raises whatever the template raises."""
        try:
            return self._rendered(conversation)
        except SecurityError:
            if self._is_mutable:
                raise
            self._template = _environment(SandboxedEnvironment).from_string(self._source)
            self._is_mutable = True
            return self._rendered(conversation)

    def _rendered(self, conversation: dict[str, Any]) -> str:
        parts: list[str] = []
        length = 0
        for part in self._template.generate({**self._variables, **conversation}):
            length += len(part)
            if length > MOST_CHARACTERS:
                raise TemplateError(f"it renders more than {MOST_CHARACTERS} characters")
            parts.append(part)
        return "".join(parts)


def _limit() -> None:
    """Bound this process, where the system can do it; elsewhere only the parent's clock bounds it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform != "darwin":  # where address space cannot be bounded
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _told(error: BaseException) -> str:
    """An error in one short line."""
    name = type(error).__name__
    line = " ".join(str(error).split())[:200]
    return f"{name}: {line}" if line else name


def answers(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The answer to each line."""
    renderer: Renderer | None = None
    for line in lines:
        asked = json.loads(line)
        try:
            if "template" in asked:
                renderer = Renderer(asked["template"], asked["variables"])
                yield {"text": ""}
            elif renderer is not None:
                yield {"text": renderer.render(asked)}
        except Exception as error:  # noqa: BLE001 - a foreign program may raise anything, and MemoryError and its like
            yield {"error": _told(error)}


def main() -> None:
    _limit()
    for answer in answers(iter(sys.stdin)):
        try:
            text = json.dumps(answer)
        except (ValueError, MemoryError) as error:
            text = json.dumps({"error": _told(error)})
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
