"""A model's text, read as the proxy reads a buffered answer: the same settings, selection of parsers and writer."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backends.chat import ChatReplyReader
from backends.protocol import ReplyContext
from command.given import Tool, settings, text_of, tools_of
from command.subcommand import CommandError
from config import Config
from converters.factory import converter_factory
from converters.stages.pipeline import Pipeline
from converters.stages.tracing import Decision
from converters.text.expectations import Expectations
from dialects.chat import Chat
from dialects.protocol import ParsedRequest
from errors import ProxyError
from reply import Notes
from streaming.parser_selection import ParserSelection
from streaming.record import ExchangeRecord

_MOST_PIECES = 65_536
"""An explained text is read in so many pieces at most: the smaller they are, the finer its parts are told apart."""


@dataclass(frozen=True, slots=True)
class ModelText:
    """What a model wrote, and what the request was like."""

    text: str
    tools: Sequence[Tool]
    model: str = ""
    syntax: str | None = None
    """The row that is expected, whatever the model."""
    cut: bool = False
    """`max_tokens` ended it."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What a client gets."""

    message: dict[str, Any]
    finish_reason: str
    syntax: str | None
    outcome: str
    codes: Sequence[str]

    @property
    def has_call(self) -> bool:
        return bool(self.message.get("tool_calls"))


def add_text_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what the model wrote, and which request it answered."""
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="what the model wrote; - is standard input"
    )
    parser.add_argument(
        "--tools",
        action="append",
        default=[],
        metavar="FILE",
        help="the declared tools as JSON: a list, or a request with `tools`; without tools nothing is read as a call",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", default="", metavar="NAME", help="the model's name, which says what to expect")
    which.add_argument("--syntax", metavar="ROW", help="the row that is expected (`dragoman syntaxes` lists them)")
    parser.add_argument("--cut", action="store_true", help="max_tokens ended the text (finish_reason: length)")


def text_given(options: argparse.Namespace) -> ModelText:
    """What `add_text_arguments` asked for. Raises CommandError."""
    if options.syntax is not None and options.syntax not in converter_factory.row_names():
        raise CommandError(f"--syntax {options.syntax}: takes a row of `dragoman syntaxes`")
    if options.file in options.tools:
        raise CommandError("FILE and --tools are the same file")
    tools = tools_of(options.tools)
    return ModelText(text_of(options.file), tools, options.model, options.syntax, options.cut)


def converted(given: ModelText) -> Converted:
    """What a client gets of the text in a buffered answer. Raises CommandError."""
    config = _alone(settings())
    chat = Chat(config.reasoning_field)
    request = _request(chat, given)
    new_parser, expectations, _ = _selected(config, request, given)
    context = ReplyContext(new_parser, expectations, request.ids, request.choices, request.model)
    reader = ChatReplyReader(context)
    reply = reader.read_whole(_completion(given))
    choice = json.loads(chat.write_whole(reply, request))["choices"][0]
    return _converted(choice, reader.notes)


def decisions(given: ModelText) -> list[Decision]:
    """What became of each character of the text, and why. Raises CommandError."""
    config = _alone(settings())
    request = _request(Chat(config.reasoning_field), given)
    found: list[Decision] = []
    new_parser, _, _ = _selected(config, request, given, found.extend)
    parser = new_parser()
    size = 1 + len(given.text) // _MOST_PIECES
    for start in range(0, len(given.text), size):
        parser.feed(given.text[start : start + size])
    parser.finish(given.cut)
    return found


def _alone(config: Config) -> Config:
    """Nobody can be asked again here."""
    return replace(config, convert=True, heal="repair" if config.heal == "retry" else config.heal)


def _request(chat: Chat, given: ModelText) -> ParsedRequest:
    """The request that the text could be the answer to. Raises CommandError for tools that a client may not send."""
    body = {"model": given.model, "messages": [{"role": "user", "content": ""}], "tools": list(given.tools)}
    try:
        return chat.parse_request(json.dumps({name: value for name, value in body.items() if value != []}).encode())
    except ProxyError as error:
        raise CommandError(f"--tools: {error.message}") from None


def _selected(
    config: Config, request: ParsedRequest, given: ModelText, told: Callable[[Sequence[Decision]], None] | None = None
) -> tuple[Callable[[], Pipeline], Expectations, object]:
    return ParserSelection(config).select(request, given.syntax, told)


def _completion(given: ModelText) -> bytes:
    """The text as a server that knows no tools sends it."""
    message = {"role": "assistant", "content": given.text}
    choice = {"index": 0, "message": message, "finish_reason": "length" if given.cut else "stop"}
    whole = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": given.model, "choices": [choice]}
    return json.dumps(whole).encode()


def _converted(choice: dict[str, Any], notes: Notes) -> Converted:
    record = ExchangeRecord("", "", notes=notes)
    codes = sorted(str(code) for code in notes.codes)
    return Converted(choice["message"], choice["finish_reason"], notes.syntax, record.outcome, codes)


__all__ = ["Converted", "ModelText", "add_text_arguments", "converted", "decisions", "text_given"]
