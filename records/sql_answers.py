"""Answers in a database that clients may ask for again (`reply.KeptAnswer`): to find them, and to delete their texts.

An answer is found by its id and the name of the key that made it. What it goes on from stands in `answer_source`: first
the answer before it (0), then those of which something stands in its request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from records.databases import Database, Values
from records.kept_answers import AnswerState, check_size
from records.texts import ANSWER, REQUEST, PackedText, unpacked
from reply import FoundAnswer

_AT_ONCE = 100
"""Records whose texts are read by one statement."""
_INSERT_SOURCE = (
    "INSERT INTO answer_source (record_id, seq, source_id) VALUES (:record_id, :seq, :source_id) ON CONFLICT DO NOTHING"
)
_AFTER = """WITH RECURSIVE after (record_id, answer_id) AS (
    SELECT id, answer_id FROM record WHERE id = :id
    UNION
    SELECT r.id, r.answer_id FROM after a
    JOIN answer_source s ON s.source_id = a.answer_id
    JOIN record r ON r.id = s.record_id
)
SELECT record_id FROM after"""


def insert_sources(sources: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, list[Values]] | None:
    """The statement that stores what answers go on from, given as (id of the record, ids); None if there is nothing."""
    values: list[Values] = [
        {"record_id": record_id, "seq": seq, "source_id": source_id}
        for record_id, found in sources
        for seq, source_id in enumerate(found)
        if source_id
    ]
    return (_INSERT_SOURCE, values) if values else None


def sources_of(database: Database, record_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What the answers of these records go on from; the first is empty where there is no answer before it."""
    found: dict[str, dict[int, str]] = {}
    wanted, values = _in("id", record_ids)
    sql = f"SELECT record_id, seq, source_id FROM answer_source WHERE record_id IN ({wanted})"
    for record_id, seq, source_id in database.read(sql, values):
        found.setdefault(str(record_id), {})[int(seq)] = str(source_id)
    return {name: tuple(each.get(seq, "") for seq in range(max(each) + 1)) for name, each in found.items()}


def state(database: Database, answer_id: str, owner: str | None) -> AnswerState:
    """What is known of an answer."""
    rows = database.read(f"SELECT state FROM record WHERE answer_id = :answer AND {_mine()}", _given(answer_id, owner))
    return None if not rows else "open" if rows[0][0] == "open" else "ended"


def answers(
    database: Database, answer_id: str, owner: str | None, links: int, most_bytes: int
) -> Sequence[FoundAnswer]:
    """An answer and up to so many that it goes on from, the newest first, as far as they are there.

    Raises StoreError, and TooLarge if they are more than `most_bytes`.
    """
    sql = f"""WITH RECURSIVE chain (record_id, answer_id, place) AS (
        SELECT id, answer_id, 0 FROM record WHERE answer_id = :answer AND state = 'ended' AND {_mine()}
        UNION ALL
        SELECT r.id, r.answer_id, c.place + 1 FROM chain c
        JOIN answer_source s ON s.record_id = c.record_id AND s.seq = 0
        JOIN record r ON r.answer_id = s.source_id AND r.state = 'ended' AND {_mine("r.")}
        WHERE c.place < :links
    )
    SELECT c.record_id, c.answer_id, s.source_id, t.size FROM chain c
    JOIN record_text t ON t.record_id = c.record_id AND t.kind = '{ANSWER}'
    LEFT JOIN answer_source s ON s.record_id = c.record_id AND s.seq = 0
    ORDER BY c.place"""
    rows = database.read(sql, {**_given(answer_id, owner), "links": links})
    if not rows or rows[0][1] != answer_id:
        return []
    check_size(sum(int(row[3]) for row in rows), most_bytes)
    found: list[FoundAnswer] = []
    size = 0
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        texts = _texts(database, [str(row[0]) for row in some])
        for record_id, name, previous, _ in some:
            request, body = (texts.get((record_id, kind)) for kind in (REQUEST, ANSWER))
            if request is None or body is None or (found and found[-1].previous != name):
                return found  # one in between is gone
            size += len(request) + len(body)
            check_size(size, most_bytes)
            found.append(FoundAnswer(str(name), request, body, previous))
    return found


def _texts(database: Database, record_ids: Sequence[str]) -> Mapping[tuple[str, str], bytes]:
    """The texts of which answers are made, by record and kind; what is not whole is left out."""
    wanted, values = _in("id", record_ids)
    sql = (
        "SELECT record_id, kind, body, encoding, size, truncated, borders FROM record_text "
        f"WHERE kind IN ('{REQUEST}', '{ANSWER}') AND record_id IN ({wanted})"
    )
    rows: dict[str, list[PackedText]] = {}
    for record_id, kind, body, encoding, size, truncated, borders in database.read(sql, values):
        text = PackedText(kind, bytes(body), encoding, size, bool(truncated), bytes(borders))
        rows.setdefault(str(record_id), []).append(text)
    return {
        (record_id, text.kind): text.body
        for record_id, packed in rows.items()
        for text in unpacked(packed)
        if not text.truncated
    }


def erase(database: Database, answer_id: str, owner: str | None) -> bool:
    """Delete the texts of an answer and of its exchange, and what was sent for those that go on from it.

    Its record stays, without texts. False if there is no such answer.
    """
    sql = f"SELECT id FROM record WHERE answer_id = :answer AND state = 'ended' AND has_text = 1 AND {_mine()}"
    rows = database.read(sql, _given(answer_id, owner))
    if not rows:
        return False
    own: Values = {"id": str(rows[0][0])}
    later = [{"id": str(row[0])} for row in database.read(_AFTER, own)]
    database.erase(
        [
            ("DELETE FROM record_text WHERE record_id = :id AND kind LIKE 'sent.%'", later),
            ("DELETE FROM record_text WHERE record_id = :id", [own]),
            ("UPDATE record SET has_text = 0 WHERE id = :id", [own]),
        ]
    )
    return True


def _mine(table: str = "") -> str:
    """The condition that an answer belongs to a key; `_given` has its parameters."""
    return f"coalesce({table}key_name, '') = :owner"


def _given(answer_id: str, owner: str | None) -> dict[str, Any]:
    return {"answer": answer_id, "owner": owner or ""}


def _in(name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
    values = {f"{name}{place}": each for place, each in enumerate(ids)}
    return ", ".join(f":{each}" for each in values), values
