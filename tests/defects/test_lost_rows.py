"""Defect B10: forms of many rows, each seen of a model; and calls to tools that there are not."""

from __future__ import annotations

from typing import Any

from tests.defects import PING, SEOUL, Case, check, each
from tests.defects.test_lost import DEEPSEEK, JSON, KIMI, MEMBER, NAME, one, said, text

INVOKE = f'<steptml:invoke name="{NAME}">\n<steptml:parameter name="city">Seoul</steptml:parameter>\n</steptml:invoke>'
LEAD = "]<]minimax[>["
COHERE = f'{{"tool_name": "{NAME}", "parameters": {JSON}}}'
CODE: dict[str, Any] = {
    "tools": {"python": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}}
}
EMPTY = (
    f'{LEAD}<tool_call>{LEAD}<invoke name="search">{LEAD}<q>a{LEAD}</q>{LEAD}<tags>{LEAD}</tags>'
    f"{LEAD}<opts>{LEAD}</opts>{LEAD}</invoke>{LEAD}</tool_call>"
)


@each(
    [
        *one(
            "B10",
            "step3",
            [
                f"<｜tool_calls_begin｜>\n<｜tool_call_begin｜>{INVOKE}<｜tool_call_end｜>\n<｜tool_calls_end｜>",
                f"<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜>{INVOKE}<｜tool_call_end｜><｜tool_calls_end｜>",
            ],
        ),
        *one(
            "B10",
            "deepseek_v31",
            [
                DEEPSEEK.replace(f"{NAME}<｜tool▁sep｜>", f"function<｜tool▁sep｜>{NAME}\n"),
                DEEPSEEK.replace(f"{NAME}<｜tool▁sep｜>", f"function<｜tool▁sep｜>{NAME}"),
                DEEPSEEK.replace(f"<｜tool▁sep｜>{JSON}", f"\n```json\n{JSON}\n```"),
                DEEPSEEK.replace("<｜tool▁calls▁begin｜>", "<｜tool▁calls｜>"),
                DEEPSEEK + "<｜tool▁output▁begin｜>ok<｜tool▁output▁end｜>",
            ],
        ),
        *text("B10", "kimi_k2", [KIMI.replace(f"functions.{NAME}:0", "0")]),
        *one("B10", "kimi_k2", [KIMI.replace(f"functions.{NAME}:0", NAME), KIMI + "<|tool_calls_section_end|>"]),
        *said("B10", "kimi_k2", ["Hi<|tool_calls_section_begin|><|tool_calls_section_end|>"]),
        *one("B10", "cohere", [f"Action:\n```json\n[{COHERE}]\n```", f"Action: ```json\n[\n    {COHERE}\n]```"]),
        *said("B10", "cohere", ["<|CHATBOT_TOKEN|>Hi", "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Hi"]),
        *said(
            "B10",
            "cohere",
            [
                "<|START_RESPONSE|>The <co>sky</co: 0:[1]> is blue.<|END_RESPONSE|>",
                "The <co>sky</co: 0:[1,2],1:[0]> is blue.",
                "The <co: 0>sky</co: 0> is blue.",
                "The <co: 0,1>sky</co: 0,1> is blue.",
            ],
            content="The sky is blue.",
        ),
        *text("B10", "cohere", ["a <company", "a <co", "a </co: 0", "see `<co>`", "a <code>b</code>"]),
        *text("B10", "hermes", ["The <co>sky</co: 0> is blue."]),
        Case("B10", "no tool", "cohere", 'Action: ```json\n[{"tool_name": "directly-answer", "parameters": {}}]\n```'),
        Case("B10", "no function", "granite20b", '<function_call> {"name": "no_function", "arguments": {}}'),
        Case(
            "B10",
            "an unreadable member leaves the next one alone",
            "cohere",
            '<|START_ACTION|>[{"tool_name": "delete_path", "parameters": {"path": broken here}}, '
            '{"tool_name": "ping", "parameters": {}}]<|END_ACTION|>',
            (PING,),
            '<|START_ACTION|>[{"tool_name": "delete_path", "parameters": {"path": broken here}},',
            unreadable=True,
        ),
        Case(
            "B10",
            "two names in one object",
            "apertus",
            f'<|tools_prefix|>[{{"{NAME}": {JSON}, "ping": {{}}}}]<|tools_suffix|>',
            (SEOUL, PING),
        ),
        Case("B10", "empty containers", "minimax_m3", EMPTY, (("search", {"q": "a", "tags": [], "opts": {}}),)),
        *said("B10", "functionary_v32", ["all\nHi", ">>>all\nHi"]),
        *(
            Case(
                "B10", f"without tools {markup}", "functionary_v32", markup, (), "Hi", expectations={"tools": {}} | off
            )
            for markup in ("all\nHi", ">>>all\nHi")
            for off in [{"translate": False}]
        ),
        *one("B10", "functionary_v32", [f"{NAME}\n{JSON}", f">>>{NAME}\n{JSON}"]),
        *(
            Case("B10", markup, "functionary_v32", markup, (("python", {"code": code}),), expectations=CODE)
            for code in ("print(1)", 'x = """\n>>> f(1)\n"""', "a >>>b")
            for markup in (f"python\n{code}", f">>>python\n{code}")
        ),
        Case(
            "B10",
            "code behind code",
            "functionary_v32",
            "python\na = 1\n>>>python\nb = 2",
            (("python", {"code": "a = 1\n"}), ("python", {"code": "b = 2"})),
            expectations=CODE,
        ),
        *text("B10", "functionary_v32", ["python\nprint(1)"]),
        *one(
            "B10",
            "mistral_new",
            [f"[TOOL_CALLS] {NAME} [ARGS] {JSON}", f"[TOOL_CALLS]{NAME}[ARGS]{JSON}[CALL_ID]abc123def"],
        ),
        *one(
            "B10",
            "hermes",
            [
                f'<tool_call>\n{{"tool": "{NAME}", "arguments": {JSON}}}\n</tool_call>',
                f"<tool_call>\n{NAME}\n{JSON}\n</tool_call>",
                f'<tool_call>\n{NAME}(city="Seoul")\n</tool_call>',
                f"[Calling tool: {NAME}({JSON})]",
                f'[TOOL_CALL]{{"tool": "{NAME}", "args": {JSON}}}[/TOOL_CALL]',
                f"\ufeff{MEMBER}",
                MEMBER[:-1],
            ],
        ),
        *one("B10", "granite3", [f"<|tool_call|>[{MEMBER}]<|/tool_call|>", f"<|tool_call|>[{MEMBER}]"]),
        *one(
            "B10",
            "kimi_k3",
            [
                f"<|open|>tools<|sep|><|open|>call {call}<|sep|><|open|>argument {argument}<|sep|>Seoul"
                "<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>"
                for call in (f'tool="{NAME}" index="1"', f'index="1" tool="{NAME}"', f'tool="{NAME}"')
                for argument in ('key="city" type="string"', 'type="string" key="city"', 'key="city"')
            ],
        ),
    ]
)
def test_b10_rows(case: Case) -> None:
    check(case)


@each(
    [
        *(
            Case(
                "B10",
                f"the name {written}",
                "glm45",
                f"<tool_call>{written}\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>",
                (SEOUL,),
            )
            for written in (
                "getWeather",
                "GetWeather",
                "get-weather",
                "getweather",
                "get_weather:",
                "functions.get_weather:0",
                "default_api.getWeather",
            )
        ),
        Case(
            "B10",
            "another name stays",
            "glm45",
            "<tool_call>get_weathers\n<arg_key>a</arg_key>\n<arg_value>b</arg_value>\n</tool_call>",
            (("get_weathers", {"a": "b"}),),
        ),
    ]
)
def test_b10_names(case: Case) -> None:
    check(case)
