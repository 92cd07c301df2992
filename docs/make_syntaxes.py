"""Writes docs/SYNTAXES.md from the table of syntaxes: `python docs/make_syntaxes.py`. A test keeps the two the same."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a file, Python looks in its own folder only
    sys.path.insert(0, str(ROOT))

from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, SYNTAXES, ReasoningTag, Syntax  # noqa: E402

PAGE = ROOT / "docs" / "SYNTAXES.md"

INTRO = """\
# Syntaxes

This page is generated from `converters/syntaxes/` by `python docs/make_syntaxes.py`.

Each row of the table is one way in which models write tool calls as text.
Every row is watched for in every answer, whatever the model is called.
The bytes decide: the first opener that stands in the text, and what follows it, choose the row.
What fits no row is text.
The name of the model is only a prior. It says which row is tried first where several share an opener, and whether the \
prompt has already opened the reasoning.
A pattern is searched in the name in lower case, with `-` for `_`, `:` and blanks. The first row from the top that \
fits is taken.
A model whose name fits no pattern is read by the bytes alone.
`MODEL_SYNTAX` names the row for models whose names do not tell: `MODEL_SYNTAX=my-finetune*=glm45,other=hermes`. It \
wins over the table.
The request header `x-dragoman-syntax: glm45` names the row for one request and wins over both.
Neither makes Dragoman blind to the other rows. A row that does not exist is refused.
"""

SHAPES = """\
Six shapes of markup are known:

- `json_object`: one JSON object that holds the name and the arguments.
- `named_json`: a header with the name, then the arguments as one JSON object.
- `tagged`: a header with the name, then a pair of tags around the value of each argument.
- `elements`: a header with the name, then an element for each argument, named after its key.
- `pythonic`: a Python call with keyword arguments.
- `relaxed`: a header with the name, then an object with bare keys and strings in delimiters of their own."""

READING = """\
In what the model writes, `{name}` is the function, `{id}` an id of the call, `{to}` a recipient. `{arguments}` is \
all arguments; `{key}`, `{value}` and `{type}` are those of one. `\\n` is a newline, `⟦a¦b⟧` is a or b, and `…` \
stands where more of the same may follow.

Where a marker stands around all calls and each call has one of its own, a call without the outer one is believed \
only if its name is declared. A marker that begins with a blank is believed only before any text.

If the prompt has opened the reasoning, an answer begins inside it and only the closing tag is written. That is \
expected of the models named there, unless the request turns thinking off. The order of the rows is the order in which \
names are tried."""


def page() -> str:
    """The whole of docs/SYNTAXES.md."""
    parts = [
        INTRO,
        "## Shapes",
        SHAPES,
        "## Rows",
        READING,
        "\n".join(_rows()),
        "## Other ways to write them",
        "\n".join(_others()),
    ]
    parts += ["## Lanes", LANES_SAY, "\n".join(_lanes())]
    parts += ["## Result openers", RESULTS_SAY, _listed(RESULTS), "## End tokens", END_TOKENS_SAY, _listed(END_TOKENS)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


LANES_SAY = """\
Tags that mark out reasoning, or text, in any family's answer. Reasoning goes where `REASONING_FIELD` says. The tags \
are removed."""

RESULTS_SAY = """\
Right behind a call, these open a tool's result, or a turn that is not the model's. The model has made it up, so it \
and all that follows is removed."""

END_TOKENS_SAY = """\
End-of-turn tokens that servers leave at the end of the text. They are removed there unless `STRIP_END_TOKENS` is \
`false`. Inside arguments they are data."""


def _rows() -> Iterator[str]:
    yield from _head(
        "row", "shape", "what the model writes", "name pattern", "reasoning opened by the prompt", "source"
    )
    for row in SYNTAXES:
        cells = [_code(row.name), _code(row.shape), _writes(row), _code(row.models), _prefilled(row), row.source]
        yield _row(cells)


def _writes(row: Syntax) -> str:
    text = _code(sample(row))
    if row.whole_message:
        return f"{text}, as the whole message only"
    return f"{text}, with a declared name only" if row.declared_only else text


def sample(row: Syntax) -> str:
    """One call with one argument, as the row's models write it, in one line."""
    call = _with_object(row, row.call).replace("{parameters}", f"{row.parameter}…")
    if "{calls}" not in row.group:
        return _one_line(call)
    more = "" if row.grouped == "each" else f"{row.between}…"
    return _one_line(row.group.replace("{calls}", call + more))


def _with_object(row: Syntax, text: str) -> str:
    """The object in full: what its keys are called is part of the syntax."""
    name, arguments = row.keys
    members = f'"{name}": "{{name}}", "{arguments}": {{arguments}}' if name else '"{name}": {arguments}'
    return text.replace("{object}", f"{{{members}}}")


def _prefilled(row: Syntax) -> str:
    found = [_code(row.prefilled)] if row.prefilled else []
    if row.prefilled_when_thinking:
        found.append(f"if the request asks for thinking: {_code(row.prefilled_when_thinking)}")
    return "; ".join(found)


def _others() -> Iterator[str]:
    """Spellings beside the sample."""
    yield from _head("row", "part", "also written")
    for row in SYNTAXES:
        for part, texts in (("group", row.also_group), ("call", row.also_call), ("argument", row.also_parameter)):
            for text in texts:
                yield _row([_code(row.name), part, _code(_one_line(_with_object(row, text)))])
        if row.prefix:
            yield _row([_code(row.name), "tags", f"with or without the prefix {_code(row.prefix)}"])
        if row.suffixed:
            yield _row([_code(row.name), "tags", "with or without a suffix, the same in all: `<tool_call:opensource>`"])
        if row.lead_token:
            yield _row([_code(row.name), "tags", f"with or without white space behind {_code(row.lead_token)}"])


def _lanes() -> Iterator[str]:
    yield from _head("opens", "closes", "holds", "believed")
    for lane in REASONING_TAGS:
        opens = ", ".join(_code(_one_line(turn + lane.opens)) for turn in dict.fromkeys(["", lane.turn_opener]))
        closes = ", ".join(map(_code, map(_one_line, lane.closes)))
        yield _row([opens, closes, "reasoning" if lane.reasoning else "text", _believed(lane)])


def _believed(lane: ReasoningTag) -> str:
    found = []
    if lane.at_line_start:
        found.append("the opening tag only at the start of a line")
    if lane.opens.startswith(" "):
        found.append("the opening tag only before any text")
    if lane.suffixed:
        found.append("with or without a suffix, the same in both tags: `<think:opensource>`")
    if lane.shared_closer:
        found.append("the closing tag only behind the opening one")
    return "; ".join(found) or "both"


def _head(*names: str) -> Iterator[str]:
    yield _row(list(names))
    yield "|" + "---|" * len(names)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


BAR = "\\|"


def _listed(texts: tuple[str, ...]) -> str:
    return " ".join(_code(_one_line(text)) for text in texts)


def _one_line(text: str) -> str:
    return text.replace("\n", "\\n")


def _code(text: str) -> str:
    """A code span, fenced by a run of backticks that the text does not hold."""
    if not text:
        return ""
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, 9) if length not in runs)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
