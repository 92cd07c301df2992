"""docs/TEMPLATES.md: what the public templates tell beside what the table says, and who is right where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

from converters.factory import converter_factory
from converters.learning.learn import Learned
from converters.syntaxes import RESULTS, TURN_HEADERS, ThinkingFamily
from converters.thinking import family_of

WIDTH = 130
"""Characters of a line of the page."""
PAGE = Path(__file__).parents[2] / "docs" / "TEMPLATES.md"

RIGHT = {
    "CohereForAI-c4ai-command-r-plus-tool_use": "The template: its calls stand in `` Action:\\n```json ``.",
    "GigaChat3-10B-A1.8B": "The template: this one writes a message of the role `function call`.",
    "meta-llama-Llama-3.2-3B-Instruct": "The template: it prints JSON. Models of this size also write lists of Python "
    "calls, and both rows are read.",
    "StepFun3.5-Flash": "The template: the name is that of a file, which no pattern of the table has. The models' own "
    "names (`Step-3.5`) select the same row.",
}
"""Who is right where the row that is used is not the one that the model's name selects."""

NOT_PROVED = {
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B": "A bug of the template: behind the second call of a turn it closes the "
    "group and ends the turn, then goes on with another call. No row is used for it but that of the name.",
    "muse-glimmer": "A call is a message to a recipient, and the name stands twice: in the message's header and in the "
    "call. The grammar reads such headers only for the listed row, which reads all of it.",
    "openai-gpt-oss-120b": "A call is a message on a channel, whose header begins in the prompt. The grammar reads "
    "such headers only for the listed row, which reads all of it.",
    "HuggingFaceTB-SmolLM3-3B": "A history prints no calls.",
    "LFM2-8B-A1B": "A history prints no calls: the model's own text is expected in `content`.",
    "LFM2.5-Instruct": "A history prints no calls: the model's own text is expected in `content`.",
    "fireworks-ai-llama-3-firefunction-v2": "It wants a variable of its own, `functions`, that no server gives it.",
    "google-gemma-2-2b-it": "It knows no tools.",
    "ibm-granite-granite-3.3-2B-Instruct": "A history prints no calls.",
    "llama-cpp-rwkv-world": "It knows no tools.",
    "microsoft-Phi-3.5-mini-instruct": "It knows no tools.",
}
"""Why a row was not derived, or not proved."""

_PROMPT = {
    "Qwen-QwQ-32B": "llama.cpp changed this template so that it heeds the setting; the model's own always opens it.",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B": "llama.cpp changed this template; the model's own always opens it.",
}
"""Who is right where the prompt opens the reasoning otherwise than the table says."""


class Result(NamedTuple):
    """What was learned from one template."""

    name: str
    prior: str
    """The row that the model's name selects; empty if none."""
    learned: Learned

    @property
    def is_proved(self) -> bool:
        """Whether a row was derived, and proved alone and before the table."""
        return self.learned.derived_proof is not None and self.learned.derived_proof.holds

    @property
    def row(self) -> str:
        return self.learned.row.name if self.learned.row else ""


def prior_of(name: str) -> str:
    """The row that a name selects; empty if none."""
    row = converter_factory.get_builtin(name).syntax
    return row.name if row else ""


def write_page(results: Sequence[Result], package: str, spoilt: tuple[int, int]) -> None:
    """Write docs/TEMPLATES.md. `spoilt` is how many spoilt rows were tried, and how many accepted."""
    PAGE.write_text("\n".join(_lines(results, package, spoilt)) + "\n", encoding="utf-8")


def _lines(results: Sequence[Result], package: str, spoilt: tuple[int, int]) -> Iterator[str]:
    proved = [each for each in results if each.is_proved]
    same = [each for each in results if each.row and each.row == each.prior]
    other = [each for each in results if each.row and each.row != each.prior]
    yield "# What chat templates tell"
    yield ""
    yield from wrap(
        "`make templates` writes this page. It learns a row of the table from each public chat template that it can "
        f"get, the {len(results)} of the package `{package}`, and holds it against the table. The templates are "
        "fetched, and are no part of this project. [ADDING_A_MODEL.md](ADDING_A_MODEL.md) says how to use a "
        "template of your own.",
        WIDTH,
    )
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| Templates | {len(results)} |"
    yield f"| A row is derived from them alone, and proved | {len(proved)} |"
    yield f"| The row that is used is the one that the model's name selects | {len(same)} |"
    yield f"| It is another one | {len(other)} |"
    yield f"| No row is used | {sum(not each.row for each in results)} |"
    yield f"| Rows that were spoilt on purpose, of made-up templates | {spoilt[0]} |"
    yield f"| Of these the proof accepted; each reads 200 further calls as the unspoilt row does | {spoilt[1]} |"
    yield ""
    yield from wrap(
        "The proof of a row: the template renders calls that the row was not made of (quotation marks, line ends, "
        "markup, Unicode, numbers, objects, no arguments, two and three calls), alone, in whole turns, in a second "
        "round and behind text. The row reads them with no other row beside it, and again before the table. Nothing "
        "may be left of them but tokens that end a turn.",
        WIDTH,
    )
    yield ""
    yield "## Where template and table differ"
    yield ""
    yield from wrap(
        "All rows are looked for in every answer, whatever the name selects: it only says which one is tried first. "
        "So a difference here loses no call. With a template its row is tried first, and else that of the name.",
        WIDTH,
    )
    yield ""
    yield from _table(
        ("Template", "Row by name", "Row by template", "Who is right"),
        ((each.name, each.prior or "–", each.row, RIGHT.get(each.name, "Not judged yet.")) for each in other),
    )
    yield "## Not derived, or not proved"
    yield ""
    yield from _table(
        ("Template", "Row that is used", "Why", "What the learner says"),
        (
            (each.name, each.row or "–", NOT_PROVED.get(each.name, "Not judged yet."), _said(each.learned))
            for each in results
            if not each.is_proved
        ),
    )
    yield "## When the prompt opens the reasoning"
    yield ""
    yield "Where the table (by the model's name) and the template say the same is not listed."
    yield ""
    yield from _table(
        ("Template", "Table", "Template", "Who is right"),
        (
            (each.name, _when(family_of(each.name)), _when(found), _PROMPT.get(each.name, "Not judged yet."))
            for each in results
            if (found := each.learned.family(each.learned.row)) is not None
            and _when(family_of(each.name)) != _when(found)
        ),
    )
    yield "## Tokens that the table does not have"
    yield ""
    ends = {token for each in results for token in each.learned.ends}
    yield f"Ends of turns: {', '.join(f'`{token}`' for token in sorted(ends)) or 'none'}."
    yield ""
    yield "Openers of results, which count for the models of the template alone; a row of its own is needed for that:"
    yield ""
    openers = {each.learned.result_opener: each.name for each in results if _is_unknown(each.learned.result_opener)}
    yield from _table(("Opener", "Template"), ((_code(opener), name) for opener, name in sorted(openers.items())))
    yield "## What a history may hold"
    yield ""
    yield from _history(results)
    yield "## All templates"
    yield ""
    yield from _table(
        ("Template", "Row by name", "Row that is used", "Derived and proved"),
        ((each.name, each.prior or "–", each.row or "–", "yes" if each.is_proved else "no") for each in results),
    )


def _history(results: Iterable[Result]) -> Iterator[str]:
    counts: dict[str, Counter[str]] = {}
    declared: Counter[str] = Counter()
    for each in results:
        for question, answer in each.learned.history.items():
            counts.setdefault(question, Counter())[answer.partition(":")[0]] += 1
        if each.learned.history:
            declared[each.learned.declaration or "not at all"] += 1
    words = {
        "content_null": "`content: null` beside calls",
        "content_empty": "Empty content beside calls",
        "arguments_text": "Arguments as JSON text",
        "text_beside_call": "Text beside a call",
        "text_apart": "Text in a message of its own before the call",
        "two_calls": "Two calls in one message",
        "content_parts": "Content in parts",
        "developer": "A message of the developer",
        "system": "A system message",
        "late_system": "A system message that is not the first",
        "neighbours": "Two messages of the user in a row",
        "assistant_first": "A conversation that the assistant begins",
        "tools": "Declared tools",
        "ids": "A long id",
    }
    yield from wrap(
        "What is not `ok` here is changed in a request before its first attempt, where the template of the model is "
        "known (docs/REQUESTS.md): by `content_empty`, `content_space`, `arguments_object`, `text_apart`, `one_call`, "
        "`content_text`, `system_first`, `system_in_user`, `alternate`, `ids_nine`, `prompted`.",
        WIDTH,
    )
    yield ""
    yield from _table(
        ("What", "How many templates"),
        ((words[question], _counted(found)) for question, found in counts.items()),
    )
    yield from wrap(
        f"Tools are declared as JSON: {_counted(declared)}. `tool` is the object as sent, `function` the one inside "
        "it, `other` a form of the template's own.",
        WIDTH,
    )
    yield ""


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{answer} {count}" for answer, count in found.most_common())


def _said(learned: Learned) -> str:
    proof = learned.derived_proof
    told = learned.not_derived or (f"the proof fails: {proof.first}" if proof else learned.why)
    return _code(told if len(told) <= 160 else f"{told[:160]}…")


def _when(family: ThinkingFamily | None) -> str:
    if family is None or (not family.opens and not family.heeds):
        return "never"
    parts = ["unless asked not to" if family.opens else "if asked to"]
    if family.heeds:
        parts.append("by " + " or ".join(f"`{setting}`" for setting in sorted(family.heeds)))
    elif family.opens and not family.heeds_messages:
        parts = ["always"]
    if family.heeds_messages:
        parts.append("by `/no_think`")
    if not family.after_result:
        parts.append("not behind a result")
    return ", ".join(parts)


def _is_unknown(opener: str) -> bool:
    if not opener or any(known in opener for known in RESULTS):
        return False
    headers = [header for header in TURN_HEADERS if opener.startswith(header.opens)]
    return not any(header.speaker != "own" for header in headers)


def _code(text: str) -> str:
    shown = text.replace("\n", "\\n").replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
