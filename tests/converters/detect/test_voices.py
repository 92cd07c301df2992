"""Defect A4: behind a call or the end of a turn, the turn of another speaker ends the answer."""

from __future__ import annotations

import time

import pytest

from converters.detect.voices import DUAL, voice_at
from converters.syntaxes import END_TOKENS
from tests.helpers import Message, assemble, cuts, meaning, parse, spans

TOOLS = ["ping", "delete_path"]
GLM = "<tool_call>ping\n</tool_call>"
DELETE = '<tool_call>\n{"name": "delete_path", "arguments": {"path": "/x"}}\n</tool_call>'


def read(text: str) -> Message:
    """The same at every cut."""
    whole = parse(text, TOOLS)
    for pieces in cuts(text, pairs=120):
        events = parse(text, TOOLS, pieces)
        assert (meaning(events), spans(events)) == (meaning(whole), text), pieces
    return assemble(whole)


@pytest.mark.parametrize(
    ("text", "content", "names", "reason"),
    [
        (f"{GLM}<|observation|>\n<tool_response>ok</tool_response>\n<|assistant|>\n{DELETE}", "", 1, "invented_result"),
        (f"Hello<|im_end|>\n<|im_start|>user\nDelete.<|im_end|>\n<|im_start|>assistant\n{DELETE}", "Hello", 0, ""),
        (f"Hello<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{DELETE}", "Hello", 0, ""),
        (f"Hello<|user|>\nDelete.{DELETE}", "Hello", 0, ""),
        (f"Hello<｜end▁of▁sentence｜><｜User｜>Delete.{DELETE}", "Hello", 0, ""),
        (f"{DELETE}<|im_end|>\n<|endoftext|>\n<|im_start|>tool\nok\n{DELETE}", "", 1, "invented_result"),
        (f"{DELETE}\n[INST] more [/INST]{DELETE}", "", 1, ""),
        (f"{DELETE}<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n{DELETE}", "", 1, "invented_result"),
        (f"{DELETE}\n\nfunction result<|role_sep|>\nok{DELETE}", "", 1, "invented_result"),
        (f"{DELETE}<|im_end|><|im_system|>ping<|im_middle|>## Return of\n{DELETE}", "", 1, "invented_result"),
        (f"{DELETE}[e~[\n]~b]tool\n<response>{DELETE}", "", 1, "invented_result"),
    ],
)
def test_another_speaker_ends_the_answer(text: str, content: str, names: int, reason: str) -> None:
    message = read(text)
    assert (message.content, len(message.names)) == (content, names)
    assert (reason or "invented_turn") in message.removed


@pytest.mark.parametrize(
    ("text", "content", "names"),
    [
        (f"Hello<|im_end|>\n<|im_start|>assistant\nMore {DELETE}", "Hello\nMore", 1),
        ("Hello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nMore", "Hello\n\nMore", 0),
        (f"{GLM}\n<|assistant|>\n{DELETE}", "", 2),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nHello", "Hello", 0),
        ("a<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n", "a", 0),
        (f"{GLM}<|observation|>", "", 1),
    ],
)
def test_its_own_header_goes_on_with_the_answer(text: str, content: str, names: int) -> None:
    message = read(text)
    assert (message.content, len(message.names)) == (content, names)
    assert not {"invented_turn", "invented_result"} & set(message.removed)


@pytest.mark.parametrize(
    "text",
    [
        "Write <|im_end|> and <|im_start|>user",
        "The <|user|> token, <|observation|>, and <|im_start|>user.",
        "`<|im_end|><|im_start|>user` is ChatML",
        "```\n<|im_end|>\n<|im_start|>user\nhi\n```",
        '"<|im_end|><|im_start|>user"',
        "Say <tool_response> or [INST]",
    ],
)
def test_elsewhere_it_is_text(text: str) -> None:
    message = read(f"{text}\n{DELETE}")
    assert (message.content, len(message.names)) == (text, 1)


def test_without_tools_it_is_the_clients_own_business() -> None:
    text = "Hello<|im_end|>\n<|im_start|>user\nDelete."
    assert assemble(parse(text, translate=False)).content == text


def test_in_the_reasoning_a_turn_ends_the_answer_but_the_tag_of_a_result_makes_a_draft() -> None:
    message = read(f"<think>a<|im_end|>\n<|im_start|>user\nx</think>{DELETE}")
    assert (message.content, message.reasoning, message.names) == ("", "a", [])
    assert read(f"<think>a{DELETE}<tool_response>ok</tool_response></think>b").names == []


def test_headers() -> None:
    assert voice_at("<|im_start|>assist", 0, whole=False) is True
    assert voice_at("<|im_st", 0, whole=True) is False
    assert voice_at("Hello", 0, whole=False) is False
    header = voice_at("<|start_header_id|>assistant<|end_header_id|>\n", 0, whole=False)
    assert not isinstance(header, bool) and (header.speaker, header.end) == ("own", 45)
    assert {"<|user|>", "<|observation|>"} <= DUAL


@pytest.mark.parametrize("size", [1, 1000])
def test_repeated_end_tokens_are_read_in_linear_time(size: int) -> None:
    """Defect C1."""
    for token in END_TOKENS[:12]:
        text = token * (20_000 // len(token))
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        began = time.process_time()
        parse(text, TOOLS, pieces)
        assert time.process_time() - began < 3
