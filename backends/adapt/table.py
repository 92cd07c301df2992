"""The table of adaptations: what can be changed of a chat request so that a backend takes it.

Each is a pure function. They are applied in the order of the table: what a later one needs stands before it. Which are
asked for is decided elsewhere: by refusals (refusals.py), or at once for losses that nobody would notice (silent.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from backends.adapt import arguments, calls, contents, fields, roles, tools
from backends.adapt.facts import Apply, Facts, Request
from backends.adapt.messages import on_each, on_each_call, on_messages
from backends.adapt.prompted import prompted

__all__ = ["ADAPTATIONS", "BY_NAME", "Adaptation", "Facts", "Request", "adapted", "applied"]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """One way to change a request."""

    name: str
    does: str
    """One line for people."""
    loses: str
    """What the backend does not get any more; one line."""
    apply: Apply
    learned: bool = True
    """Whether it is a fact of the backend and its template, so that the next request starts with it. Else it is a fact
    of one history."""
    at_once: bool = False
    """Whether it may be applied before a refusal, where a template is known to lose something, or to refuse it."""


_NOTHING = "nothing"

_HISTORY: tuple[Adaptation, ...] = (
    Adaptation(
        "functions",
        "`functions`, `function_call` and their results become tools, choices and calls",
        _NOTHING,
        tools.functions,
        at_once=True,
    ),
    Adaptation(
        "content_text",
        "a content that is a list of texts becomes one text, its parts joined by line ends",
        "the borders of the parts and what else they say (`cache_control`); images stay lists",
        on_each(contents.content_text),
        at_once=True,
    ),
    Adaptation(
        "result_images",
        "images in results of tools stand in a message of the user behind the results",
        _NOTHING,
        on_messages(contents.result_images),
    ),
    Adaptation(
        "developer",
        "the role `developer` becomes `system`",
        "the difference between the two",
        on_each(roles.developer),
        at_once=True,
    ),
    Adaptation(
        "without_nulls",
        "members that are null or an empty list leave messages and calls, but for `content`",
        _NOTHING,
        on_each(contents.without_nulls),
    ),
    Adaptation(
        "ids_unique",
        "an id of a call that was there before, or is missing, becomes a new one, with its results",
        "the ids that the client chose",
        on_messages(calls.ids_unique),
        learned=False,
    ),
    Adaptation(
        "order_results",
        f"results follow their calls in order; others are said by the user; a missing one is `{calls.NO_RESULT}`",
        "the order in which results came, and the ids and names of results without a call",
        on_messages(calls.order_results),
        learned=False,
    ),
    Adaptation(
        "arguments_raw",
        'arguments of past calls that are no JSON object become `{"_raw": "…"}`; empty ones become `{}`',
        _NOTHING,
        on_each_call(arguments.arguments_raw),
        learned=False,
    ),
    Adaptation(
        "prompted",
        "tools leave the request and stand in the system prompt; past calls and results become text",
        "the server's own parsing and grammar; images in results become text that says so",
        prompted,
        at_once=True,
    ),
    Adaptation(
        "arguments_text",
        "arguments of past calls that are objects become JSON text",
        _NOTHING,
        on_each_call(arguments.arguments_text),
    ),
    Adaptation(
        "arguments_object",
        "arguments of past calls become objects",
        "keys that one object has twice, and blanks of the JSON",
        on_each_call(arguments.arguments_object),
        at_once=True,
    ),
    Adaptation(
        "one_call",
        "a message with several calls becomes call, result, call, result …",
        "that the calls were made at once",
        on_messages(calls.one_call),
        at_once=True,
    ),
    Adaptation(
        "ids_nine",
        "ids of calls become nine letters and digits, in calls and results",
        "the ids that the client chose",
        on_messages(calls.ids_nine),
        at_once=True,
    ),
)

_CONVERSATION: tuple[Adaptation, ...] = (
    Adaptation(
        "system_first",
        "all system and developer texts become one system message at the front, joined by a blank line",
        "where later ones stood",
        on_messages(roles.system_first),
        at_once=True,
    ),
    Adaptation(
        "system_in_user",
        "all system and developer texts stand before the first text of the user",
        "that they are the system's, and where later ones stood",
        on_messages(roles.system_in_user),
        at_once=True,
    ),
    Adaptation(
        "prefill_dropped",
        "a message of the assistant at the end that says nothing leaves",
        _NOTHING,
        on_messages(roles.prefill_dropped),
    ),
    Adaptation(
        "assistant_between",
        f"between a result and the next message of the user the assistant says `{roles.BETWEEN}`",
        "nothing; a turn is made up",
        on_messages(roles.assistant_between),
    ),
    Adaptation(
        "alternate",
        "neighbours of one role are joined by a blank line; before an assistant that speaks first the user says "
        f"`{roles.START}`",
        "the borders of the messages, and what else but text, calls and reasoning the later ones say (`name`)",
        on_messages(roles.alternate),
        at_once=True,
    ),
    Adaptation(
        "text_apart",
        "the assistant's text beside a call becomes a message of its own before the call",
        "that both were one message",
        on_messages(roles.text_apart),
        at_once=True,
    ),
    Adaptation(
        "content_empty",
        'a content that is null or missing becomes `""`',
        _NOTHING,
        on_each(contents.content_empty),
        at_once=True,
    ),
    Adaptation(
        "content_space",
        "a content that is empty, null or missing becomes a space",
        _NOTHING,
        on_each(contents.content_space),
        at_once=True,
    ),
    Adaptation(
        "reasoning_empty",
        'a message of the assistant without `reasoning_content` gets `""`',
        _NOTHING,
        on_each(contents.reasoning_empty),
    ),
    Adaptation(
        "without_reasoning",
        "the reasoning of earlier turns leaves",
        "that reasoning",
        on_each(contents.without_reasoning),
    ),
    Adaptation("without_name", "`name` leaves the messages", "names of participants", on_each(contents.without_names)),
)

_TOOLS: tuple[Adaptation, ...] = (
    Adaptation(
        "functions_only",
        "tools that are no functions leave",
        "tools of the vendor, such as `web_search`",
        tools.functions_only,
    ),
    Adaptation(
        "tools_tidy",
        "null members and unknown ones leave the tools; empty `parameters` become those of a function without any",
        "members of tools that the API does not name",
        tools.tools_tidy,
    ),
    Adaptation(
        "strict",
        "`strict` leaves the functions",
        "that the server fits arguments strictly",
        tools.on_each_function(tools.strict),
    ),
    Adaptation(
        "schema_simple",
        "keywords that only validate leave the schemas (`pattern`, `format` …), `$ref` is inlined, `anyOf` of one too",
        "those keywords for the backend; arguments are validated here with the client's schema",
        tools.on_each_function(tools.schema_simple),
    ),
    Adaptation(
        "choice_required",
        "a named `tool_choice` becomes `required`, with that tool alone",
        "the other tools, which could not be called",
        tools.choice_required,
    ),
    Adaptation(
        "choice_auto",
        "a required or named `tool_choice` becomes `auto`",
        "that the server makes the model keep it; with `HEAL=retry` it is asked again",
        tools.choice_auto,
    ),
    Adaptation(
        "raw",
        '`tool_choice` becomes `"none"` while the tools stay: the server gives raw text, which is read here',
        "the server's own parsing and grammar",
        tools.raw,
    ),
)

_FIELDS: tuple[Adaptation, ...] = (
    Adaptation(
        "thinking_off",
        "thinking is off where the request ends with a text of the assistant",
        "thinking in that answer",
        roles.thinking_off,
    ),
    Adaptation(
        "effort_none",
        '`think` or a setting of the template that turns thinking off is also said as `reasoning_effort: "none"`',
        _NOTHING,
        fields.effort_none,
        at_once=True,
    ),
    Adaptation(
        "max_tokens",
        "`max_completion_tokens` is named `max_tokens`",
        "that reasoning counts, where a server tells the two apart",
        fields.renamed("max_completion_tokens", "max_tokens"),
        at_once=True,
    ),
    Adaptation(
        "max_completion_tokens",
        "`max_tokens` is named `max_completion_tokens`",
        _NOTHING,
        fields.renamed("max_tokens", "max_completion_tokens"),
    ),
    Adaptation(
        "stream_options",
        "`stream_options` leaves the request",
        "usage at the end of a stream",
        fields.without_field("stream_options"),
    ),
    *(
        Adaptation(f"without_{field}", f"`{field}` leaves the request", loses, fields.without_field(field))
        for field, loses in fields.DROPPABLE.items()
    ),
)

ADAPTATIONS: tuple[Adaptation, ...] = (*_HISTORY, *_CONVERSATION, *_TOOLS, *_FIELDS)
"""In the order in which they are applied."""

BY_NAME: Mapping[str, Adaptation] = {each.name: each for each in ADAPTATIONS}


def adapted(body: Request, names: Collection[str], facts: Facts) -> Request:
    """The request with these adaptations, in the order of the table. Unknown names mean nothing."""
    return applied(body, names, facts)[0]


def applied(body: Request, names: Collection[str], facts: Facts) -> tuple[Request, tuple[str, ...]]:
    """The same, and the names of those that changed something."""
    effective: list[str] = []
    for each in ADAPTATIONS:
        if each.name in names and (changed := each.apply(body, facts)) is not body:
            body = changed
            effective.append(each.name)
    return body, tuple(effective)
