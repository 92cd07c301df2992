"""Renders a chat template in a child process, from here: starts the child, asks it, and ends it when it takes too long.

What goes wrong with a template is one line, raised as NotRendered, never anything else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from converters.learning.conversations import NotRendered
from templates.child import Child

_SANDBOX = Path(__file__).with_name("sandbox.py")
EACH = 3.0
"""Seconds for one rendering. A template can do nothing but compute, and 2 seconds of CPU end that (sandbox.py). This
clock ends what sleeps all the same, and what computes where a system cannot bound it."""
STARVED = 30.0
"""Seconds more for one that has not had its 2 seconds of CPU yet, because others have the processors."""
ALL = 60.0
"""Seconds for all renderings of a template, which take some milliseconds each on a machine that is idle."""
NOT_ENDED = "it did not end within its bounds of 2 seconds of CPU, 3 seconds and 512 MB"
"""Why nothing was rendered: on a machine that is very busy another time may do."""
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
        self._left = ALL
        self._cache: dict[str, str | NotRendered] = {}
        self._over = ""
        self._child = Child([str(_SANDBOX)])
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
        if self._over:
            raise NotRendered(self._over)
        started = time.monotonic()
        answer = self._child.ask(line, min(EACH, self._left), STARVED)
        self._left -= time.monotonic() - started
        if answer is None or self._left <= 0:
            self._over = NOT_ENDED
            raise NotRendered(self._over)
        told: dict[str, str] = json.loads(answer)
        if "error" in told:
            raise NotRendered(told["error"])
        return told["text"]

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def __enter__(self) -> Rendering:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
