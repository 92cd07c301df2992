"""What a model's own chat template is known to refuse or lose is changed before the first attempt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backends.adapt import AdaptSettings, Planner
from backends.adapt.told import told_at_once
from backends.learned import Learned
from errors import ErrorInfo
from tests.cases import in_one_test

USER = {"role": "user", "content": "hi"}
SYSTEM = {"role": "system", "content": "be brief"}
CALL = {"id": "call_0123456789", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
NINE = {**CALL, "id": "abcdef012"}
CALLING = {"role": "assistant", "content": "", "tool_calls": [NINE]}
RESULT = {"role": "tool", "tool_call_id": "abcdef012", "content": "x"}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]

CASES: dict[str, tuple[dict[str, str], list[Any], set[str]]] = {
    "nothing is known": ({}, [USER, CALLING, RESULT], set()),
    "all is well": ({"content_null": "ok", "ids": "any"}, [USER, {**CALLING, "content": None}, RESULT], set()),
    "null": ({"content_null": "error: x"}, [USER, {**CALLING, "content": None}, RESULT], {"content_empty"}),
    "null is printed": ({"content_null": "prints None"}, [USER, {**CALLING, "content": None}], {"content_empty"}),
    "no null": ({"content_null": "error: x"}, [USER, CALLING, RESULT], set()),
    "empty": ({"content_empty": "lost"}, [USER, CALLING, RESULT], {"content_space"}),
    "arguments": ({"arguments_text": "doubly encoded"}, [USER, CALLING, RESULT], {"arguments_object"}),
    "text beside": ({"text_beside_call": "lost"}, [USER, {**CALLING, "content": "so"}], {"text_apart"}),
    "text apart is refused": (
        {"text_beside_call": "lost", "text_apart": "error: x"},
        [USER, {**CALLING, "content": "so"}],
        set(),
    ),
    "two calls": ({"two_calls": "error: x"}, [USER, {**CALLING, "tool_calls": [NINE, CALL]}], {"one_call"}),
    "a long id": ({"ids": "error: x"}, [USER, {**CALLING, "tool_calls": [CALL]}], {"ids_nine"}),
    "an id of nine": ({"ids": "error: x"}, [USER, CALLING, RESULT], set()),
    "parts": (
        {"content_parts": "lost"},
        [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        {"content_text"},
    ),
    "no system role": ({"system": "error: x"}, [SYSTEM, USER], {"system_in_user"}),
    "a late system message": ({"late_system": "lost"}, [USER, SYSTEM], {"system_first"}),
    "a first system message": ({"late_system": "lost"}, [SYSTEM, USER], set()),
    "neighbours": ({"neighbours": "error: x"}, [USER, USER], {"alternate"}),
    "no neighbours": ({"neighbours": "error: x"}, [USER, CALLING, RESULT, CALLING, RESULT], set()),
    "the assistant first": (
        {"assistant_first": "error: x"},
        [{"role": "assistant", "content": "a"}, USER],
        {"alternate"},
    ),
    "no tools": ({"tools": "lost", "arguments_text": "lost"}, [USER, CALLING, RESULT], {"prompted"}),
}


@in_one_test("history, messages, wanted", CASES.values(), ids=CASES)
def test_what_a_template_asks_for(history: dict[str, str], messages: list[Any], wanted: set[str]) -> None:
    assert set(told_at_once({"messages": messages, "tools": TOOLS}, history)) == wanted
    _, codes = sent(history, messages)
    assert codes == {name if name == "prompted" else f"adapted:{name}" for name in wanted}


def plan_of(history: Mapping[str, str], messages: list[Any], **settings: Any) -> Any:
    body = {"model": "m", "messages": messages, "tools": TOOLS}
    planner = Planner(AdaptSettings(**settings), Learned("http://backend", 24))
    return planner.plan(json.dumps(body).encode(), body, "m", None, history)


def sent(history: Mapping[str, str], messages: list[Any], **settings: Any) -> tuple[Any, set[str]]:
    """(what is sent first, the codes that say so)"""
    plan = plan_of(history, messages, **settings)
    return json.loads(plan.body), set(plan.codes)


def test_a_long_request_that_nobody_read_is_changed_too() -> None:
    raw = json.dumps({"model": "m", "messages": [SYSTEM, USER]}).encode()
    planner = Planner(AdaptSettings(), Learned("http://backend", 24))
    plan = planner.plan(raw, None, "m", None, {"system": "error: x"})
    assert plan.codes == {"adapted:system_in_user"}


def test_the_settings_forbid_it() -> None:
    history = {"tools": "lost", "system": "lost"}
    body, codes = sent(history, [SYSTEM, USER], adapt=False)
    assert codes == set() and body["messages"] == [SYSTEM, USER]
    assert sent(history, [SYSTEM, USER], prompting="native")[1] == {"adapted:system_in_user"}
    assert sent(history, [SYSTEM, USER], preset="openai")[1] == set()


def test_a_refusal_of_what_the_template_asked_for_takes_it_back() -> None:
    """The backend renders another template, or puts arguments in order itself."""
    plan = plan_of({"arguments_text": "error: x"}, [USER, CALLING, RESULT])
    assert plan.codes == {"adapted:arguments_object"}
    refusal = ErrorInfo(400, {"message": "messages.1.tool_calls.0.function.arguments: Input should be a valid string"})
    assert plan.refused(refusal)
    assert plan.codes == set() and json.loads(plan.body)["messages"] == [USER, CALLING, RESULT]
    assert not plan.refused(refusal), "once"


def test_a_backend_that_refuses_it_gets_the_next_request_as_it_was_sent() -> None:
    learned = Learned("http://backend", 24)
    body = {"model": "m", "messages": [USER, CALLING, RESULT]}
    history = {"arguments_text": "error: x"}
    for _ in range(2):
        plan = Planner(AdaptSettings(), learned).plan(json.dumps(body).encode(), body, "m", None, history)
        if plan.codes:
            assert plan.refused(ErrorInfo(400, {"message": "arguments: Input should be a valid string"}))
            plan.succeeded()
    assert plan.codes == set()
    (entry,) = learned.entries()
    assert [each["name"] for each in entry["adaptations"]] == ["as_sent"]  # type: ignore[attr-defined]


def test_what_a_template_asks_for_is_no_lesson_of_a_refusal() -> None:
    learned = Learned("http://backend", 24)
    body = {"model": "m", "messages": [SYSTEM, USER]}
    plan = Planner(AdaptSettings(), learned).plan(json.dumps(body).encode(), body, "m", None, {"system": "lost"})
    plan.succeeded()
    assert learned.entries() == []
