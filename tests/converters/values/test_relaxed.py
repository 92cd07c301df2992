"""JSON as Gemma spells it."""

from __future__ import annotations

from typing import Any

import pytest

from converters.values.json.reader import JsonReader
from converters.values.relaxed import relaxed_spelling
from converters.values.schema import Node
from converters.values.typed import SchemaPolicy
from tests.helpers import cuts, read_json, same_json

Q = '<|"|>'


def read(pieces: list[str], delimiter: str = Q) -> str:
    reader = JsonReader(spelling=relaxed_spelling(delimiter))
    out = ""
    for piece in pieces:
        out += reader.feed(piece)
        if reader.done or reader.unreadable:
            break
    return out + reader.finish()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"{{two words:{Q}x{Q},a:y,and three more:1}}", {"two words": "x", "a": "y", "and three more": 1}),
        (f"{{city:{Q}Seoul{Q},days:3}}", {"city": "Seoul", "days": 3}),
        (f'{{a:{Q}it\'s "x" {{y}}, [z]: \\n \\d{Q}}}', {"a": 'it\'s "x" {y}, [z]: \\n \\d'}),
        (f"{{a:{Q}line\n\ttab{Q}}}", {"a": "line\n\ttab"}),
        (f'{{a:{Q}< <| <|" <|"| x{Q}}}', {"a": '< <| <|" <|"| x'}),
        (
            f"{{a:{Q}{Q},b:[{Q}x{Q},{Q}y{Q}],c:{{d:true,e:null}}}}",
            {"a": "", "b": ["x", "y"], "c": {"d": True, "e": None}},
        ),
        (f"{{{Q}a b{Q}:1}}", {"a b": 1}),
        ('{"a": "plain", b: \'quoted\'}', {"a": "plain", "b": "quoted"}),
        ("{a:bare words,b:-1.50}", {"a": "bare words", "b": -1.5}),
        (f"{{a:{Q}x{Q},a:{Q}y{Q},b:1}}", {"a": "x", "b": 1}),
        ("{}", {}),
        (f"{{a:{Q}서울 😀{Q}}}", {"a": "서울 😀"}),
        (f"{{a:['x',{Q}y{Q}],{Q}b c{Q}:\"z\",{Q}d{Q}:1}}", {"a": ["x", "y"], "b c": "z", "d": 1}),
        (f"{{a:words,{Q}b{Q}:1}}", {"a": "words", "b": 1}),
        ("{a: two\nlines // no comment,b:1}", {"a": "two\nlines // no comment", "b": 1}),
        (f"{{url:{Q}https://a.b/c?d=e{Q}}}", {"url": "https://a.b/c?d=e"}),
    ],
)
def test_what_it_means_at_every_cut(text: str, value: Any) -> None:
    whole = read([text])
    assert same_json(read_json(whole), value)
    for pieces in cuts(text):
        assert read(pieces) == whole, pieces


def test_another_delimiter() -> None:
    assert read_json(read(["{a:<escape>it's<escape>}"], "<escape>")) == {"a": "it's"}


def test_strings_flow() -> None:
    reader = JsonReader(spelling=relaxed_spelling(Q))
    assert reader.feed(f"{{a:{Q}abc") == '{"a":"abc'
    assert reader.feed('d"e') == 'd\\"e'
    assert reader.feed("f<|") == "f"


@pytest.mark.parametrize(
    "text",
    [
        f"{{a:{Q}ls}}<tool_call|>",
        f"{{a:{Q}open",
        "{a:echo 'x'\ndone}",
        f"{{a:'ls'{Q}}}",
        f"{{a:ls{Q}}}",
        "{a:x, y}",
        "{a:words",
        f"{{a:{Q}x{Q} b:1}}",
    ],
)
def test_what_is_not_closed_is_unreadable(text: str) -> None:
    """Defect A6: nothing is cut at a quote, and no marker becomes part of a value."""
    for pieces in cuts(text):
        reader = JsonReader(spelling=relaxed_spelling(Q))
        for piece in pieces:
            if not reader.unreadable:
                reader.feed(piece)
        assert reader.finish() == ""
        assert reader.unreadable, pieces


def test_the_schema_types_what_has_no_quotes() -> None:
    """Defect A6: `12345` stays a string where one is wanted."""
    node = Node({"properties": {"zip": {"type": "string"}, "n": {"type": "integer"}, "either": {}}})
    text = "{zip:01234,n:3,either:true,deep:{zip:12}}"
    for pieces in cuts(text):
        reader = JsonReader(SchemaPolicy(node), relaxed_spelling(Q))
        out = "".join(map(reader.feed, pieces)) + reader.finish()
        assert same_json(read_json(out), {"zip": "01234", "n": 3, "either": True, "deep": {"zip": 12}})
        assert reader.codes == []
