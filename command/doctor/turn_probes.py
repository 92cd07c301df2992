"""Probes of what surrounds calls: results in the history, reasoning, markup that is only quoted."""

from __future__ import annotations

from command.doctor.checks import markup_in, reasoning_in, wrong_answer, wrong_calls
from command.doctor.probe import REFUSAL, Finding, Side, chose, failed, passed, skipped
from command.doctor.questions import REASONING, RESULT_WORDS, TOOLS, history, quoted_markup
from converters.factory import converter_factory
from converters.render import render_calls
from converters.syntaxes import SYNTAXES

_USUAL = "hermes"
"""The row whose markup is quoted to a model whose own is not known."""

_EXAMPLE = ("get_weather", {"city": "Rome", "days": 1})
"""The call that is quoted."""


def result(side: Side) -> Finding:
    """A conversation goes on behind a tool's result, and uses it."""
    answer = side.converse(history(), tools=TOOLS)
    if 400 <= answer.status < 600:
        before = side.seen.get(REFUSAL)
        same = before is not None and before.error == answer.error
        return failed("refused" if same else "history_refused", f"HTTP {answer.status}: {answer.error}")
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    if any(word in answer.content for word in RESULT_WORDS):
        return passed(answer.words)
    if answer.calls:
        return chose("it called a tool again instead of reading the result")
    if (markup := markup_in(answer.content, TOOLS, side.model)) is not None:
        return markup
    if not answer.content.strip():
        return failed("empty_answer", f"no content, {len(answer.reasoning)} characters of reasoning")
    return chose(f"it did not use the result: {answer.words}")


def reasoning(side: Side) -> Finding:
    """Reasoning has a field of its own, and no call is lost in it."""
    answer = side.ask(REASONING, tools=TOOLS)
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    if (in_text := reasoning_in(answer.content)) is not None:
        return in_text
    wrong = wrong_calls(answer, TOOLS, side.model)
    if wrong is not None and not wrong.chose:
        return wrong
    if not answer.reasoning:
        return skipped("the model wrote no reasoning")
    return passed(f"{len(answer.reasoning)} characters in a field of their own")


def quoted(side: Side) -> Finding:
    """Markup that is shown as an example stays text."""
    row = converter_factory.get_builtin(side.model).syntax or next(row for row in SYNTAXES if row.name == _USUAL)
    markup = render_calls(row, [_EXAMPLE])
    answer = side.ask(quoted_markup(markup), tools=TOOLS)
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    if any((each.name, each.object) == _EXAMPLE for each in answer.calls):
        return failed("quoted_called", f"the example was run as a call of {_EXAMPLE[0]}")
    if answer.calls:
        return chose(f"it called {answer.calls[0].name} otherwise than in the example")
    if not answer.content.strip():
        return failed("empty_answer", f"no content, {len(answer.reasoning)} characters of reasoning")
    return passed("it stays text") if "Rome" in answer.content else chose(f"it answered {answer.words}")
