"""The texts of the pretend models: each writes calls of the request's tools in its own syntax.

May not know: the proxy's converters. Shared code would share their mistakes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that the model makes."""

    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `calls` is filled by the native model only; the others have written their calls into `text`."""

    text: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class PretendModel:
    """One row of MODELS."""

    name: str
    write: Callable[[Sequence[Call]], str] | None
    """The markup of calls; None for a model whose calls are real `tool_calls`."""
    lead: str = ""
    """Text in front of the markup."""
    thinks: Literal["", "tags", "opened"] = ""
    """`tags`: it writes both tags. `opened`: its chat template puts `<think>` into the prompt, it writes `</think>`."""
    aliases: tuple[str, ...] = ()


def model_names() -> list[str]:
    """The names of all models, aliases included."""
    return [name for model in MODELS for name in (model.name, *model.aliases)]


def find_model(name: object) -> PretendModel:
    """The model of that name. An unknown one writes as Hermes does, the syntax that most models were trained on."""
    wanted = str(name).lower()
    return next((model for model in MODELS if wanted in (model.name, *model.aliases)), HERMES)


def reply(body: Json) -> Reply:
    """The answer to a validated chat request. The same request always gets the same answer."""
    model = find_model(body.get("model"))
    calls = choose_calls(body)
    if not calls:
        return Reply(_thought(model, body, "Nothing is left to look up. I can answer now.") + _plain_answer(body))
    names = " and ".join(call.name for call in calls)
    text = _thought(model, body, f"The user needs {names}.") + model.lead
    if model.write is None:
        return Reply(text, tuple(calls[:1] if body.get("parallel_tool_calls") is False else calls))
    return Reply(text + model.write(calls))


# -- choosing tools and arguments


def choose_calls(body: Json) -> list[Call]:
    """The calls that the last user message asks for; none without tools or after tool results."""
    messages, tools, choice = body["messages"], _declared_tools(body), body.get("tool_choice")
    if not tools or choice == "none" or _results(messages):
        return []
    message_text = _last_user_text(messages)
    if isinstance(choice, dict):
        forced = _mapping(choice.get("function")).get("name")
        tools = [tool for tool in tools if tool["name"] == forced] or tools
    found = _mentions(message_text, tools) or [(0, tools[0])]
    # The clause of a tool ends where the next tool is mentioned: "weather in Seoul and search for ramen".
    ends = [start for start, _ in found[1:]] + [len(message_text)]
    starts = [0] + [start for start, _ in found[1:]]
    ignored = {part for tool in tools for part in _parts(tool["name"])}
    calls = []
    for (_, tool), start, end in zip(found, starts, ends, strict=True):
        schema = _mapping(tool.get("parameters"))
        arguments = _fill_object(schema, schema, _Candidates(message_text, start, end, ignored), 0)
        calls.append(Call(tool["name"], arguments))
    return calls


def _mentions(message_text: str, tools: Sequence[Json]) -> list[tuple[int, Json]]:
    """The tools that the message mentions, with their positions, in order.

    A tool is mentioned by its name, or by a part of its name that no other tool's name has.
    """
    parts = [_parts(tool["name"]) for tool in tools]
    found = []
    for tool, own in zip(tools, parts, strict=True):
        shared = {part for other in parts if other is not own for part in other}
        positions = [_find_word(re.escape(tool["name"]), message_text)] + [
            _find_word(f"{re.escape(part)}(?:s|es|ed|ing)?", message_text)
            for part in own
            if part not in shared | COMMON
        ]
        mentioned = [pos for pos in positions if pos >= 0]
        if mentioned:
            found.append((positions[0] if positions[0] >= 0 else min(mentioned), tool))
    return sorted(found, key=lambda pair: pair[0])


def _find_word(pattern: str, message_text: str) -> int:
    """The position of the first word that matches, or -1."""
    # Only ASCII characters continue a word: Korean attaches particles to the name ("get_weather로").
    match = re.search(rf"(?<![A-Za-z0-9_]){pattern}(?![A-Za-z0-9_])", message_text, re.IGNORECASE)
    return match.start() if match else -1


def _parts(name: str) -> list[str]:
    """The words of a tool's name with three or more characters, in lower case: `get` and `weather` of `getWeather`."""
    words = re.split(r"[\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name))
    return [word.lower() for word in words if len(word) > 2]


class _Candidates:
    """Words and numbers for arguments: first those of the tool's clause, then those of the whole message."""

    def __init__(self, message_text: str, start: int, end: int, ignored: set[str]) -> None:
        quoted = [(m.start(), m.group(m.lastindex or 0)) for m in QUOTED.finditer(message_text)]
        proper = [(m.start(), m.group()) for m in PROPER.finditer(message_text) if m.group().lower() not in ignored]
        plain = [(m.start(), m.group()) for m in WORD.finditer(message_text) if m.group().lower() not in ignored]
        plain.sort(key=lambda pair: -len(pair[1]))
        numbers = [(m.start(), m.group()) for m in NUMBER.finditer(message_text)]

        def nearest(pairs: list[tuple[int, str]]) -> list[str]:
            return [text for pos, text in pairs if start <= pos < end] + [text for _, text in pairs]

        self._words = list(dict.fromkeys(nearest(quoted + proper) + nearest(plain))) or ["example"]
        self._numbers = nearest(numbers)

    def word(self) -> str:
        """The next word; the last one is returned again and again."""
        return self._words.pop(0) if len(self._words) > 1 else self._words[0]

    def number(self, whole: bool) -> float:
        """The next number, an integer if `whole`; 3 if there is none left."""
        fitting = [text for text in self._numbers if not (whole and "." in text)]
        if not fitting:
            return 3
        self._numbers = [text for text in self._numbers if text != fitting[0]]
        return float(fitting[0]) if "." in fitting[0] else int(fitting[0])


def _fill(schema: Json, root: Json, candidates: _Candidates, depth: int) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "integer":
        return int(_within(candidates.number(whole=True), schema))
    if kind == "number":
        return _within(candidates.number(whole=False), schema)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if kind == "array":
        items, least = _mapping(schema.get("items")), schema.get("minItems", 1)
        # A schema may refer to itself; the depth limit ends the recursion.
        wanted = 0 if depth > MAX_DEPTH else max(1, min(least, 5)) if isinstance(least, int) else 1
        return [_fill(items, root, candidates, depth + 1) for _ in range(wanted)]
    if kind == "object":
        return _fill_object(schema, root, candidates, depth) or {"note": candidates.word()}
    return candidates.word()


def _fill_object(schema: Json, root: Json, candidates: _Candidates, depth: int) -> Json:
    schema = _resolved(schema, root)
    properties = _mapping(schema.get("properties"))
    # A schema without `required` gets all properties, because a call without arguments would demonstrate nothing.
    required = schema.get("required")
    names = [] if depth > MAX_DEPTH else required if isinstance(required, list) else list(properties)
    return {name: _fill(_mapping(properties.get(name)), root, candidates, depth + 1) for name in names}


def _resolved(schema: Json, root: Json) -> Json:
    """`schema` with references resolved, one branch of a union chosen, and `allOf` merged."""
    for _ in range(MAX_DEPTH):
        branches = schema.get("anyOf") or schema.get("oneOf")
        if reference := schema.get("$ref"):
            target: Any = root
            for step in str(reference).lstrip("#/").split("/"):
                target = _mapping(target).get(step)
            schema = _mapping(target)
        elif branches:
            real = [branch for branch in branches if _mapping(branch).get("type") != "null"]
            schema = _mapping((real or branches)[0])
        elif "allOf" in schema:
            merged = {key: value for key, value in schema.items() if key != "allOf"}
            for branch in schema["allOf"]:
                merged |= _resolved(_mapping(branch), root)
            schema = merged
        else:
            break
    return schema


def _within(number: float, schema: Json) -> float:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(most, int | float) and number > most:
        return most
    return least if isinstance(least, int | float) and number < least else number


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


# -- reading the conversation


def _declared_tools(body: Json) -> list[Json]:
    """The function objects of `tools`, or of the legacy `functions`."""
    modern = [tool["function"] for tool in body.get("tools") or [] if "function" in tool]
    return modern or list(body.get("functions") or [])


def _last_user(messages: Sequence[Json]) -> int:
    return max((pos for pos, message in enumerate(messages) if message.get("role") == "user"), default=-1)


def _last_user_text(messages: Sequence[Json]) -> str:
    pos = _last_user(messages)
    return _text_of(messages[pos]) if pos >= 0 else ""


def _results(messages: Sequence[Json]) -> list[tuple[str, str]]:
    """Name and text of each tool result after the last user message."""
    names = {
        call.get("id"): _mapping(call.get("function")).get("name")
        for message in messages
        for call in message.get("tool_calls") or []
    }
    since = messages[_last_user(messages) + 1 :]
    return [
        (message.get("name") or names.get(message.get("tool_call_id")) or "tool", _text_of(message))
        for message in since
        if message.get("role") in ("tool", "function")
    ]


def _text_of(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in map(_mapping, content) if part.get("type") == "text")
    return content if isinstance(content, str) else ""


def _plain_answer(body: Json) -> str:
    results = _results(body["messages"])
    if results:
        return "Here is what I found.\n" + "\n".join(f"- {name}: {_short(text)}" for name, text in results)
    message_text = _short(_last_user_text(body["messages"])) or "nothing"
    return f"Hello! I am a pretend model and only call tools. You said: {message_text}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTE else text[:MAX_QUOTE] + "…"


def _thought(model: PretendModel, body: Json, thought: str) -> str:
    switches = _mapping(body.get("chat_template_kwargs"))
    off = body.get("reasoning_effort") == "none" or False in (switches.get("enable_thinking"), switches.get("thinking"))
    if off or not model.thinks:
        return ""
    return f"<think>{thought}</think>\n" if model.thinks == "tags" else f"{thought}</think>"


# -- writing: one function for each syntax


def _write_glm45(calls: Sequence[Call]) -> str:
    def pair(key: str, value: Any) -> str:
        return f"<arg_key>{key}</arg_key>\n<arg_value>{_plain(value)}</arg_value>\n"

    return "\n".join(f"<tool_call>{call.name}\n{_each(call, pair)}</tool_call>" for call in calls)


def _write_glm47(calls: Sequence[Call]) -> str:
    def pair(key: str, value: Any) -> str:
        return f"<arg_key>{key}</arg_key><arg_value>{_plain(value)}</arg_value>"

    return "".join(f"<tool_call>{call.name}{_each(call, pair)}</tool_call>" for call in calls)


def _write_hermes(calls: Sequence[Call]) -> str:
    return "\n".join(f"<tool_call>\n{_as_json(call)}\n</tool_call>" for call in calls)


def _write_qwen3_coder(calls: Sequence[Call]) -> str:
    return _functions(calls, lambda key, value: f"<parameter={key}>\n{_plain(value)}\n</parameter>\n")


def _write_mimo(calls: Sequence[Call]) -> str:
    return _functions(calls, lambda key, value: f"<parameter={key}>{_plain(value)}</parameter>\n")


def _functions(calls: Sequence[Call], pair: Callable[[str, Any], str]) -> str:
    return "\n".join(
        f"<tool_call>\n<function={call.name}>\n{_each(call, pair)}</function>\n</tool_call>" for call in calls
    )


def _write_claude(calls: Sequence[Call]) -> str:
    def pair(key: str, value: Any) -> str:
        return f'<parameter name="{key}">{_plain(value)}</parameter>\n'

    return _wrapped(f'<invoke name="{call.name}">\n{_each(call, pair)}</invoke>\n' for call in calls)


def _write_claude_legacy(calls: Sequence[Call]) -> str:
    def pair(key: str, value: Any) -> str:
        return f"<{key}>{_plain(value)}</{key}>\n"

    return _wrapped(
        f"<invoke>\n<tool_name>{call.name}</tool_name>\n<parameters>\n{_each(call, pair)}</parameters>\n</invoke>\n"
        for call in calls
    )


def _wrapped(blocks: Iterable[str]) -> str:
    return f"<function_calls>\n{''.join(blocks)}</function_calls>"


def _write_lmstudio(calls: Sequence[Call]) -> str:
    return "\n".join(f"[TOOL_REQUEST]{_as_json(call)}[END_TOOL_REQUEST]" for call in calls)


def _each(call: Call, pair: Callable[[str, Any], str]) -> str:
    return "".join(pair(key, value) for key, value in call.arguments.items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_json(call: Call) -> str:
    return json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)


HERMES = PretendModel("hermes-3-llama-3.1-8b", _write_hermes)

MODELS = (
    PretendModel("glm-4.5-air", _write_glm45, lead="Let me look that up.\n", thinks="tags"),
    PretendModel("glm-4.7", _write_glm47, thinks="opened"),
    HERMES,
    PretendModel("qwen2.5-7b-instruct", _write_hermes, lead="One moment.\n"),
    PretendModel("qwen3-coder-30b", _write_qwen3_coder, lead="I will use the tools.\n\n"),
    PretendModel("mimo-v2-flash", _write_mimo),
    PretendModel("claude-distill", _write_claude, lead="I'll check that for you.\n\n"),
    PretendModel("claude-legacy", _write_claude_legacy, aliases=("claude-2.1", "claude-instant-1.2")),
    PretendModel("lmstudio-default", _write_lmstudio),
    PretendModel("native", None),
)

# Parts of tool names that are common words in any message.
COMMON = {"and", "are", "can", "for", "get", "how", "the", "use", "you"}
QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|(?<!\w)\'([^\']+)\'(?!\w)')
# A capitalised word, but neither "I" nor the first word of a sentence.
PROPER = re.compile(r"(?<!^)(?<![.!?]\s)\b[A-ZÀ-Þ][^\W\d_]+(?: [A-ZÀ-Þ][^\W\d_]+)*")
WORD = re.compile(r"[^\W\d_]+")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![A-Za-z0-9_])")
MAX_DEPTH = 6  # levels of generated arguments
MAX_QUOTE = 400  # characters
