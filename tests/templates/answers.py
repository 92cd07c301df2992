"""What models would write whose templates are the made-up ones, by hand: no renderer is asked to judge itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

MADE_UP = Path(__file__).with_name("made_up")

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "find_hotel",
            "description": "Find a hotel",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "nights": {"type": "integer"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "write_note",
            "description": "Write a note",
            "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        },
    },
]

HOTEL = {"city": "Seoul", "nights": 3}
NOTE = {"text": 'say "hi" <b>\nto 서울'}
CALLS = [("find_hotel", HOTEL), ("write_note", NOTE)]


class Answer(NamedTuple):
    """An answer with both calls, and what it means."""

    text: str
    content: str = ""
    reasoning: str = ""
    settings: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    """Settings of the template that the request sends."""


_HOTEL = '{"city": "Seoul", "nights": 3}'
_NOTE = r'{"text": "say \"hi\" <b>\nto 서울"}'

ANSWERS: dict[str, Answer] = {
    "object_tagged": Answer(
        'I look.<|vrk_mused|>Well.\n<|vrk_do|>{"name": "find_hotel", "arguments": '
        + _HOTEL
        + '}<|vrk_done|>\n<|vrk_do|>{"name": "write_note", "arguments": '
        + _NOTE
        + "}<|vrk_done|>⟪vrk:over⟫\n",
        "Well.",
        "I look.",
        {"chat_template_kwargs": {"enable_thinking": True}},
    ),
    "object_list": Answer(
        'Well.\n<olm_batch>[{"action": "find_hotel", "action_input": '
        + _HOTEL
        + '}, {"action": "write_note", "action_input": '
        + _NOTE
        + "}]</olm_batch><olm_stop>",
        "Well.",
    ),
    "named_group": Answer(
        "I look.<|qub:outer|><|qub:errands|><|qub:errand|>find_hotel<|qub:with|>"
        + _HOTEL
        + "<|qub:so|><|qub:errand|>write_note<|qub:with|>"
        + _NOTE
        + "<|qub:so|><|qub:sent|><|qub:end|>",
        "",
        "I look.",
    ),
    "named_id": Answer(
        '\n<zarn:ask ref="k3J9s0QwX" tool="find_hotel">'
        + _HOTEL
        + '</zarn:ask>\n<zarn:ask ref="k3J9s0QwY" tool="write_note">'
        + _NOTE
        + "</zarn:ask>\n<zarn:halt>"
    ),
    "relaxed_pipes": Answer(
        'Well.<~run~>find_hotel{city:<~q~>Seoul<~q~>,nights:3}<~ran~><~run~>write_note{text:<~q~>say "hi" <b>\nto 서울'
        "<~q~>}<~ran~><~fin~>",
        "Well.",
    ),
    "relaxed_group": Answer(
        "<|hux=mull|>I look.<|hux=/mull|><|hux=calls|><|hux=call|>fn find_hotel {city:%%`Seoul%%`,nights:3}"
        "<|hux=/call|>"
        '<|hux=call|>fn write_note {text:%%`say "hi" <b>\nto 서울%%`}<|hux=/call|><|hux=/calls|><|hux=z|>',
        "",
        "I look.",
    ),
    "python_list": Answer(
        '<%py%>[find_hotel(city="Seoul", nights=3), write_note(text="say \\"hi\\" <b>\\nto 서울")]<%/py%><%stop%>'
    ),
    "python_lines": Answer(
        'Well.\n<drel-code>\nfind_hotel(city="Seoul", nights=3)\nwrite_note(text="say \\"hi\\" <b>\\nto 서울")\n'
        "</drel-code><|drel eot|>",
        "Well.",
    ),
    "tags_typed": Answer(
        'I look.</yol@ponder>Well.\n<yol@use what="find_hotel">\n<yol@arg key="city" kind="text">Seoul</yol@arg>\n'
        '<yol@arg key="nights" kind="data">3</yol@arg>\n</yol@use>\n<yol@use what="write_note">\n'
        '<yol@arg key="text" kind="text">say "hi" <b>\nto 서울</yol@arg>\n</yol@use><yol@end>',
        "Well.",
        "I look.",
    ),
    "tags_grouped": Answer(
        "Well.\n<wex_calls>\n<wex_call find_hotel>\n<wex_arg=city>\nSeoul\n</wex_arg>\n<wex_arg=nights>\n3\n"
        "</wex_arg>\n"
        '</wex_call>\n<wex_call write_note>\n<wex_arg=text>\nsay "hi" <b>\nto 서울\n</wex_arg>\n</wex_call>\n'
        "</wex_calls><|wex_eos|>",
        "Well.",
    ),
    "elements_plain": Answer(
        "\n<nib-call><nib-name>find_hotel</nib-name><nib-args>\n<city>Seoul</city>\n<nights>3</nights>\n</nib-args>"
        '</nib-call>\n<nib-call><nib-name>write_note</nib-name><nib-args>\n<text>say "hi" <b>\nto 서울</text>\n'
        "</nib-args></nib-call><|nib:eos|>"
    ),
    "elements_led": Answer(
        'Well.\n^[ojo]^<ojo_calls>\n^[ojo]^<ojo_call to="find_hotel">^[ojo]^<city>Seoul^[ojo]^</city>^[ojo]^<nights>3'
        '^[ojo]^</nights>^[ojo]^</ojo_call>\n^[ojo]^<ojo_call to="write_note">^[ojo]^<text>say "hi" <b>\nto 서울'
        "^[ojo]^</text>^[ojo]^</ojo_call>\n^[ojo]^</ojo_calls><|ojo_end|>",
        "Well.",
    ),
}

REFUSED = {
    "none_yaml": (
        "<|pim go|>\ntool: find_hotel\ncity: Seoul\nnights: 3\n<|pim went|>",
        "no period of parameters",
    ),
    "none_postfix": (
        "<|tuv args|>" + _HOTEL + "<|tuv for|>find_hotel<|tuv done|>",
        "the name of a call does not stand before its arguments",
    ),
}
"""What no shape fits: an answer, and why nothing was learned."""
