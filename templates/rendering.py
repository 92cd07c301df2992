"""Renders a chat template in a child process, from here: starts the child, asks it, and ends it when it takes too long.

What goes wrong with a template is one line, raised as NotRendered, never anything else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from converters.learning.conversations import NotRendered

_SANDBOX = Path(__file__).with_name("sandbox.py")
try:
    import resource as _bounds_of_processes  # noqa: F401 - only whether it is there
except ImportError:  # Windows
    SECONDS = 3.0
else:
    SECONDS = 30.0
"""How long a child may keep us waiting in all.

Where its CPU is bounded (sandbox.py), that ends it, since a template can do nothing but compute: after 2 seconds on a
machine that is idle, and as late as it must be on one that is busy. Elsewhere only this clock does.
"""
MOST_TEMPLATE = 4 << 20
"""Characters of a template."""


class Rendering:
    """A template in its child process. A context manager: the child ends with it.

    `variables` are what a tokenizer tells its template, such as `bos_token`.
    """

    def __init__(self, template: str, variables: Mapping[str, Any] | None = None) -> None:
        """Raises NotRendered for a template that does not compile."""
        if len(template) > MOST_TEMPLATE:
            raise NotRendered(f"the template has more than {MOST_TEMPLATE} characters")
        self._left = SECONDS
        self._cache: dict[str, str | NotRendered] = {}
        self._over = ""
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_SANDBOX)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._ask(json.dumps({"template": template, "variables": dict(variables or {})}))
        except NotRendered:
            self.close()
            raise

    def __call__(self, conversation: Mapping[str, Any]) -> str:
        """The text of a conversation, which is the variables of one rendering. Raises NotRendered."""
        line = json.dumps(conversation)
        if line not in self._cache:
            try:
                self._cache[line] = self._ask(line)
            except NotRendered as error:
                self._cache[line] = error
        found = self._cache[line]
        if isinstance(found, NotRendered):
            raise found
        return found

    def _ask(self, line: str) -> str:
        child = self._child
        assert child.stdin and child.stdout
        if self._over:
            raise NotRendered(self._over)
        started = time.monotonic()
        watch = threading.Timer(max(self._left, 0.01), child.kill)
        watch.daemon = True
        watch.start()
        try:
            child.stdin.write(line.encode() + b"\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        except (OSError, ValueError):
            answer = b""
        finally:
            watch.cancel()
        self._left -= time.monotonic() - started
        if not answer.endswith(b"\n"):
            self._over = self._why_ended()
            raise NotRendered(self._over)
        told: dict[str, str] = json.loads(answer)
        if "error" in told:
            raise NotRendered(told["error"])
        return told["text"]

    def _why_ended(self) -> str:
        self._child.kill()
        self._child.wait()
        return "it did not end within its bounds of 2 seconds of CPU and 512 MB"

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._child.wait()

    def __enter__(self) -> Rendering:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
