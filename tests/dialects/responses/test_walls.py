"""No other file of the product knows a field of this API: it is one folder, and one line in the table of dialects."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
WORDS = re.compile(
    r"output_text|input_text|reasoning_text|function_call_output|custom_tool_call|output_index|sequence_number"
    r"|max_output_tokens|previous_response_id|encrypted_content|item_reference|/responses\b|\bResponses\("
)


def test_nobody_else_knows_a_field_of_it() -> None:
    own = ROOT / "dialects/responses"
    sources = [*ROOT.glob("*.py")]
    for folder in ("wire", "converters", "dialects", "backends", "streaming", "serving", "web", "demo"):
        sources += (ROOT / folder).rglob("*.py")
    found = {
        str(path.relative_to(ROOT)): sorted(set(WORDS.findall(path.read_text(encoding="utf-8"))))
        for path in sources
        if own not in path.parents and WORDS.search(path.read_text(encoding="utf-8"))
    }
    assert found == {
        "dialects/__init__.py": ["Responses("],
        "dialects/messages/content.py": ["encrypted_content"],  # a field of that API, too
        "dialects/protocol.py": ["/responses"],  # an example
    }


def test_it_knows_no_other_dialect_but_the_canonical_one() -> None:
    for path in (ROOT / "dialects/responses").glob("*.py"):
        imported = set(re.findall(r"^from dialects\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert imported <= {"protocol", "responses", "chat"}, path.name
