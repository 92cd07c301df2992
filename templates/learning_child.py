"""The child process that learns from chat templates, one after the other: lines of JSON in, lines of JSON out.

A line that comes in holds `template`, `variables`, `special`, `name`, `prior` and `defaults`, as `learn_template` takes
them; each is answered by what was learned, as stored.py writes it. The template itself runs in a process of its own
(sandbox.py). So neither it nor the proof, which takes a tenth of a second, is in the way of a request.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

from templates.learner import learn_template
from templates.sources import Template
from templates.stored import written

MEMORY_BYTES = 1 << 30
_LESS_URGENT = 10
"""How much less urgent than the server: requests come first where there are too few processors."""


def answered(line: str) -> str:
    """The answer to a line."""
    asked = json.loads(line)
    template = Template(asked["template"], asked["variables"], tuple(asked["special"]))
    return written(learn_template(template, asked["name"], prior=asked["prior"], defaults=asked["defaults"]))


def main() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows, or a system that bounds less
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform != "darwin":
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with suppress(AttributeError, OSError):
        os.nice(_LESS_URGENT)
    for line in sys.stdin:
        print(answered(line), flush=True)
