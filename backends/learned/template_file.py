"""What chat templates told, in the SQLite file of the lessons, so that no template is learned again after a restart.

A file that cannot be used costs no request: what is kept is then only in memory.
"""

from __future__ import annotations

import sqlite3

from backends.learned.state_file import StateFile, spelled
from templates.known import MOST_MODELS, MOST_TEMPLATES, Answer, InMemory

_ANSWERS = "SELECT model, template, why, asked FROM template_answers WHERE backend = ?"
_DROP_ANSWERS = """
DELETE FROM template_answers WHERE rowid IN
    (SELECT rowid FROM template_answers ORDER BY asked DESC LIMIT -1 OFFSET ?)
"""
_DROP_TEMPLATES = (
    "DELETE FROM templates WHERE rowid IN (SELECT rowid FROM templates ORDER BY learned DESC LIMIT -1 OFFSET ?)"
)


class TemplateFile:
    """A KnownTemplates."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._memory = InMemory()

    def answers(self, backend: str) -> dict[str, Answer]:
        rows = self._file.rows(f"{_ANSWERS} ORDER BY asked", backend)
        if rows is None:
            return self._memory.answers(backend)
        found = {str(row[0]): _answer(row) for row in rows}
        return {model: answer for model, answer in found.items() if answer is not None}

    def answer(self, backend: str, model: str) -> Answer | None:
        rows = self._file.rows(f"{_ANSWERS} AND model = ?", backend, spelled(model))
        if rows is None:
            return self._memory.answer(backend, model)
        return _answer(rows[0]) if rows else None

    def keep(self, backend: str, model: str, answer: Answer) -> None:
        self._memory.keep(backend, model, answer)
        values = (backend, spelled(model), answer.at, answer.key, answer.why)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO template_answers VALUES (?, ?, ?, ?, ?)", values)
            connection.execute(_DROP_ANSWERS, (MOST_MODELS,))

        self._file.write(write)

    def told(self, key: str) -> str | None:
        rows = self._file.rows("SELECT told FROM templates WHERE template = ?", key)
        if rows is None:
            return self._memory.told(key)
        return str(rows[0][0]) if rows else None

    def tell(self, key: str, text: str, at: float) -> None:
        self._memory.tell(key, text, at)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO templates VALUES (?, ?, ?)", (key, at, text))
            connection.execute(_DROP_TEMPLATES, (MOST_TEMPLATES,))

        self._file.write(write)


def _answer(row: tuple[object, ...]) -> Answer | None:
    """An answer as it was written; None for what somebody else wrote."""
    _, key, why, at = row
    return Answer(str(key), str(why), float(at)) if isinstance(at, int | float) else None
