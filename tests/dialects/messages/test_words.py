"""No other file of the product knows a word of the Messages API."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.cases import in_one_test
from tests.servers import ROOT

ROOMS = ("backends", "converters", "dialects", "serving", "streaming", "web", "wire")
SOURCES = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if "messages" not in path.relative_to(ROOT).parts
]
SOURCES += sorted(ROOT.glob("*.py"))
WORDS = (
    *("content_block", "message_start", "message_delta", "message_stop", "input_json_delta", "partial_json"),
    *("text_delta", "thinking_delta", "signature_delta", "toolu_", "tool_use_id", "input_schema"),
    *("stop_sequences", "stop_sequence", "cache_read_input_tokens", "count_tokens"),
    *("redacted_thinking", "disable_parallel_tool_use", "anthropic-version", "overloaded_error"),
)


@in_one_test("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_else_names_its_fields(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    for word in WORDS:
        found = [text for text in (*texts, *names) if re.search(rf"(?<![\w-]){re.escape(word)}", text)]
        assert not found, f"{word} in {found[0][:80]!r}"


def test_the_table_of_dialects_has_one_line() -> None:
    lines = (ROOT / "dialects/__init__.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if "essages" in line and "import" not in line and '"""' not in line]) == 1
