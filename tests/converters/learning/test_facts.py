"""What a template tells beside its row: when the prompt opens the reasoning, what it refuses, how it tells tools."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from converters.learning.conversations import NotRendered
from converters.learning.learn import learn
from converters.prompts.declare import declared
from converters.stages.pipeline import new_parser
from converters.syntaxes import Syntax
from converters.syntaxes.prompt import COMMON
from converters.text.events import Removed
from converters.text.expectations import Expectations
from tests.cases import in_one_test
from tests.helpers import assemble

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}


class Template:
    """A template with markers of its own, and what it does otherwise."""

    def __init__(self, **ways: Any) -> None:
        self.ways = ways

    def __call__(self, variables: Mapping[str, Any]) -> str:
        messages, tools = list(variables["messages"]), variables.get("tools")
        self._refuse(messages)
        told = self.ways.get("tells")
        if tools and told:
            before = messages.pop(0)["content"] if messages[0]["role"] == "system" else "You help."
            text = told(before, tools)
            messages.insert(0, {"role": "system", "content": text})
        elif tools and not self.ways.get("no_tools"):
            messages.insert(0, {"role": "kit", "content": json.dumps(tools)})
        text = "".join(map(self._written, messages))
        return text + (f"<zq:me>{self._opens(variables)}" if variables["add_generation_prompt"] else "")

    def _refuse(self, messages: list[Any]) -> None:
        roles = [each["role"] for each in messages]
        if self.ways.get("alternates") and any(a == b for a, b in itertools.pairwise(roles)):
            raise NotRendered("roles must alternate")
        if self.ways.get("no_system") and "system" in roles:
            raise NotRendered("no system role")

    def _written(self, message: Mapping[str, Any]) -> str:
        role = {"assistant": "me", "tool": self.ways.get("result", "back")}.get(message["role"], message["role"])
        content = message.get("content") or ""
        if message["role"] == "tool" and self.ways.get("wraps"):
            content = f"<zq_result>{content}</zq_result>"
        calls = [each["function"] for each in message.get("tool_calls") or []]
        text = "".join(
            f"\n<zq_do>{json.dumps({'name': c['name'], 'arguments': c['arguments']})}</zq_do>" for c in calls
        )
        return f"<zq:{role}>{content}{text}<zq:end>"

    def _opens(self, variables: Mapping[str, Any]) -> str:
        opens = self.ways.get("opens")
        return "<think>" if opens and opens(variables) else ""


def row_of(template: Template, **more: Any) -> Syntax:
    learned = learn(template, "template:x", **more)
    assert learned.row is not None and not learned.is_listed, learned.why
    return learned.row


# -- reasoning ---------------------------------------------------------------------------------------------------------


def opened(template: Template, tools: bool, **more: Any) -> bool:
    learned = learn(template, "template:x", **more)
    family = learned.family(learned.row, tools=tools)
    assert family is not None
    return family.opens


@in_one_test("tools", [True, False])
def test_it_may_depend_on_the_tools(tools: bool) -> None:
    assert opened(Template(opens=lambda variables: not variables.get("tools")), tools) is not tools
    assert opened(Template(opens=lambda variables: bool(variables.get("tools"))), tools) is tools


def test_it_may_depend_on_what_the_server_sets() -> None:
    template = Template(opens=lambda variables: variables.get("enable_thinking"))
    assert opened(template, True) is False
    assert opened(template, True, defaults={"enable_thinking": True}) is True
    family = learn(template, "template:x", defaults={"enable_thinking": True}).family(None)
    assert family is not None and family.heeds == ("enable_thinking",)


def test_it_may_depend_on_the_last_role() -> None:
    template = Template(opens=lambda variables: variables["messages"][-1]["role"] != "tool")
    family = learn(template, "template:x").family(None)
    assert family is not None and family.opens and not family.after_result


# -- history -----------------------------------------------------------------------------------------------------------

HISTORY = {
    "no system role": ({"no_system": True}, "system", "error"),
    "alternation": ({"alternates": True}, "neighbours", "error"),
    "neighbours": ({}, "neighbours", "ok"),
    "the assistant first": ({}, "assistant_first", "ok"),
    "a system message": ({}, "system", "ok"),
    "no place for tools": ({"no_tools": True}, "tools", "lost"),
    "a place for tools": ({}, "tools", "ok"),
    "text apart": ({}, "text_apart", "ok"),
    "text apart, but alternating": ({"alternates": True}, "text_apart", "error"),
}


@in_one_test("ways, question, answer", HISTORY.values(), ids=HISTORY)
def test_what_a_history_may_hold(ways: dict[str, Any], question: str, answer: str) -> None:
    assert learn(Template(**ways), "template:x").history[question].partition(":")[0] == answer


def test_a_template_without_calls_still_tells_what_it_refuses() -> None:
    def bare(variables: Mapping[str, Any]) -> str:
        if any(each["role"] in ("system", "tool") for each in variables["messages"]):
            raise NotRendered("unknown role")
        return "".join(f"<zq>{each['content']}" for each in variables["messages"])

    learned = learn(bare, "template:x")
    assert learned.row is None
    assert learned.history["tools"] == "lost" and learned.history["system"].startswith("error")


# -- prompts -----------------------------------------------------------------------------------------------------------


def behind_the_system(before: str, tools: list[Any]) -> str:
    listed = "\n".join(map(json.dumps, tools))
    return f"{before}\n\n## Kit\nUse these:\n<zq_kit>\n{listed}\n</zq_kit>\nCall with {{}} in <zq_do>."


def before_the_system(before: str, tools: list[Any]) -> str:
    listed = ",\n".join(json.dumps(each["function"]) for each in tools)
    return f"Kit: [{listed}]\n\n{before}"


@in_one_test("tells, form, first", [(behind_the_system, "json", False), (before_the_system, "function", True)])
def test_tools_are_told_as_the_template_tells_them(tells: Any, form: str, first: bool) -> None:
    row = row_of(Template(tells=tells))
    assert (row.prompt.form, row.prompt.before_system) == (form, first)
    told = declared(row, [TOOL, TOOL], "auto", None)
    between = row.prompt.beside_system
    assert (told + between + "S" if first else "S" + between + told) == tells("S", [TOOL, TOOL])


def test_tools_in_a_turn_of_their_own_are_told_in_the_common_form() -> None:
    assert row_of(Template()).prompt.declaration == COMMON.declaration


def test_a_result_that_the_user_says_is_told_as_it_is() -> None:
    assert row_of(Template(result="user", wraps=True)).prompt.result == "<zq_result>{result}</zq_result>"
    assert row_of(Template(result="back", wraps=True)).prompt.result == COMMON.result


# -- results that the model makes up -----------------------------------------------------------------------------------


def test_a_made_up_result_is_removed_at_every_cut() -> None:
    row = row_of(Template())
    assert row.own_results == ("<zq:back>",)
    call = '<zq_do>{"name": "f", "arguments": {}}</zq_do>'
    text = f"{call}<zq:end><zq:back>22 degrees<zq:end><zq:me>It is warm."
    for cut in range(len(text)):
        parser = new_parser(Expectations(tools={"f": {"type": "object"}}), row)
        events = [*parser.feed(text[:cut]), *parser.feed(text[cut:]), *parser.finish()]
        message = assemble(events)
        assert (message.names, message.content) == (["f"], ""), cut
        removed = "".join(e.raw for e in events if isinstance(e, Removed) and e.reason == "invented_result")
        assert removed.startswith("<zq:back>22 degrees"), cut
