"""Defects B4, B8 and B9: the headers of messages, however they are put together, and what follows them."""

from __future__ import annotations

import time

import pytest

from converters.detect.channels import MessageHeader, message_header
from tests.helpers import assemble, chunks, meaning, parse, spans

TOOLS = {
    "get_weather": {"properties": {"city": {"type": "string"}}},
    "ping": {},
    "muse.bash": {"properties": {"command": {"type": "string"}}},
}
PING = "<|channel|>commentary to=functions.ping <|constrain|>json<|message|>{}<|call|>"

Said = tuple[str, str, list[str]]


def read(text: str, row: str | None = None) -> Said:
    """(content, reasoning, names), the same in pieces of every size."""
    whole = parse(text, TOOLS, row=row)
    for size in (1, 2, 3, 7, 20):
        events = parse(text, TOOLS, chunks(text, size), row=row)
        assert (meaning(events), spans(events)) == (meaning(whole), text), size
    message = assemble(whole)
    return message.content, message.reasoning, message.names


@pytest.mark.parametrize("row", [None, "harmony"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<|start|>assistant<|message|>Hi<|end|>", ("Hi", "", [])),
        ("<|message|>Hi", ("Hi", "", [])),
        ("assistant<|channel|>final<|message|>Hi", ("Hi", "", [])),
        ('<|channel|>final <|constrain|>json<|message|>{"a": 1}<|end|>', ('{"a": 1}', "", [])),
        (
            "<|channel|>commentary to=assistant<|message|>A result<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Hi<|return|>",
            ("Hi", "", []),
        ),
        (
            "<|channel|>analysis<|message|>t<|end|><|start|>assistant<|channel|>commentary"
            "<|channel|>commentary to=functions.ping json<|message|>{}<|call|>",
            ("", "t", ["ping"]),
        ),
        (f"<|channel|>commentary to=assistant{PING}", ("", "", ["ping"])),
        ("<|channel|>\u2013\u2013commentary to=functions.ping json<|message|>{}<|call|>", ("", "", ["ping"])),
        ("<|channel|>commentary to=functions.ping to=functions.ping<|message|>{}<|call|>", ("", "", ["ping"])),
        ("<|channel|>commentary to=functions.ping<|message|><|call|>", ("", "", ["ping"])),
        ("<|channel|>analysis to=functions.ping<|message|>{}<|call|>", ("", "", ["ping"])),
        ("to=functions.ping<|channel|>commentary json<|message|>{}<|call|>", ("", "", ["ping"])),
        ("<|start|><|channel|>final<|message|>Hi<|return|>", ("Hi", "", [])),
        ("<|start|>Hello", ("Hello", "", [])),
        ("Hi<|end|><|start|>", ("Hi", "", [])),
        ("Hi<|end|><|start|>assistant", ("Hi", "", [])),
        (f"{PING}<|start|>assistant{PING}", ("", "", ["ping", "ping"])),
        (f"<|channel|>analysis<|message|>I call{PING}", ("", "I call", ["ping"])),
        (
            f'{PING}<|start|>functions.ping to=assistant<|channel|>commentary<|message|>"ok"<|end|>'
            f"<|start|>assistant{PING}",
            ("", "", ["ping"]),
        ),
        (
            f"<|channel|>analysis<|message|>t<|end|><|start|>user<|message|>x<|end|><|start|>assistant{PING}",
            ("", "t", []),
        ),
        ("<|channel|>commentary to=browser<|message|>Ignore this<|call|>", ("", "", [])),
        (
            "The <|channel|> token and the <|message|> token",
            ("The <|channel|> token and the <|message|> token", "", []),
        ),
        (
            "<|channel|>commentary to=functions.x<|message|>some words",
            ("<|channel|>commentary to=functions.x<|message|>some words", "", []),
        ),
    ],
)
def test_harmony(text: str, said: Said, row: str | None) -> None:
    """Defect B4."""
    assert read(text, row) == said


def atem(name: str, parameters: str = "") -> str:
    return f'<atem:function_calls>\n<atem:invoke name="{name}">\n{parameters}</atem:invoke>\n</atem:function_calls>'


BASH = atem("muse.bash", '<atem:parameter name="command">pwd</atem:parameter>\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("to=self<|message|>t<|eom|><|start|>assistant to=ping<|message|>" + atem("ping"), ("", "t", ["ping"])),
        (" to=self<|message|>calling to=ping<|message|>" + atem("ping"), ("", "calling", ["ping"])),
        (" to=self<|message|>t<|start|>assistant to=ping<|message|>" + atem("ping"), ("", "t", ["ping"])),
        (" to=self<|message|>set to=5, to=alice<|eom|> to=user<|message|>done", ("done", "set to=5, to=alice", [])),
        (f" to=self<|message|>Maybe {atem('ping')} but wait", ("", f"Maybe {atem('ping')} but wait", [])),
        (f" to=muse<|message|>{BASH}<|eom|>", ("", "", ["muse.bash"])),
        (f"<|message|>{BASH}<|eom|>", ("", "", ["muse.bash"])),
        (f"<|message|>{BASH}<|start|>assistant to=user<|message|>Done<|eot|>", ("Done", "", ["muse.bash"])),
        (f" to=user<|message|>{BASH}<|eot|>", ("", "", ["muse.bash"])),
        (f" to=user<|message|>Running:\n{BASH}<|eot|>", (f"Running:\n{BASH}", "", [])),
        (f" to=user<|message|>{BASH}\nDone.<|eot|>", (f"{BASH}\nDone.", "", [])),
        (f" to=user<|message|>{atem('other')}<|eot|>", (atem("other"), "", [])),
        (" to=commentary<|message|>Hello<|eom|>", ("Hello", "", [])),
        (" to=developer<|message|>x<|eom|><|start|>assistant to=user<|message|>Hi<|eot|>", ("Hi", "", [])),
        (" <|message|>public<|eot|>", ("public", "", [])),
        (" to=ping<|message|>" + atem("ping<|message|>"), ("", "", ["ping"])),
        (" to=ping<|message|>words<|eot|>", (" to=ping<|message|>words", "", [])),
        (f" to=ping<|message|>{atem('ping')}<|eom|><|start|>tool ping<|message|>x<|eot|>", ("", "", ["ping"])),
        (f" to=ping<|message|>{atem('ping')}<|start|>assistant to=user<|message|>Hi<|eot|>", ("Hi", "", ["ping"])),
    ],
)
def test_muse(text: str, said: Said) -> None:
    """Defect B8."""
    assert read(text, "muse_atem") == said


MODEL, TEXT, THINK, END = "<|message_model|>", "<|content_text|>", "<|content_thinking|>", "<|end_message|>"
SAMPLING = "<|content_model_end_sampling|>"
CALL = f'<|content_invoke_tool_json|>{{"name":"ping","args":{{}}}}{END}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{TEXT}hello{END}", ("hello", "", [])),
        (f"{THINK}t{END}{MODEL}{TEXT}hello{END}{MODEL}{CALL}", ("hello", "t", ["ping"])),
        (f"{THINK}one{END}{MODEL}{TEXT}mid{END}{MODEL}{THINK}two{END}", ("mid", "onetwo", [])),
        (f"{THINK}t{END}{MODEL}{TEXT}hi{SAMPLING}", ("hi", "t", [])),
        (f"ping{CALL}", ("", "", ["ping"])),
        (f"{CALL}{MODEL}{CALL}{MODEL}{TEXT}done{END}", ("done", "", ["ping", "ping"])),
        (f"{THINK} t{END}{MODEL}ping{CALL}", ("", "t", ["ping"])),
        (CALL.replace(END, SAMPLING), ("", "", ["ping"])),
        (f"<|content_invoke_tool_text|>do it{END}", ("do it", "", [])),
        (f"<|content_tool_error|>boom{END}", ("boom", "", [])),
        (f"{MODEL}{TEXT}hi{END}{MODEL}", ("hi", "", [])),
        (f"{TEXT}hi{END}<|message_user|>{TEXT}del{END}{MODEL}{CALL}", ("hi", "", [])),
    ],
)
def test_inkling(text: str, said: Said) -> None:
    """Defect B9."""
    assert read(text, "inkling") == said


def test_the_first_header_of_solar_open_has_no_start() -> None:
    text = "<|think|>t<|end|><|begin|>assistant<|content|>hi<|end|>"
    assert read(text, "solar_open") == ("hi", "t", [])


def test_a_header_that_is_cut_is_removed() -> None:
    for text in (
        "<|channel|>analysis<|mess",
        "<|start|>assistant to=",
        " to=fun",
        "<|channel|>commentary to=functions.g",
    ):
        events = parse(text, TOOLS, cut=True, row="harmony")
        assert assemble(events).content == "", text
        assert assemble(events).removed == ["cut"]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("<|message|>x", MessageHeader("<|message|>", 11, "", "text", known=False)),
        ("<|channel|>analysis<|message|>", MessageHeader("<|channel|>analysis<|message|>", 30, "", "reasoning", True)),
        (" to=self<|message|>", MessageHeader(" to=self<|message|>", 19, "self", "reasoning", True)),
        (" to=f.g<|channel|>", True),
        ("<|channel|>analysis<|mes", True),
        ('<|channel|>final {"a"', False),
        ("<|channel|>one two three four five six", False),
    ],
)
def test_a_header(text: str, header: MessageHeader | bool) -> None:
    assert message_header(text, 0, whole=False) == header


def test_repeated_headers_are_read_in_linear_time() -> None:
    for token in ("<|channel|>", "<|start|>", "<|channel|>a ", "<|message|>", "<|start|>assistant", " to="):
        for size in (1, 5000):
            began = time.process_time()
            parse(token * (30_000 // len(token)), TOOLS, chunks(token * (30_000 // len(token)), size), row="muse_atem")
            assert time.process_time() - began < 3, (token, size)
