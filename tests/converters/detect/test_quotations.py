"""Defect A5: what is quoted is text, in every way to quote; behind a quotation a call is live."""

from __future__ import annotations

import pytest

from tests.helpers import assemble, chunks, meaning, parse, spans

TOOLS = ["ping", "delete_path"]
CALL = '<tool_call>\n{"name": "delete_path", "arguments": {"path": "/x"}}\n</tool_call>'
INNER = "<tool_call>\n<function=ping>\n</function>\n</tool_call>"


def read(text: str) -> tuple[str, list[str]]:
    """Content and calls, the same in pieces of every size."""
    whole = parse(text, TOOLS)
    for size in (1, 2, 3, 7, 20):
        events = parse(text, TOOLS, chunks(text, size))
        assert (meaning(events), spans(events)) == (meaning(whole), text), size
    message = assemble(whole)
    return message.content, message.names


@pytest.mark.parametrize(
    "text",
    [
        f"1. ```xml\n{CALL}\n   ```",
        f"- ~~~\n{CALL}\n",
        f"> ```\n> {INNER.replace(chr(10), chr(10) + '> ')}\n> ```",
        f"* - ```\n{CALL}",
        f"1) ```\n   {CALL}\n   ```",
        f"10. ten\n    ```\n{CALL}",
        f"   ~~~~ xml\n{CALL}\n~~~",
        f"<!-- {CALL} -->",
        f"- <!--\n{CALL}",
        f"<pre>\n{CALL}\n</pre>",
        f"<pre class='x'>{CALL}",
        f"x <code>{CALL}</code>",
        f'"{CALL}"',
        f"Say “{CALL}”",
        f"(«{INNER}»)",
        f"such as '{INNER}' and so on",
        f"「{INNER}」",
        "x `<tool_call>` y",
    ],
)
def test_what_is_quoted_is_text(text: str) -> None:
    assert read(text) == (text, [])


@pytest.mark.parametrize(
    "before",
    [
        *("> ```\n> code\n\n", "> ```\n> code\n> ```\n", "1. ```\n   code\n   ```\n", "    ```\n", "a\n-```\n"),
        *("<!-- x -->\n", "<pre>a</pre>", "x <code>a</code> ", "x <code>a\n", "x <!-- a ", "x <pre> ", "<prefix>\n"),
        *('he said "hi" ', "it's\"", "a ` b\n", "`<tool_call>` is a tag\n", '"\n', "x” ", "f(x)'"),
    ],
)
def test_behind_a_quotation_a_call_is_live(before: str) -> None:
    content, names = read(before + CALL)
    assert (content.rstrip(), names) == (before.rstrip(), ["delete_path"])


@pytest.mark.parametrize("pieces", [['say "', INNER, '"'], ["say ", '"', INNER, '"'], ["say", " ", '"', INNER, '"']])
def test_a_mark_is_seen_however_the_text_came(pieces: list[str]) -> None:
    text = "Hello. I " + "".join(pieces)
    assert assemble(parse(text, TOOLS, ["Hello. ", "I ", *pieces])).content == text


@pytest.mark.parametrize("pieces", [['said"', INNER], ["said", '"', INNER], ["said", '"', *INNER]])
def test_behind_a_word_a_mark_closes(pieces: list[str]) -> None:
    assert assemble(parse("", TOOLS, ["Hello. ", "I ", *pieces])).names == ["ping"]
