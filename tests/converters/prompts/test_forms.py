"""Declared, called, returned and asked again: what we write is what the chat template of the family writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from converters.prompts import prompted
from tests.cases import in_one_test
from tests.converters.prompts.conversations import TOOLS, numbered, turns, user
from tests.converters.prompts.forms import FORMS, NO_FORM, Form
from tests.helpers import ROWS
from tests.properties.generated import modest
from tests.written import joined, past

DECLARED = Path(__file__).parent / "declared"


def _by_row(form: Form) -> str:
    return form.row


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _expected(form: Form, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages as the family's template writes them, in roles that every template has."""
    written: list[dict[str, Any]] = []
    known: dict[str, dict[str, str]] = {}
    results: list[str] = []
    for message in [*messages, {"role": "end"}]:
        if message["role"] == "tool":
            results.append(form.result % _holes(message["content"], len(results)) % known[message["tool_call_id"]])
            continue
        if results:
            written.append(user(form.group % form.between.join(results)))
            results = []
        if "tool_calls" in message:
            calls: list[tuple[str, dict[str, Any]]] = []
            for number, entry in enumerate(message["tool_calls"]):
                name = entry["function"]["name"]
                known[entry["id"]] = {"name": name, "id": _id(form, entry["id"], name, number, len(known) - number)}
                calls.append((name, json.loads(entry["function"]["arguments"])))
            ids = [known[entry["id"]]["id"] for entry in message["tool_calls"]]
            written += _beside(form, message["content"], _calls(form, calls, ids))
        elif message["role"] != "end":
            written.append(dict(message))
    return written


def _holes(text: str, number: int) -> dict[str, str]:
    """What fills a result's holes; those of its call are left for later."""
    quoted = json.dumps(text, ensure_ascii=False)
    holes = {"result": text, "quoted": quoted, "value": text if _is_json(text) else quoted, "number": str(number + 1)}
    return {key: each.replace("%", "%%") for key, each in holes.items()} | {"name": "%(name)s", "id": "%(id)s"}


def _id(form: Form, given_id: str, name: str, number: int, before: int) -> str:
    forms = {
        "conversation": str(before + number),
        "turn": str(number + 1),
        "functions": f"functions.{name}:{before + number}",
        "given": given_id,
    }
    return forms.get(form.ids, "")


def _calls(form: Form, calls: Sequence[tuple[str, dict[str, Any]]], ids: Sequence[str]) -> str:
    if form.row == "mistral_old":
        members = [{"name": n, "arguments": a, "id": i} for (n, a), i in zip(calls, ids, strict=True)]
        return "[TOOL_CALLS] " + json.dumps(members, ensure_ascii=False)
    return joined(past(ROWS[form.row], calls, ids))


def _beside(form: Form, text: str, calls: str) -> list[dict[str, Any]]:
    contents = [text, calls] if form.apart and text else [f"{text}{form.beside if text else form.alone}{calls}"]
    return [{"role": "assistant", "content": content} for content in contents]


@pytest.mark.parametrize("form", FORMS, ids=_by_row)
def test_a_history_is_written_as_the_template_writes_it(form: Form) -> None:
    @modest(10)
    @given(turns(form.row))
    def check(generated: list[list[dict[str, Any]]]) -> None:
        messages = [message for turn in numbered(generated) for message in turn]
        system = {"role": "system", "content": "SYS."}
        told, *rest = prompted([system, *messages], TOOLS, ROWS[form.row])
        assert told == {"role": "system", "content": _declared(form.row)}
        assert rest == _expected(form, messages)

    check()


def _declared(row: str) -> str:
    return (DECLARED / f"{row}.txt").read_text(encoding="utf-8").removesuffix("\n")


def test_every_row_has_a_form_or_a_reason() -> None:
    rows = [form.row for form in FORMS]
    assert len(set(rows)) == len(rows)
    assert {*rows, *NO_FORM} == set(ROWS)
    assert not set(rows) & set(NO_FORM)
    assert {path.stem for path in DECLARED.glob("*.txt")} == set(rows)


@in_one_test("form", FORMS, ids=_by_row)
def test_differences_are_told_in_a_line_each(form: Form) -> None:
    for line in (form.of, *form.differences):
        assert 3 < len(line) <= 160 and "\n" not in line
