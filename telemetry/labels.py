"""Values of labels. A client or a backend can make up names without end, and each would be a series for ever."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from converters.text.reasons import NOTED, REMOVED
from errors import (
    BackendError,
    Interrupted,
    NotAnApi,
    Refused,
    Unreachable,
)
from records.threads import new_lock
from streaming.record import REQUEST_CODES

OTHER = "other"
"""Stands for the names for which there is no place any more, and for what is not known."""
NONE = "none"
"""Stands for what there is not: the model of a request that was not read."""

_LONGEST = 80
"""Characters of a name."""
_CODES = frozenset({*REMOVED, *NOTED, *REQUEST_CODES})
_STATUSES = frozenset({0, 499, 529, *map(int, HTTPStatus)})
_UPSTREAM: Mapping[str, str] = {
    **{each.code: each.code.removeprefix("backend_") for each in (NotAnApi, Unreachable, Interrupted, Refused)},
    **{f"backend_{phase}_timeout": f"{phase}_timeout" for phase in ("connect", "first_byte", "idle", "answer")},
    **{code: code for code in ("held_too_long", "too_many_calls", "too_many_choices", "answer_too_long")},
    BackendError.code: "error",
}
"""Why a backend's answer was none, by the error of the record."""


class Names:
    """The first names that come, up to a number; all others are `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, str] = {"": NONE}
        self._guard = new_lock()

    def of(self, name: str, proved: bool = True) -> str:
        """The label of a name: printable, and cut. What is not `proved` gets none of the second half of the places."""
        name = name[:_LONGEST]
        known = self._known.get(name)
        if known is not None:
            return known
        with self._guard:
            if len(self._known) > (self._most if proved else self._most // 2):
                return OTHER
            label = name if name.isprintable() else "".join(each if each.isprintable() else "?" for each in name)
            return self._known.setdefault(name, label)


def status_label(status: int) -> str:
    """A status as a number. One that nobody has defined is the first of its hundred, as HTTP says to read it."""
    if status in _STATUSES:
        return str(status)
    return str(status // 100 * 100) if 100 <= status < 600 else "0"


def code_label(code: str) -> str:
    """A code of docs/OUTCOMES.md. `adapted` comes with its adaptation, of which there is a table, too."""
    known, _, what = code.partition(":")
    if known not in _CODES or (what and not (what.isascii() and what.isidentifier() and len(what) <= _LONGEST)):
        return OTHER
    return code


def upstream_reason(error: str | None) -> str | None:
    """Why the backend failed; None if it did not, or somebody else did."""
    if error is None:
        return None
    if error.startswith("backend_status_"):
        return f"status_{status_label(int(error.removeprefix('backend_status_')))}"
    return _UPSTREAM.get(error)
