"""What a schema wants of a text value: every sentence of the contract on types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from converters.values.schema import Node, argument, properties, wanted
from converters.values.typed import read_text
from tests.helpers import read_json, same_json

STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
BOOLEAN = {"type": "boolean"}
ARRAY = {"type": "array"}
OBJECT = {"type": "object"}
NO_NUMBERS = [
    "0x1F",
    "0o17",
    "0b1",
    "1_000",
    "007",
    "-012",
    "NaN",
    "Infinity",
    "-Infinity",
    "+5",
    ".5",
    "5.",
    "1e",
    "١",
]


def read(text: str, node: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    return read_json(read_text(text, Node(node, root or {})))


@pytest.mark.parametrize(
    "text",
    [
        "00123",
        "true",
        "True",
        "null",
        "None",
        "3",
        "1.0",
        "  lead",
        "trail\n",
        "",
        '{"a": 1}',
        "[1]",
        '"q"',
        "&lt;",
        "\\n",
    ],
)
@pytest.mark.parametrize(
    "node", [STRING, {"enum": ["a", "b"]}, {"const": "x"}, {"anyOf": [STRING]}, {"type": ["string"]}]
)
def test_a_string_is_verbatim(text: str, node: dict[str, Any]) -> None:
    assert read(text, node) == text


@pytest.mark.parametrize("node", [INTEGER, NUMBER, {}, {"type": ["integer", "string"]}, {"type": ["number", "null"]}])
@pytest.mark.parametrize("text", NO_NUMBERS)
def test_only_decimal_json_is_a_number(text: str, node: dict[str, Any]) -> None:
    assert read(text, node) == text


@pytest.mark.parametrize(
    ("text", "node", "written"),
    [
        ("3", INTEGER, "3"),
        ("-7", INTEGER, "-7"),
        (" 3\n", INTEGER, "3"),
        ("15.000", INTEGER, "15"),
        ("-2.0", INTEGER, "-2"),
        ("123456789012345678901234567890", INTEGER, "123456789012345678901234567890"),
        ("123456789012345678901234567890.000", INTEGER, "123456789012345678901234567890"),
        ("15.000", NUMBER, "15.000"),
        ("1.10", NUMBER, "1.10"),
        ("0.10000000000000000001", NUMBER, "0.10000000000000000001"),
        ("9" * 300, INTEGER, "9" * 300),
        ("12345678901234567890", {}, "12345678901234567890"),
    ],
)
def test_numbers_keep_their_digits(text: str, node: dict[str, Any], written: str) -> None:
    assert read_text(text, Node(node, {})) == written


@pytest.mark.parametrize(
    ("text", "node", "value"),
    [
        ("true", BOOLEAN, True),
        ("False", BOOLEAN, False),
        ("yes", BOOLEAN, "yes"),
        ("null", {"type": "null"}, None),
        ("None", {"type": "null"}, None),
        ("abc", INTEGER, "abc"),
        ("", INTEGER, ""),
        ("[1, 2]", ARRAY, [1, 2]),
        ("['a', True, None]", ARRAY, ["a", True, None]),
        ("[1, 2,]", ARRAY, [1, 2]),
        ("a, b", ARRAY, "a, b"),
        ('{"a": {"b": [1.5]}}', OBJECT, {"a": {"b": [1.5]}}),
        ("{'a': 'it\\'s', 'b': {}}", OBJECT, {"a": "it's", "b": {}}),
        ('{"a": 1, "a": 2}', OBJECT, {"a": 1}),
        ('{"a": 1', OBJECT, '{"a": 1'),
        ('"3"', INTEGER, 3),
    ],
)
def test_json_then_a_python_literal_else_a_string(text: str, node: dict[str, Any], value: Any) -> None:
    assert same_json(read(text, node), value)


@pytest.mark.parametrize(
    ("text", "node", "value"),
    [
        ("(1, 2)", ARRAY, [1, 2]),
        ("('a',)", ARRAY, ["a"]),
        ("[r'\\d', 'x\\x41']", ARRAY, ["\\d", "xA"]),
        ("{'a': '''x'''}", OBJECT, {"a": "x"}),
        ("{'a': (1, 2)}", OBJECT, {"a": [1, 2]}),
    ],
)
def test_python_strings_and_containers_are_literals(text: str, node: dict[str, Any], value: Any) -> None:
    assert same_json(read(text, node), value)


@pytest.mark.parametrize(
    ("text", "kinds", "value"),
    [
        ("17", ["string", "integer"], 17),
        ("17", ["integer", "string"], 17),
        ("17", ["string", "null"], "17"),
        ("null", ["string", "null"], None),
        ("null", ["string", "integer"], "null"),
        ("true", ["string", "boolean"], True),
        ("True", ["string", "boolean"], "True"),
        ("true", ["string", "null"], "true"),
        ("1.5", ["string", "number"], 1.5),
        ("3.10", ["string", "integer"], "3.10"),
        ("[1]", ["string", "array"], [1]),
        ("[1]", ["string", "object"], "[1]"),
        ("{'a': 1}", ["string", "object"], "{'a': 1}"),
        ('{"a": 1} x', ["string", "object"], '{"a": 1} x'),
        ("17 apples", ["string", "integer"], "17 apples"),
        ("00123", ["string", "integer"], "00123"),
        ("null", ["integer", "null"], None),
        ("5", ["integer", "null"], 5),
        ("soon", ["integer", "null"], "soon"),
    ],
)
def test_unions(text: str, kinds: list[str], value: Any) -> None:
    for node in (
        {"type": kinds},
        {"anyOf": [{"type": kind} for kind in kinds]},
        {"oneOf": [{"type": kind} for kind in kinds]},
    ):
        assert same_json(read(text, node), value), node


ROOT = {
    "$defs": {
        "Count": INTEGER,
        "Maybe": {"anyOf": [{"$ref": "#/$defs/Count"}, {"type": "null"}]},
        "a/b": STRING,
        "Loop": {"$ref": "#/$defs/Loop"},
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "n": {"$ref": "#/$defs/Count"}}},
    },
    "definitions": {"Name": STRING},
}


@pytest.mark.parametrize(
    ("text", "node", "value"),
    [
        ("5", {"$ref": "#/$defs/Count"}, 5),
        ("5", {"$ref": "#/definitions/Name"}, "5"),
        ("5", {"$ref": "#/$defs/a~1b"}, "5"),
        ("null", {"$ref": "#/$defs/Maybe"}, None),
        ("5.0", {"$ref": "#/$defs/Maybe"}, 5),
        ("5", {"allOf": [{"$ref": "#/definitions/Name"}, {"description": "a name"}]}, "5"),
        ("5", {"allOf": [INTEGER, {"minimum": 1}]}, 5),
        ("5", {"$ref": "#/$defs/Nobody"}, 5),
        ("x", {"$ref": "#/$defs/Loop"}, "x"),
        ("null", {"type": "string", "nullable": True}, None),
        ("5", {"type": "string", "nullable": True}, "5"),
        ("null", {"type": "integer", "nullable": True}, None),
        ("1", {"enum": [1, 2]}, 1),
        ("1", {"enum": ["1", "2"]}, "1"),
        ("1", {"enum": ["auto", 1]}, 1),
        ("auto", {"enum": ["auto", 1]}, "auto"),
        ("null", {"enum": ["a", None]}, None),
        ("true", {"enum": [True, False]}, True),
        ("true", {"enum": ["true", "false"]}, "true"),
        ("5", {"const": 5}, 5),
        ("5", {"const": "5"}, "5"),
        ("1", {"type": "string", "enum": ["1", "2"]}, "1"),
        ('{"a": 1}', {"properties": {"a": INTEGER}}, {"a": 1}),
        ("[1]", {"items": INTEGER}, [1]),
    ],
)
def test_what_says_the_type_is_followed(text: str, node: dict[str, Any], value: Any) -> None:
    assert same_json(read(text, node, ROOT), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("[1, 2]", [1, 2]),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ('"quoted"', '"quoted"'),
        ("True", "True"),
        ("None", "None"),
        ("{'a': 1}", "{'a': 1}"),
        ("00123", "00123"),
        ("  plain text\n", "  plain text\n"),
        ("[1, 2", "[1, 2"),
    ],
)
def test_without_a_schema(text: str, value: Any) -> None:
    assert same_json(read(text, {}), value)


@pytest.mark.parametrize(
    ("text", "node", "value"),
    [
        ('{"n": "3", "s": "3"}', {"type": "object", "properties": {"n": INTEGER, "s": STRING}}, {"n": 3, "s": "3"}),
        ('["1", "2"]', {"type": "array", "items": INTEGER}, [1, 2]),
        ("['1', '2']", {"type": "array", "items": STRING}, ["1", "2"]),
    ],
)
def test_nested_properties_and_items_are_followed(text: str, node: dict[str, Any], value: Any) -> None:
    assert same_json(read(text, node), value)


def test_the_schema_of_an_argument() -> None:
    schema = {**ROOT, "allOf": [{"properties": {"a": STRING}}, {"$ref": "#/$defs/Node"}]}
    assert argument(schema, "a") == STRING
    assert wanted(argument(schema, "n"), schema) == {"integer"}
    assert wanted(argument(argument(schema, "next", schema), "n", schema), schema) == {"integer"}
    assert argument(schema, "nobody") == {}
    assert properties(schema) == ["a", "next", "n"]


@pytest.mark.parametrize("schema", [{"properties": []}, {"type": 3}, {"anyOf": {}}, {"$ref": 5}, {"enum": 1}])
def test_a_schema_that_is_none_says_nothing(schema: dict[str, Any]) -> None:
    assert argument(schema, "a") == {}
    assert wanted(schema, schema) == frozenset()
    assert read("5", schema, schema) == 5


@pytest.mark.parametrize("text", ["1e999", "-1E400", "1e9999999999999999999", "9" * 400, "1e309"])
@pytest.mark.parametrize("kind", ["integer", "number", "NUMBER"])
def test_a_number_that_is_infinite_for_a_client_stays_a_string(text: str, kind: str) -> None:
    """Defects A11, C6: and nothing raises."""
    assert read(text, {"type": kind}) == text
    assert read(f'"{text}"', {"type": kind}) == f'"{text}"'


def test_next_to_nothing_is_a_number_still() -> None:
    assert read_text("1e-9999999999999999999", Node(INTEGER, {})) == "1e-9999999999999999999"


@pytest.mark.parametrize("reference", ["#/anyOf/" + "9" * 5000, "#/anyOf/²", "#/anyOf/-1", "#/" + "a/" * 5000])
def test_a_reference_to_nowhere_says_nothing(reference: str) -> None:
    """Defect C6."""
    schema = {"anyOf": [INTEGER], "properties": {"a": {"$ref": reference}}}
    assert Node(schema).member("a").kinds == frozenset()


def test_types_are_compared_without_case() -> None:
    """Defect A11's neighbours: Gemini's schemas write `STRING`."""
    assert read("007", {"type": "STRING"}) == "007"
    assert read("7", {"type": "Integer"}) == 7
    assert read("null", {"type": ["STRING", "NULL"]}) is None


def test_patterns_and_additional_properties_type_what_properties_does_not() -> None:
    schema = {
        "properties": {"n_1": {"type": "string"}},
        "patternProperties": {"^n_": INTEGER, "^(a+)+$": INTEGER, "(": INTEGER, "s$": {"type": "string"}},
        "additionalProperties": {"type": "boolean"},
    }
    kinds = {key: set(Node(schema).member(key).kinds) for key in ("n_1", "n_2", "names", "aaaa", "x")}
    assert kinds == {
        "n_1": {"string"},
        "n_2": {"integer"},
        "names": {"string"},
        "aaaa": {"boolean"},  # a pattern that could take long is ignored
        "x": {"boolean"},
    }


@pytest.mark.parametrize("pattern", ["(a+)+$", "a*a*a*b", "(?:x|y)", "[a", "a{1,99999}", "\\1"])
def test_patterns_that_could_take_long_are_ignored(pattern: str) -> None:
    schema = {"patternProperties": {pattern: INTEGER}}
    assert Node(schema).member("a" * 200).kinds == frozenset()


def test_json_that_was_escaped_is_unescaped_wholly() -> None:
    """Defect A11: `[{\\"task\\": \\"C:\\\\\\\\Users...`."""
    meant = [{"task": 'C:\\Users\\me says "hi"\n', "n": 1}]
    escaped = json.dumps(json.dumps(meant))[1:-1]
    for kind in ("array", ["array", "null"]):
        assert read(escaped, {"type": kind}) == meant
