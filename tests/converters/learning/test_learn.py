"""What is learned from a template is what it writes, and is used only if it is proved."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from hypothesis import HealthCheck, example, given, settings, strategies

from converters.learning.learn import Learned, learn
from converters.syntaxes import Syntax, ThinkingFamily
from tests.cases import in_one_test
from tests.converters.learning.renderers import ROWS, template, writes

FOUND_AGAIN = [
    *("hermes", "minimax_m1", "granite3", "cohere", "apertus", "internlm", "deepseek_v3", "deepseek_v31"),
    *("function_json", "functiongemma", "gemma4", "glm45", "glm47", "qwen3_coder", "mimo_v2", "claude", "hy3"),
    *("deepseek_v32", "kimi_k3", "minicpm5", "claude_legacy", "minimax_m3", "lfm2", "olmo3"),
]


@in_one_test("name", FOUND_AGAIN)
def test_a_listed_row_is_found_again_in_a_template_that_writes_it(name: str) -> None:
    learned = learn(writes(ROWS[name]), "template:x", prior=ROWS[name])
    assert learned.row is not None, learned.why
    assert learned.is_listed and learned.row.name == name


@in_one_test("name", ["hermes", "deepseek_v31", "functiongemma", "glm45", "qwen3_coder", "deepseek_v32", "lfm2"])
def test_without_the_model_s_name_a_row_is_found_that_writes_the_same(name: str) -> None:
    learned = learn(writes(ROWS[name]), "template:x")
    assert learned.row is not None and learned.is_listed
    assert (learned.row.shape, learned.row.call) == (ROWS[name].shape, ROWS[name].call)


@in_one_test("name", ["hermes", "granite3", "deepseek_v31", "functiongemma", "glm45", "qwen3_coder", "claude_legacy"])
def test_with_other_markers_the_same_row_is_derived(name: str) -> None:
    row = ROWS[name]

    def renamed(text: str) -> str:
        return re.sub(r"(?<=[<|▁/_ ])([a-z]{4,})(?=[▁|>_= ])", lambda found: f"zq{found[0][::-1]}", text)

    fields: dict[str, Any] = {key: renamed(getattr(row, key)) for key in ("call", "group", "parameter")}
    made = dataclasses.replace(row, name="made", also_call=(), also_group=(), also_parameter=(), **fields)
    learned = learn(writes(made), "template:x")
    assert learned.row is not None and not learned.is_listed, learned.why

    def plain(each: Syntax) -> tuple[str, ...]:
        group = (
            each.group.replace("{calls}", each.call)
            if each.group and each.grouped == "each"
            else each.group + each.call
        )
        return (each.shape, *("".join(text.split()) for text in (group, each.parameter, each.delimiter)))

    assert plain(learned.row) == plain(made)


def learned_of(write: Any, **options: Any) -> Learned:
    return learn(template(write, **options), "template:x")


REFUSED = {
    "the name behind": lambda calls: "".join(f"<zq>{json.dumps(args)}</zq {name}>" for name, args in calls),
    "no markup behind values": lambda calls: "".join(
        f"<zq {name}>" + "".join(f"\n{key}: {value}" for key, value in args.items()) + "\n</zq>" for name, args in calls
    ),
    "the name twice": lambda calls: "".join(f"<zq {name} {name}>{json.dumps(args)}</zq>" for name, args in calls),
    "no marker": lambda calls: "".join(f"{name}{json.dumps(args)}" for name, args in calls),
    "quotes are lost": lambda calls: "".join(
        f'<zq>{{"name": "{name}", "arguments": {json.dumps(args)}}}</zq>'.replace('\\"', "") for name, args in calls
    ),
    "one call is lost": lambda calls: (
        f"<zq>{json.dumps({'name': calls[0][0], 'arguments': calls[0][1]})}</zq>"
        + "".join(f"<also {name} {json.dumps(args)}/>" for name, args in calls[1:])
    ),
}


@in_one_test("write", REFUSED.values(), ids=REFUSED)
def test_what_is_not_proved_is_refused_with_one_line(write: Any) -> None:
    learned = learned_of(write)
    assert learned.row is None
    assert learned.why and "\n" not in learned.why


def hermes(calls: Any) -> str:
    return "".join(f"\n<zq_call>{json.dumps({'name': name, 'arguments': args})}</zq_call>" for name, args in calls)


def test_an_end_that_nobody_lists_is_the_row_s_own() -> None:
    learned = learned_of(hermes, end="<zq_over>")
    assert learned.ends == ("<zq_over>",)
    assert learned.row is not None and learned.row.own_ends == ("<zq_over>",)


def test_the_facts_beside_the_row() -> None:
    learned = learned_of(hermes)
    assert learned.ends == ()
    assert learned.result_opener == "<|im_start|>tool"
    assert learned.declaration == "tool"
    assert learned.history["content_null"] == "ok"
    assert learned.history["arguments_text"].startswith("error")
    assert learned.history["content_parts"].startswith("error")
    assert learned.history["two_calls"] == learned.history["developer"] == "ok"
    assert learned.thinking is not None and learned.thinking.is_listed
    assert learned.family(learned.row) == ThinkingFamily("", opens=False)


@in_one_test("opens, always", [("<think>\n", True), ("<think>\n\n</think>\n\n", False), ("", False)])
def test_whether_the_prompt_opens_the_reasoning(opens: str, always: bool) -> None:
    learned = learned_of(hermes, opens=opens)
    family = learned.family(learned.row)
    assert family is not None and family.opens is always and family.heeds == ()


PIECES = strategies.sampled_from(
    [
        "<",
        ">",
        "[",
        "]",
        "{",
        "}",
        "|",
        "\n",
        " ",
        '"',
        "zq",
        "<zq>",
        "</zq>",
        "`",
        "~",
        "```",
        "⟦",
        "¦",
        "{name}",
        "1",
        ":",
    ]
)
TEXTS = strategies.lists(PIECES, max_size=6).map("".join)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@example(["", "<", "```", "", "", "`<"], "`<`", False)  # a marker that begins and ends in a backtick
@given(strategies.lists(TEXTS, min_size=6, max_size=6), TEXTS, strategies.booleans())
def test_no_template_raises(parts: list[str], end: str, as_json: bool) -> None:
    """Random markup around names, keys and values: a row is learned, or it is said why not."""

    def write(calls: Any) -> str:
        text = parts[0]
        for name, args in calls:
            body = (
                json.dumps(args)
                if as_json
                else "".join(f"{parts[2]}{k}{parts[3]}{v}{parts[4]}" for k, v in args.items())
            )
            text += parts[1] + name + body + parts[5]
        return text

    learned = learned_of(write, end=end)
    assert (learned.row is None) == bool(learned.why)


def test_a_template_that_renders_nothing_says_why() -> None:
    from converters.learning.conversations import NotRendered

    def nothing(_: Any) -> str:
        raise NotRendered("it is broken")

    assert learn(nothing, "template:x").why == "no history prints a call: it is broken"


def test_a_listed_row_needs_all_of_the_proof() -> None:
    """A template that writes Hermes' markup, but other keys in a second call, is not read by that row."""

    def write(calls: Any) -> str:
        first, *rest = calls
        text = f"<tool_call>\n{json.dumps({'name': first[0], 'arguments': first[1]})}\n</tool_call>"
        return text + "".join(
            f"\n<tool_call>\n{json.dumps({'fn': name, 'with': args})}\n</tool_call>" for name, args in rest
        )

    learned = learned_of(write)
    assert learned.row is None
    assert "proof fails" in learned.why
