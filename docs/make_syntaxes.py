"""Writes docs/SYNTAXES.md from the table of syntaxes: `python docs/make_syntaxes.py`. A test keeps the two the same."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a file, Python looks in its own folder only
    sys.path.insert(0, str(ROOT))

from converters.render import render_calls  # noqa: E402
from converters.syntaxes import (  # noqa: E402
    END_TOKENS,
    REASONING_TAGS,
    RESULTS,
    SYNTAXES,
    THINKING,
    TURN_HEADERS,
    ReasoningTag,
    Syntax,
    TurnHeader,
)
from converters.syntaxes.channels import CHANNELS, MESSAGE_ENDS, RECIPIENTS  # noqa: E402

PAGE = ROOT / "docs" / "SYNTAXES.md"

INTRO = """\
# Syntaxes

This page is generated from `converters/syntaxes/` by `python docs/make_syntaxes.py`.

Each row of the table is one way in which models write tool calls as text.
Dragoman looks for every row in every answer, whatever the model is called.
The text decides: the first opening marker in it, and what follows that marker, choose the row.
Markup that matches no row stays text.
The name of the model only sets the order: it says which row is tried first where several share an opening marker, and \
whether the prompt has already opened the reasoning.
A model with an unknown name is read by the text alone, and a model that slips into another syntax is understood as \
well.

`MODEL_SYNTAX` names the row for models whose name is not recognised: \
`MODEL_SYNTAX=my-finetune*=glm45,other=hermes`. It wins over the table.
The request header `x-dragoman-syntax: glm45` names the row for one request and wins over both.
With either of them the other rows are still recognised. A row that does not exist is refused.

A row without a marker, such as `llama3_json`, is a call only if it is the whole message and names a declared tool.
"""

EXAMPLES = {
    "apertus": "Apertus-8B",
    "beam": "Beam",
    "claude": "Claude",
    "claude_legacy": "Claude-2.1, Claude-Instant",
    "cohere": "Command-R7B, Command-A",
    "deepseek_v3": "DeepSeek-V3, DeepSeek-R1",
    "deepseek_v31": "DeepSeek-V3.1",
    "deepseek_v32": "DeepSeek-V3.2",
    "deepseek_v4": "DeepSeek-V4",
    "deepseek_v41": "DeepSeek-V4.1",
    "dots": "dots.llm1",
    "function_json": "Functionary-small-v3.1",
    "functionary_v2": "Functionary-small-v2.4",
    "functionary_v32": "Functionary-small-v3.2",
    "functiongemma": "FunctionGemma-270m",
    "functools": "Phi-4-mini, FireFunction-v2",
    "gemma3_tool_code": "Gemma-3",
    "gemma4": "Gemma-4",
    "gigachat3": "GigaChat3, GigaChat3.1",
    "gigachat35": "GigaChat-3.5",
    "glm45": "GLM-4.5, GLM-4.5-Air, GLM-4.6",
    "glm47": "GLM-4.7, GLM-4.7-Flash, GLM-5",
    "granite20b": "granite-20b-functioncalling",
    "granite3": "Granite-3.3",
    "harmony": "gpt-oss-20b, gpt-oss-120b",
    "hermes": "Hermes-3, Qwen2.5, Qwen3, QwQ, EXAONE-4, Granite-4.0, SmolLM3",
    "hy3": "Hy3, Hy4",
    "hyperclovax": "HyperCLOVAX-SEED-Think-14B",
    "inkling": "Inkling",
    "internlm": "InternLM2.5, InternLM3",
    "interns1": "Intern-S1",
    "iquest_q1": "IQuest-Q1",
    "jamba": "Jamba-1.5-Mini, Hunyuan-A13B, Apriel-1.5",
    "k2_horizon": "K2-Horizon",
    "kimi_k2": "Kimi-K2-Instruct, Kimi-K2-Thinking",
    "kimi_k3": "Kimi-K3",
    "lfm2": "LFM2, LFM2.5",
    "llama3_json": "Llama-3.1, Llama-3.3",
    "longcat": "LongCat-Flash-Chat",
    "mimo_v2": "MiMo-V2-Flash",
    "minicpm5": "MiniCPM5",
    "minimax_m1": "MiniMax-M1, MiniMax-Text-01",
    "minimax_m2": "MiniMax-M2, MiniMax-M2.1",
    "minimax_m3": "MiniMax-M3",
    "mistral_new": "Devstral-2507, Magistral, Mistral-Small-3.2, Ministral-3",
    "mistral_old": "Mistral-7B-Instruct-v0.3, Mistral-Nemo, Mixtral-8x22B",
    "muse_atem": "Muse-Spark, Muse-Glimmer",
    "nemotron_v2": "Nemotron-Nano-9B-v2",
    "olmo3": "Olmo-3",
    "plamo3": "PLaMo-3",
    "pythonic": "Llama-4, Llama-3.2-1B, ToolACE",
    "qwen3_coder": "Qwen3-Coder, Qwen3.5, Nemotron-3, Step-3.5",
    "seed_oss": "Seed-OSS-36B",
    "solar_open": "Solar-Open-100B",
    "step3": "Step3",
    "xlam": "xLAM-2",
}
"""Models whose name chooses each row, for readers. A row without a name pattern has none."""

BEGINNINGS = """\
⏎ stands for a line break. A row without a model is never chosen by a name, but it is recognised in every answer."""

SHAPES = """\
Six shapes of markup are known:

- `json_object`: one JSON object that holds the name and the arguments.
- `named_json`: a header with the name, then the arguments as one JSON object.
- `tagged`: a header with the name, then a pair of tags around the value of each argument.
- `elements`: a header with the name, then an element for each argument, named after its key.
- `pythonic`: a Python call with keyword arguments.
- `relaxed`: a header with the name, then an object with bare keys and strings in delimiters of their own."""

READING = """\
In the third column, `{name}` is the function, `{id}` an id of the call, `{to}` a recipient. `{arguments}` stands for \
all arguments; `{key}`, `{value}` and `{type}` belong to one argument. `\\n` is a newline, `⟦a¦b⟧` is a or b, and \
`…` means that more of the same may follow.

Where one marker encloses all calls and each call has a marker of its own, a call without the enclosing marker counts \
only if its name is declared. A marker that begins with a space counts only before any text.

The name pattern is searched in the model's name in lower case, with `-` in place of `_`, `:` and spaces. The rows are \
in the order in which they are tried: the first pattern that matches wins."""


def page() -> str:
    """The whole of docs/SYNTAXES.md."""
    parts = [
        INTRO,
        "## Models",
        BEGINNINGS,
        "\n".join(_models()),
        "## Shapes",
        SHAPES,
        "## Rows",
        READING,
        "\n".join(_rows()),
        "## Other ways to write them",
        "\n".join(_others()),
    ]
    parts += ["## Reasoning tags", TAGS_SAY, "\n".join(_tags())]
    parts += ["## Reasoning that the prompt opens", FAMILIES_SAY, "\n".join(_families())]
    parts += ["## Message headers", CHANNELS_SAY, "\n".join(_lanes()), f"A message ends with {_listed(MESSAGE_ENDS)}"]
    parts += ["## Turn headers", TURNS_SAY, "\n".join(_turns())]
    parts += ["## Result openers", RESULTS_SAY, _listed(RESULTS), "## End tokens", END_TOKENS_SAY, _listed(END_TOKENS)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


TAGS_SAY = """\
Tags that enclose reasoning, or text, in the answer of any model. Reasoning goes to the field that `REASONING_FIELD` \
names. The tags are removed."""

FAMILIES_SAY = """\
Some chat templates open the reasoning in the prompt. The answer then begins inside it, and the model writes only the \
closing tag. This is expected of models whose name matches a pattern, in the order of the table, and depends on the \
settings of the request that the template heeds. `reasoning_effort: "none"` and `think` in the body count for every \
family that heeds a setting. A model without a match is expected to write the opening tag itself."""

CHANNELS_SAY = """\
gpt-oss, Beam and Muse write their answers as messages, each with a header: `<|start|>assistant`, `to=` and a \
recipient, `<|channel|>` and a channel, `<|constrain|>` and a type, and `<|message|>` at the end. The parts may come \
in any order, twice, or not at all. The recipient, or else the channel, says what the message is. A message to any \
other recipient is a call, if what follows its header is what a call of one of these rows begins with. In a message to \
a reader a call counts only if it is the whole message."""

TURNS_SAY = """\
Directly after a call or an end token, these begin a turn. If it is not the model's own, the model made it up, so it \
and everything after it is removed. Its own header is removed, and the answer goes on."""

RESULTS_SAY = """\
Directly after a call or an end token, these open a tool result. The model made it up, so it and everything after it \
is removed."""

END_TOKENS_SAY = """\
End-of-turn tokens that servers leave at the end of the text, or before the next turn. They are removed there unless \
`STRIP_END_TOKENS` is `false`. Inside arguments they are data and stay."""


def _models() -> Iterator[str]:
    """The table for readers: by the name of the row, with models it is known from and how a call begins."""
    yield from _head("row", "models, for example", "a call begins with")
    for row in sorted(SYNTAXES, key=lambda row: row.name):
        yield _row([_code(row.name), EXAMPLES.get(row.name, "–"), _code(beginning(row))])


def beginning(row: Syntax) -> str:
    """How a call of `get_weather` with one argument `city` begins, in one line, up to the name of the argument."""
    return render_calls(row, [("get_weather", {"city": "Seoul"})]).partition("city")[0].replace("\n", "⏎")


def _rows() -> Iterator[str]:
    yield from _head("row", "shape", "what the model writes", "name pattern", "source")
    for row in SYNTAXES:
        cells = [_code(row.name), _code(row.shape), _writes(row), _code(row.models), row.source]
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


def _others() -> Iterator[str]:
    """Spellings other than that of the sample."""
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
            yield _row([_code(row.name), "tags", f"with or without white space after {_code(row.lead_token)}"])


def _tags() -> Iterator[str]:
    yield from _head("opens", "closes", "encloses", "recognised")
    for tag in REASONING_TAGS:
        opens = ", ".join(_code(_one_line(turn + tag.opens)) for turn in dict.fromkeys(["", tag.turn_opener]))
        closes = ", ".join(map(_code, map(_one_line, tag.closes)))
        yield _row([opens, closes, "reasoning" if tag.reasoning else "text", _recognised(tag)])


def _families() -> Iterator[str]:
    yield from _head(
        "name pattern", "opened without settings", "settings that open it or not", "behind a tool's result"
    )
    for family in THINKING:
        settings = [_code(name) for name in family.heeds] + ["`/no_think` in a message"] * family.heeds_messages
        behind = "as elsewhere" if family.after_result else "not opened"
        yield _row([_code(family.models), "yes" if family.opens else "no", ", ".join(settings), behind])


def _lanes() -> Iterator[str]:
    """What a message is by its recipient or its channel."""
    yield from _head("header", "the message is")
    for begins, lanes in (("to=", RECIPIENTS), ("<|channel|>", CHANNELS)):
        for name, lane in lanes.items():
            yield _row([_code(begins + name), "removed" if lane == "dropped" else lane])


def _turns() -> Iterator[str]:
    """Who speaks behind a header."""
    yield from _head("header", "the model's own", "a tool's")
    for header in TURN_HEADERS:
        if header.own or header.results:
            words = [", ".join(map(_code, each)) for each in (header.own, header.results)]
        else:
            words = ["always" if header.speaker == speaker else "" for speaker in ("own", "result")]
        yield _row([_code(_turn(header)), *words])


def _turn(header: TurnHeader) -> str:
    return header.opens + "".join(header.closes[:1] and ("…", header.closes[0]))


def _recognised(tag: ReasoningTag) -> str:
    found = []
    if tag.at_line_start:
        found.append("the opening tag only at the start of a line")
    if tag.opens.startswith(" "):
        found.append("the opening tag only before any text")
    if tag.suffixed:
        found.append("with or without a suffix, the same in both tags: `<think:opensource>`")
    if tag.shared_closer:
        found.append("the closing tag only after the opening one")
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
