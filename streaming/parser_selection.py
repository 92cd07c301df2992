"""Selects the parser of a model's answers, and whether an answer begins inside reasoning."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Literal

from config import Config
from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from converters.factory import converter_factory
from converters.stages.pipeline import Pipeline, new_parser
from converters.syntaxes import Syntax, ThinkingFamily
from converters.text.expectations import Expectations
from converters.thinking import asked, family_of, left_open
from dialects.protocol import ParsedRequest
from errors import RequestError
from reply import Notes
from streaming.custom_converter import converter_for, parser_for
from streaming.decision_log import Told
from streaming.headers import SYNTAX
from streaming.model_templates import ModelTemplates
from streaming.reasoning_memory import Habit, ReasoningMemory

_SPLITTERS = frozenset({"llamacpp", "ollama", "openai", "anthropic"})
"""Presets of servers that split reasoning from text themselves."""

_REASONING_MODES: dict[str, Literal["keep", "drop"]] = {"content": "keep", "none": "drop"}


class ParserSelection:
    """Selects parsers by configuration, request and what earlier answers showed."""

    def __init__(self, config: Config, templates: ModelTemplates | None = None) -> None:
        """`templates` are what chat templates tell; unless some are given, those of CHAT_TEMPLATES alone."""
        self._config = config
        self._memory = ReasoningMemory()
        self.templates = templates if templates is not None else ModelTemplates(config, asks=False)
        if config.convert:
            _read_a_sentence()

    def select(
        self, request: ParsedRequest, syntax: str | None, told: Told | None = None
    ) -> tuple[Callable[[], Pipeline], Expectations, Syntax | None]:
        """(a function that makes one parser for each choice, the expectations they share, the row if one is known)

        `syntax` is the row that the request asks for, if it does; `told` is given the decisions of each parser. Raises
        RequestError for a row that does not exist.
        """
        converter = self._converter(request.model, syntax)
        config = self._config
        held = config.heal == "retry" and request.choices == 1  # calls are held behind the parser
        expectations: Expectations = dataclasses.replace(
            request.expectations,
            whole_calls=(request.expectations.whole_calls or config.tool_call_streaming == "whole") and not held,
            buffered=request.expectations.buffered and not held,
            reasoning=_REASONING_MODES.get(config.reasoning_field, "split"),
            strip_end_tokens=config.strip_end_tokens,
            heal=config.heal != "off",
            starts_inside=self._starts_inside(request, converter),
        )
        row = converter.syntax if isinstance(converter, SyntaxConverter) else None
        return lambda: parser_for(converter, expectations, told), expectations, row

    def learn(self, request: ParsedRequest, notes: Notes) -> None:
        """Remember where this model's reasoning started, if the answer showed it."""
        self._memory.learn(self._config.backend_url, request.model, shown_by(request, notes))

    def _converter(self, model: str, syntax: str | None) -> ToolCallConverter:
        if syntax is not None:
            try:
                return converter_factory.get_row(syntax)
            except KeyError:
                rows = ", ".join(converter_factory.row_names())
                message = f"'{SYNTAX}' must be one of: {rows}."
                raise RequestError(message, param=SYNTAX) from None
        for pattern, row in self._config.model_syntax:
            if fnmatchcase(model.lower(), pattern.lower()):
                return converter_factory.get_row(row)
        converter = converter_for(model)
        learned = self.templates.find(model)
        if learned is not None and learned.row is not None and isinstance(converter, SyntaxConverter):
            return SyntaxConverter(learned.row)
        return converter

    def is_by_template(self, model: str, row: Syntax | None) -> bool:
        """Whether a row was selected by the model's chat template, and its name would have selected another one."""
        learned = self.templates.find(model)
        if learned is None or row is None or row is not learned.row:
            return False
        by_name = converter_factory.get_builtin(model).syntax
        return by_name is None or by_name.name != row.name

    def _family(self, request: ParsedRequest, row: Syntax | None) -> ThinkingFamily | None:
        """When the prompt opens the reasoning, as the model's template tells, or else its name."""
        learned = self.templates.find(request.model)
        told = learned.family(row, tools=bool(request.expectations.tools)) if learned is not None else None
        return told or family_of(request.model)

    def _starts_inside(self, request: ParsedRequest, converter: ToolCallConverter) -> bool:
        """Whether the answer begins inside the reasoning. Who is nearer to this one answer is asked first."""
        if self._config.reasoning_prefilled is not None:
            return self._config.reasoning_prefilled
        row = converter.syntax if isinstance(converter, SyntaxConverter) else None
        prompt, family = request.prompt, self._family(request, row)
        if prompt.prefill is not None:
            return left_open(prompt.prefill, row)
        wish = asked(family, prompt)
        if wish is not None:
            return wish
        habit = self._memory.recall(self._config.backend_url, request.model)
        if habit == "splits" or self._config.backend in _SPLITTERS:
            return False
        return habit == "inside" if habit is not None else family is not None and family.opens


def shown_by(request: ParsedRequest, notes: Notes) -> Habit | None:
    """What an answer shows of where the reasoning of its model starts when nobody asks for anything; None for nothing.

    Where the client wrote its beginning or forced what it says, or where something else than the model ended it, it
    shows nothing.
    """
    if notes.cut or request.prompt.prefill is not None or request.expectations.choice == "required":
        return None
    never_closed = "reasoning_never_closed" in notes.codes and not request.prompt.thinking
    found: list[tuple[bool, Habit]] = [
        (notes.splits, "splits"),
        (notes.closes_prefill, "inside"),
        (never_closed, "outside"),
    ]
    shown = [habit for holds, habit in found if holds]
    return shown[0] if len(shown) == 1 else None


def _read_a_sentence() -> None:
    """Have what every answer needs made now. It takes a tenth of a second, in which the first requests would wait."""
    parser = new_parser(Expectations({"a_tool": {}}))
    parser.feed("Hello.")
    parser.finish()
