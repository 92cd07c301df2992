"""Defects B: calls that were lost, markup that leaked into the text, reasoning that was not told from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.defects import PARIS, PING, SEOUL, TEXT, TOOLS, Case, check, each

NAME = "get_weather"
JSON = '{"city": "Seoul"}'
MEMBER = f'{{"name": "{NAME}", "arguments": {JSON}}}'
QWEN = f"<tool_call>\n<function={NAME}>\n<parameter=city>\nSeoul\n</parameter>\n</function>\n</tool_call>"
GLM = f"<tool_call>{NAME}\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
KIMI = (
    f"<|tool_calls_section_begin|><|tool_call_begin|>functions.{NAME}:0<|tool_call_argument_begin|>{JSON}"
    "<|tool_call_end|><|tool_calls_section_end|>"
)
DEEPSEEK = (
    f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{NAME}<｜tool▁sep｜>{JSON}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
)
LFM = f'<|tool_call_start|>[{NAME}(city="Seoul")]<|tool_call_end|>'
HERMES = f"<tool_call>\n{MEMBER}\n</tool_call>"
M2 = (
    f'<minimax:tool_call>\n<invoke name="{NAME}">\n<parameter name="city">Seoul</parameter>\n</invoke>\n'
    "</minimax:tool_call>"
)


def one(number: str, row: str | None, texts: list[str], **more: Any) -> Iterator[Case]:
    """Texts that all mean one call for Seoul, and nothing else."""
    for text in texts:
        yield Case(number, f"{row} {text[:60]}", row, text, (SEOUL,), **more)


def text(number: str, row: str | None, texts: list[str]) -> Iterator[Case]:
    """Texts that are no calls."""
    for each_text in texts:
        yield Case(number, f"{row} {each_text[:60]}", row, each_text, content=TEXT)


def spaced(markup: str, space: str) -> str:
    """Blanks between all tokens of a markup that is made of `<...>`."""
    return (
        markup.replace("><", f">{space}<").replace(f">{NAME}", f">{space}{NAME}").replace(f"{NAME}<", f"{NAME}{space}<")
    )


@each(
    [
        *one("B1", "lfm2", [LFM.replace("[", space + "[" + space) for space in (" ", "\n", "\t", "\r\n", "\u200b")]),
        *one(
            "B1", "kimi_k2", [spaced(KIMI, space).replace(JSON, space + JSON + space) for space in (" ", "\n", "\r\n")]
        ),
        *one("B1", "deepseek_v31", [spaced(DEEPSEEK, space) for space in (" ", "\n", "\r\n")]),
        *one("B1", "mistral_new", [f"[TOOL_CALLS]{space}{NAME}{space}[ARGS]{space}{JSON}" for space in (" ", "\n")]),
        *one("B1", "glm45", [GLM.replace(f">{NAME}", f">{space}{NAME}") for space in (" ", "\n", "\r\n", "\n\n")]),
        *(
            case
            for row, markup in (("glm45", GLM), ("qwen3_coder", QWEN), ("minimax_m2", M2), ("hermes", HERMES))
            for case in one("B1", row, [markup.replace("\n", "\r\n")])
        ),
    ]
)
def test_b1_blanks(case: Case) -> None:
    check(case)


@each(
    [
        *one("B2", "minimax_m2", [M2.replace('name="city"', 'name="city" type="string"'), M2.replace('"', "")]),
        *one("B2", "qwen3_coder", [QWEN.replace("=city", '=city type="string"')]),
        *one("B2", "glm45", [GLM.replace("</arg_key>", ""), GLM.replace("<arg_value>", ""), GLM.replace("\n", "\\n")]),
        *one("B2", "glm45", [GLM.replace("</arg_key>", "<arg_key>")]),
        *one("B2", "glm47", [GLM.replace("\n", "").replace("</arg_key>", "<arg_key>")]),
        *text(
            "B2",
            "minicpm5",
            [f'<function name="{NAME}"><param>Seoul</param></function>', f'<function name="{NAME}">Seoul</function>'],
        ),
        *text("B2", "claude", [f'<invoke name="{NAME}">\n<parameter>Seoul</parameter>\n</invoke>']),
        *text("B2", "qwen3_coder", [QWEN.replace("=city", ""), QWEN.replace(f"={NAME}>", f"={NAME}")]),
    ]
)
def test_b2_half_understood(case: Case) -> None:
    check(case)


@each(
    [
        *one("B3", "hermes", [HERMES + "</tool_call>", HERMES + "\n</tool_call>\n</tool_call>", HERMES + "</tool_c"]),
        *one("B3", "glm45", [GLM + "</tool_call>", GLM + "\n</tool_ca"]),
        *one("B3", "mistral_new", [f"[TOOL_CALLS]{NAME}[ARGS]{JSON}[/TOOL_CALLS]"]),
        *one("B3", "kimi_k2", [KIMI + "<|tool_calls_section_end|>"]),
        *one("B3", "qwen3_coder", [QWEN.replace("</function>", "</function>oops")], content="oops"),
        Case("B3", "an empty block before text", "hermes", "<tool_call></tool_call>\nHello", content="Hello"),
        Case("B3", "an empty block behind text", "glm45", "Hello\n<tool_call>\n</tool_call>", content="Hello"),
        Case("B3", "an empty list", "jamba", "<tool_calls>[]</tool_calls>Hi", content="Hi"),
        *text("B3", None, ["within <tool_call></tool_call> XML tags", "use `<tool_call></tool_call>` tags"]),
    ]
)
def test_b3_closers(case: Case) -> None:
    check(case)


CALL = f"<|constrain|>json<|message|>{JSON}<|call|>"
THOUGHT = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"


def said(number: str, row: str, texts: list[str], content: str = "Hi", reasoning: str = "") -> Iterator[Case]:
    for each_text in texts:
        yield Case(number, f"{row} {each_text[:60]}", row, each_text, content=content, reasoning=reasoning)


@each(
    [
        *said(
            "B4",
            "harmony",
            [
                "<|start|>assistant<|message|>Hi",
                "<|message|>Hi<|end|>",
                "<|channel|>final<|message|>Hi<|return|>",
                "<|channel|>final <|constrain|>json<|message|>Hi<|return|>",
                "<|channel|>final<|channel|>final<|message|>Hi<|return|>",
                "final<|message|>Hi<|return|>",
                "<|channel|>commentary to=assistant<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>Hi",
                "<|start|><|channel|>final<|message|>Hi",
            ],
        ),
        *said(
            "B4",
            "harmony",
            [
                f"{THOUGHT}<|channel|>final<|message|>Hi",
                "<|channel|>analysis<|message|>hm<|channel|>final<|message|>Hi",
                "assistant<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi",
                "analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi",
            ],
            reasoning="hm",
        ),
        *one(
            "B4",
            "harmony",
            [
                f"<|channel|>commentary to=functions.{NAME} {CALL}",
                f"<|channel|>commentary<|channel|>commentary to=functions.{NAME} {CALL}",
                f"<|channel|>commentary to=functions.{NAME}<|channel|>commentary {CALL}",
                f"<|channel|>commentary to={NAME} code<|message|>{JSON}<|call|>",
                f"<|start|>assistant to=functions.{NAME}<|channel|>commentary {CALL}",
                f" to=functions.{NAME}<|channel|>commentary {CALL}",
                f"<|channel|>commentary to=functions.{NAME}:0 {CALL}",
            ],
        ),
        *one("B4", "harmony", [f"{THOUGHT}<|channel|>commentary to=functions.{NAME} {CALL}"], reasoning="hm"),
        Case("B4", "an empty body", "harmony", "<|channel|>commentary to=functions.ping<|message|><|call|>", (PING,)),
        Case(
            "B4", "no body", "harmony", "<|channel|>commentary to=functions.ping <|constrain|>json<|message|>", (PING,)
        ),
    ]
)
def test_b4_harmony(case: Case) -> None:
    check(case)


INSIDE = f'{NAME}(city="Seoul")'


@each(
    [
        *one(
            "B5",
            "lfm2",
            [
                f"<|tool_call_start|>{body}<|tool_call_end|>"
                for body in (
                    INSIDE,
                    f"[[{INSIDE}]]",
                    f"[{INSIDE},]",
                    f'[{NAME}(city="Seoul",)]',
                    f"[{INSIDE} # the weather\n]",
                    f"[# the weather\n{INSIDE}]",
                    f'[{NAME}(city="Seoul" # the city\n)]',
                    f"[{MEMBER}]",
                    MEMBER,
                )
            ],
        ),
        *one("B5", "lfm2", [f"{LFM}[{INSIDE}]", f"{LFM}{INSIDE}"]),
        *(
            Case("B5", body, "lfm2", f"<|tool_call_start|>{body}<|tool_call_end|>", (PING,))
            for body in ("[ping]", "ping", "[ping()]", "[ ping ]")
        ),
        Case("B5", "two with comments", "lfm2", f"<|tool_call_start|>[{INSIDE}, # a\n ping(), # b\n]", (SEOUL, PING)),
    ]
)
def test_b5_lfm2(case: Case) -> None:
    check(case)


@each(
    [
        *one(
            "B6",
            "qwen3_coder",
            [
                QWEN.replace(f"={NAME}", f'="{NAME}"'),
                QWEN.replace(f"={NAME}", f"='{NAME}'"),
                QWEN.replace(f"={NAME}", f' name="{NAME}"'),
                QWEN.replace("=city", ' name="city"'),
                QWEN.replace(f"={NAME}", f"= {NAME} "),
                QWEN.replace("=city", "= city "),
                QWEN.replace("tool_call", "TOOL_CALL")
                .replace("function", "FUNCTION")
                .replace("parameter", "Parameter"),
            ],
        ),
        *(
            Case("B6", markup, "qwen3_coder", markup, (PING,))
            for markup in (
                "<tool_call>\n<function=ping/>\n</tool_call>",
                "<tool_call><function=ping /></tool_call>",
                "<function=ping/>",
                '<tool_call><function="ping"></function></tool_call>',
            )
        ),
    ]
)
def test_b6_qwen_coder(case: Case) -> None:
    check(case)


CITY = '{city:<|"|>Seoul<|"|>}'


@each(
    [
        *one(
            "B7",
            "gemma4",
            [
                f"<|tool_call>{body}<tool_call|>"
                for body in (
                    f"call:{NAME}{CITY}",
                    f"{NAME}{CITY}",
                    f"call: {NAME} {CITY}",
                    f'call:{NAME}(city="Seoul")',
                    f'{NAME}(city="Seoul")',
                    MEMBER,
                )
            ],
        ),
        *one("B7", "functiongemma", [f"<start_function_call>{NAME}{{city:<escape>Seoul<escape>}}<end_function_call>"]),
        Case(
            "B7", "two in one block", "gemma4", f"<|tool_call>call:{NAME}{CITY}call:ping{{}}<tool_call|>", (SEOUL, PING)
        ),
        *(
            Case("B7", body, "gemma4", f"<|tool_call>{body}<tool_call|>", (PING,))
            for body in ("call:ping", "ping", "call:ping()", "call:ping{}")
        ),
        Case("B7", "no arguments", "functiongemma", "<start_function_call>call:ping<end_function_call>", (PING,)),
        *said(
            "B7",
            "gemma4",
            [
                "<|channel>\nhm<channel|>Hi",
                "<|channel>hm<channel|>Hi",
                "<|channel>thought\nhm\n<channel|>Hi",
                "<|channel>thought\n<|channel>thought\nhm<channel|>Hi",
                "thought\nhm<channel|>Hi",
            ],
            reasoning="hm",
        ),
        *said("B7", "gemma4", ["<|channel>thought\n<channel|>Hi", "thought\n<channel|>Hi"]),
        *text("B7", "gemma4", ["thoughtful", "A thought\nabout it"]),
    ]
)
def test_b7_gemma(case: Case) -> None:
    check(case)


ATEM = (
    f'<atem:function_calls>\n<atem:invoke name="{NAME}">\n<atem:parameter name="city">Seoul</atem:parameter>\n'
    "</atem:invoke>\n</atem:function_calls>"
)


@each(
    [
        *said(
            "B8",
            "muse_atem",
            [
                " to=self<|message|>hm<|eom|><|start|>assistant to=user<|message|>Hi<|eot|>",
                "to=self<|message|>hm<|eom|><|start|>assistant to=commentary<|message|>Hi<|eot|>",
                "to=self<|message|>hm<|start|>assistant to=user<|message|>Hi",
            ],
            reasoning="hm",
        ),
        *said(
            "B8",
            "muse_atem",
            [
                " to=user<|message|>Hi",
                "to=user<|message|>Hi<|eot|>",
                "to=developer<|message|>x<|eom|><|start|>assistant to=user<|message|>Hi",
                "<|message|>Hi<|eot|>",
            ],
        ),
        *one(
            "B8",
            "muse_atem",
            [
                ATEM,
                f" to={NAME}<|message|>{ATEM}<|eom|>",
                f"to={NAME}<|message|>{ATEM}",
                f" to={NAME}.{NAME}<|message|>{ATEM.replace(NAME, f'{NAME}.{NAME}')}<|eom|>",
                f" to={NAME}<|message|>{ATEM.replace(NAME, NAME + '<|message|>')}<|eot|>",
            ],
        ),
        Case(
            "B8",
            "a block with prose for the user",
            "muse_atem",
            f" to=user<|message|>Like {ATEM} so.<|eot|>",
            content=f"Like {ATEM} so.",
        ),
    ]
)
def test_b8_muse(case: Case) -> None:
    check(case)


def invoked(city: str) -> str:
    member = f'{{"name":"{NAME}","args":{{"city": "{city}"}}}}'
    return f"<|message_model|>{NAME}<|content_invoke_tool_json|>{member}<|end_message|>"


SAYS = "<|message_model|><|content_text|>Hi<|end_message|>"
THINKS = "<|message_model|><|content_thinking|>hm<|end_message|>"


@each(
    [
        *said("B9", "inkling", [THINKS + SAYS, THINKS + SAYS + "<|content_model_end_sampling|>"], reasoning="hm"),
        *said("B9", "inkling", ["<|content_text|>Hi<|content_model_end_sampling|>", SAYS]),
        *said("B9", "inkling", [SAYS + SAYS], content="HiHi"),
        *one("B9", "inkling", [invoked("Seoul"), invoked("Seoul") + "<|content_model_end_sampling|>"]),
        *one("B9", "inkling", [SAYS + invoked("Seoul")], content="Hi"),
        Case("B9", "two calls", "inkling", invoked("Seoul") + invoked("Paris"), (SEOUL, PARIS)),
    ]
)
def test_b9_inkling(case: Case) -> None:
    check(case)


@each(
    [
        Case(
            "B13", "a draft keeps its closer", None, f"<think>hm\n{HERMES}</think>\nDone.", (), "Done.", f"hm\n{HERMES}"
        ),
        *one("B13", None, [f"<think>hm\n{HERMES}</think>", f"<think>hm\n{HERMES}"], reasoning="hm"),
        Case(
            "B13",
            "words behind a draft",
            None,
            f"<think>hm\n{HERMES} and on",
            reasoning=f"hm\n{HERMES} and on",
        ),
    ]
)
def test_b13_drafts(case: Case) -> None:
    check(case)


def test_the_tools_that_the_texts_name_are_declared() -> None:
    assert {NAME, "ping"} <= set(TOOLS)
