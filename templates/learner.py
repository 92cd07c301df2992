"""Learns from one chat template: renders it in its child process, and never raises."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from converters.learning.conversations import NotRendered
from converters.learning.learn import Learned, learn
from converters.syntaxes import SYNTAXES
from templates.rendering import Rendering
from templates.sources import Template

log = logging.getLogger("dragoman.templates")

_UNSAFE = re.compile(r"[^\w./*?-]", re.ASCII)
_LONGEST_NAME = 64
_LISTED = {row.name: row for row in SYNTAXES}


def learn_template(
    template: Template,
    name: str,
    *,
    prior: str = "",
    thorough: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> Learned:
    """Learn from a template; `name` is that of the row, `prior` of the one that the model's name speaks for.

    `defaults` are the settings that the template's server sets where a request does not.

    Never raises: what goes wrong is the reason why nothing was learned.
    """
    try:
        with Rendering(template.text, template.variables) as rendering:
            row = _LISTED.get(prior)
            return learn(rendering, name, template.special, row, thorough=thorough, defaults=defaults)
    except NotRendered as error:
        return Learned(why=str(error), not_derived=str(error))
    except Exception as error:  # what a foreign program renders may be beyond what we thought of
        why = f"what it renders cannot be read ({type(error).__name__})"
        log.debug("learning raised", exc_info=True)
        return Learned(why=why, not_derived=why)


def row_name(served: str) -> str:
    """The name of the row of a model, or of what a file serves, as a header and a line of the log can tell it."""
    return f"template:{_UNSAFE.sub('_', served)[:_LONGEST_NAME]}"
