"""What the system message says: the tools in the form of each row, how to call them, and the choice."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from converters.prompts import prompted
from converters.syntaxes.prompt import ToolForm
from tests.cases import in_one_test
from tests.converters.prompts.conversations import TOOLS, called, result, user
from tests.helpers import ROWS, parse

RICH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "book",
        "description": "Book a room.\nOnly one.",
        "parameters": {
            "type": "object",
            "properties": {
                "hotel": {"type": "string", "enum": ["Ritz", "Inn"], "description": "Which"},
                "nights": {"type": ["integer", "null"], "default": 1},
                "guests": {"type": "array", "items": {"type": "string"}},
                "card": {
                    "type": "object",
                    "properties": {"number": {"type": "string"}, "cvc": {"type": "integer"}},
                    "required": ["number"],
                },
                "tags": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}},
            },
            "required": ["hotel"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
PING: dict[str, Any] = {"type": "function", "function": {"name": "ping", "description": "Ping"}}


def _system(row: str, *tools: dict[str, Any], said: str = "", **options: Any) -> str:
    messages = [{"role": "system", "content": said}] if said else []
    written = prompted([*messages, user("Hi")], tools, ROWS[row], **options)
    assert [message["role"] for message in written] == ["system", "user"]
    text = written[0]["content"]
    assert isinstance(text, str)
    return text


@in_one_test("row", ROWS)
def test_every_row_tells_its_tools_and_how_to_call_them(row: str) -> None:
    text = _system(row, *TOOLS, said="Be brief.")
    for word in ("Be brief.", "get_weather", "Get the weather", "city", "days", "search", "Search it", "opts"):
        assert word in text, word
    for hole in ("{tools}", "{tool}", "{example}", "{name}", "{description}"):
        assert hole not in text, hole


@in_one_test("row", ROWS)
def test_the_prompt_itself_is_no_call(row: str) -> None:
    """A model that repeats its instruction calls nothing that is declared."""
    for event in parse(_system(row, *TOOLS), ["get_weather", "search"], row=row):
        assert getattr(event, "name", "example") not in ("get_weather", "search")


def test_every_form_of_a_tool_is_used_by_a_row() -> None:
    assert {syntax.prompt.form for syntax in ROWS.values()} == set(get_args(ToolForm))


@in_one_test("row", ROWS)
def test_samples_have_the_holes_that_they_need(row: str) -> None:
    prompt = ROWS[row].prompt
    assert prompt.declaration.count("{tools}") == 1
    assert prompt.tool.count("{tool}") == 1
    assert prompt.results.count("{results}") == 1
    assert sum(map(prompt.result.count, ("{result}", "{quoted}", "{value}"))) == 1


# -- forms of a tool ---------------------------------------------------------------------------------------------------


def test_json_as_it_was_sent() -> None:
    assert f"<tools>\n{json.dumps(RICH)}\n{json.dumps(PING)}\n</tools>" in _system("hermes", RICH, PING)
    assert f"[AVAILABLE_TOOLS][{json.dumps(PING)}, {json.dumps(PING)}][/" in _system("mistral_new", PING, PING)


def test_json_of_the_function() -> None:
    assert f"<tool>{json.dumps(RICH['function'])}</tool>" in _system("minimax_m2", RICH)
    assert json.dumps({**PING["function"], "responses": None}) in _system("cohere", PING)


def test_json_with_lines_and_without_blanks() -> None:
    assert json.dumps(RICH, indent=4) + "\n\n" + json.dumps(PING, indent=4) in _system("llama3_json", RICH, PING)
    assert json.dumps([RICH, PING], indent=4) in _system("pythonic", RICH, PING)
    compact = json.dumps([RICH, PING], separators=(",", ":"), sort_keys=True)
    assert f"```json\n{compact}\n```" in _system("kimi_k3", RICH, PING)


def test_typescript() -> None:
    assert _system("harmony", RICH, PING) == (
        "# Tools\n\n## functions\n\nnamespace functions {\n\n"
        "// Book a room.\n// Only one.\n"
        'type book = (_: {\n// Which\nhotel: "Ritz" | "Inn",\nnights?: number | null, // default: 1\n'
        "guests?: string[],\ncard?: {\nnumber: string,\ncvc?: number,\n},\ntags?: (string | number)[],\n}) => any;\n\n"
        "// Ping\ntype ping = () => any;\n\n} // namespace functions"
    )
    assert "tags?: (string | number)[]\n}) => any;\n// Ping" in _system("apertus", RICH, PING)
    indented = _system("gigachat3", RICH, TOOLS[1])
    assert '(_: {\n  // Which\n  hotel: "Ritz" | "Inn",\n' in indented
    assert "  card?: {\n    number: string,\n    cvc?: number,\n  },\n" in indented
    assert "  opts?: {\n  },\n}) => any;" in indented


def test_python() -> None:
    assert _system("seed_oss", TOOLS[0]).startswith(
        'Function:\ndef get_weather(city: str,days: int):\n    """\n    Get the weather\n\n    Args:\n'
        '    - city (str) [必填]: The city\n    - days (int) [选填]: \n\n    """\n'
    )
    assert 'def ping():\n    """\n    Ping\n\n\n    """' in _system("seed_oss", PING)


def test_elements() -> None:
    text = _system("qwen3_coder", RICH)
    assert (
        "<function>\n<name>book</name>\n<description>Book a room.\nOnly one.</description>\n<parameters>\n<parameter>\n"
        '<name>hotel</name>\n<type>string</type>\n<description>Which</description>\n<enum>["Ritz", "Inn"]</enum>\n'
        '</parameter>\n<parameter>\n<name>nights</name>\n<type>["integer", "null"]</type>\n<default>1</default>\n'
    ) in text
    assert (
        '<required>["hotel"]</required>\n<additionalProperties>false</additionalProperties>\n</parameters>\n'
        "<strict>true</strict>\n</function>"
    ) in text
    assert (
        "<tools>\n<tool_description>\n<tool_name>get_weather</tool_name>\n<description>Get the weather</description>\n"
        "<parameters>\n<parameter>\n<name>city</name>\n<type>string</type>\n<description>The city</description>\n"
    ) in _system("claude_legacy", TOOLS[0])


def test_bare_keys() -> None:
    assert _system("gemma4", RICH, said="Hi.").replace('<|"|>', "'") == (
        "Hi.<|tool>declaration:book{description:'Book a room.\nOnly one.',parameters:{properties:{"
        "card:{properties:{cvc:{type:'INTEGER'},number:{type:'STRING'}},required:['number'],type:'OBJECT'},"
        "guests:{items:{type:'STRING'},type:'ARRAY'},hotel:{description:'Which',enum:['Ritz','Inn'],type:'STRING'},"
        "nights:{type:['INTEGER','NULL']},tags:{items:{},type:'ARRAY'}},required:['hotel'],type:'OBJECT'}}<tool|>"
    )
    assert "declaration:ping{description:<escape>Ping<escape>}" in _system("functiongemma", PING)


def test_functions_that_are_declared_in_other_ways() -> None:
    bare = PING["function"]
    assert json.dumps({"type": "function", "function": bare}) in _system("hermes", bare)
    custom = {"type": "custom", "custom": {"name": "run", "description": "Run it"}}
    assert json.dumps(custom) in _system("hermes", custom)
    assert "// Run it\ntype run = () => any;" in _system("harmony", custom)
    search = {"type": "web_search"}
    for row in ("hermes", "harmony", "qwen3_coder", "gemma4", "seed_oss"):
        assert json.dumps(search) in _system(row, search)


# -- where it stands ---------------------------------------------------------------------------------------------------


def test_one_system_message_stands_in_front() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "A."},
        {"role": "developer", "content": [{"type": "text", "text": "B."}]},
        user("Hi"),
        {"role": "system", "content": "Late."},
    ]
    first, asked, late = prompted(messages, TOOLS, ROWS["hermes"])
    assert first["content"].startswith("A.\n\nB.\n\n# Tools\n\n")
    assert (asked, late) == (user("Hi"), {"role": "system", "content": "Late."})
    first, *_ = prompted(messages, TOOLS, ROWS["glm45"])
    assert first["content"].startswith("# Tools\n\n")
    assert first["content"].endswith("</tool_call>\n\nA.\n\nB.")


def test_without_system_text_only_the_tools_stand_there() -> None:
    for row in ("hermes", "glm45", "gemma4"):
        text = _system(row, PING)
        assert text == text.strip("\n")
        assert prompted([{"role": "system", "content": ""}, user("Hi")], [PING], ROWS[row])[0]["content"] == text


# -- the choice --------------------------------------------------------------------------------------------------------


@in_one_test("row", ROWS)
def test_a_choice_adds_one_sentence(row: str) -> None:
    plain = _system(row, PING)
    must = _system(row, PING, choice="required")
    assert must == plain + "\n\nYou must call at least one function in your next reply."
    named = _system(row, PING, choice="required", named="ping")
    assert named == plain + '\n\nYou must call the function "ping" in your next reply.'


@in_one_test("row", ROWS)
def test_without_a_choice_no_tool_is_told_and_the_past_is_text(row: str) -> None:
    history = [user("Hi"), called([("ping", {})]), result("pong")]
    messages = prompted(history, [PING], ROWS[row], "none")
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages == prompted(history, [], ROWS[row])
    assert messages == prompted(history, [PING], ROWS[row])[1:]


@pytest.mark.parametrize("tools", [[], [PING]])
def test_no_messages(tools: list[dict[str, Any]]) -> None:
    assert [message["role"] for message in prompted([], tools, ROWS["hermes"])] == ["system"] * len(tools)
