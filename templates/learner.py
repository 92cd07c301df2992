"""What the chat templates of CHAT_TEMPLATES tell, by the model's name. Each template is learned once, at the start.

What is learned, and what is not and why, is one line of the log for each file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache

from converters.factory import converter_factory
from converters.learning.conversations import NotRendered
from converters.learning.learn import Learned, learn
from converters.syntaxes import SYNTAXES
from templates.rendering import Rendering
from templates.sources import NoTemplate, Source, Template, read_template, sources_of

log = logging.getLogger("dragoman.templates")

_CACHE: dict[tuple[str, str], Learned] = {}
"""What was learned in this process, by the hash of the template and what it serves."""
_UNSAFE = re.compile(r"[^\w./*?-]", re.ASCII)
_LONGEST_NAME = 64
_LISTED = {row.name: row for row in SYNTAXES}


class TemplateRows:
    """The rows of CHAT_TEMPLATES."""

    def __init__(self, places: Iterable[tuple[str, str]] = ()) -> None:
        """`places` are (pattern, path). Raises ConfigError for a path that is not there."""
        self._learned = [(source, _learned(source)) for source in sources_of(places)]
        self._by_name = lru_cache(maxsize=1024)(self._find)

    def find(self, model: str) -> Learned | None:
        """What the template of a model tells; None without one. Of several files the first wins that serves it."""
        return self._by_name(model) if self._learned else None

    def _find(self, model: str) -> Learned | None:
        return next((learned for source, learned in self._learned if source.serves(model)), None)


def learn_template(template: Template, name: str, *, prior: str = "", thorough: bool = False) -> Learned:
    """Learn from a template; `name` is that of the row, `prior` of the one that the model's name speaks for.

    Never raises: what goes wrong is the reason why nothing was learned.
    """
    try:
        with Rendering(template.text, template.variables) as rendering:
            return learn(rendering, name, template.special, _LISTED.get(prior), thorough=thorough)
    except NotRendered as error:
        return Learned(why=str(error), not_derived=str(error))
    except Exception as error:  # what a foreign program renders may be beyond what we thought of
        why = f"what it renders cannot be read ({type(error).__name__})"
        log.debug("learning raised", exc_info=True)
        return Learned(why=why, not_derived=why)


def _row_name(served: str) -> str:
    """The name of the row for what a file serves, as a header and a line of the log can tell it."""
    return f"template:{_UNSAFE.sub('_', served)[:_LONGEST_NAME]}"


def _learned(source: Source) -> Learned:
    try:
        template = read_template(source.path)
    except NoTemplate as error:
        log.warning("chat template %s: nothing learned: %s", source.path, error)
        return Learned(why=str(error), not_derived=str(error))
    served = source.pattern or source.name
    row = converter_factory.get_builtin(served).syntax
    key = (template.key, served)
    if key not in _CACHE:
        _CACHE[key] = learn_template(template, _row_name(served), prior=row.name if row else "")
    learned = _CACHE[key]
    if learned.row is None:
        log.warning("chat template %s: no row learned: %s", source.path, learned.why)
    else:
        kind = "listed" if learned.is_listed else "learned"
        log.info("chat template %s: its calls are read by the %s row %s", source.path, kind, learned.row.name)
    return learned
