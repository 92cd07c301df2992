"""Selects the converter for a model: a registered one, else the row that matches the name, else one for all rows."""

from __future__ import annotations

from functools import lru_cache

from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from converters.syntaxes import SYNTAXES, Syntax

_MOST_LEARNED = 1000


class ConverterFactory:
    """The registered converters and the built-in ones. Register at start-up only: it is not locked against threads."""

    def __init__(self) -> None:
        self._registered: list[ToolCallConverter] = []
        self._rows = {syntax.name: SyntaxConverter(syntax) for syntax in SYNTAXES}
        self._any_row = SyntaxConverter(None)
        self._learned: dict[str, SyntaxConverter] = {}
        self._by_name = lru_cache(maxsize=1024)(self._find)  # a new name is matched with the pattern of every row

    def register_converter(self, converter: ToolCallConverter, priority: int | None = None) -> None:
        """Add a converter, which is asked before the built-in ones.

        `priority` is its position among the registered ones, 0 for the first; None adds it at the end.
        """
        pos = len(self._registered) if priority is None else priority
        self._registered.insert(pos, converter)

    def unregister_converter(self, converter: ToolCallConverter) -> None:
        """Remove a registered converter. Raises ValueError if it is not registered."""
        self._registered.remove(converter)

    def get_converter(self, model_name: str) -> ToolCallConverter:
        """The converter for a model. If no name matches, it is the built-in one that recognizes all rows."""
        for converter in self._registered:
            if converter.can_handle_model(model_name):
                return converter
        return self.get_builtin(model_name)

    @property
    def registered(self) -> tuple[ToolCallConverter, ...]:
        """The registered converters, in the order in which they are asked."""
        return tuple(self._registered)

    def get_builtin(self, model_name: str) -> SyntaxConverter:
        """The built-in converter for a model: of the row that its name matches, else the one for all rows."""
        return self._by_name(model_name)

    def _find(self, model_name: str) -> SyntaxConverter:
        for converter in self._rows.values():
            if converter.can_handle_model(model_name):
                return converter
        return self._any_row

    def get_row(self, name: str) -> ToolCallConverter:
        """The converter of a row, by the row's name. Raises KeyError for an unknown name."""
        return self._rows.get(name) or self._learned[name]

    def remember(self, row: Syntax) -> None:
        """Keep a learned row, so that a record that names it can be read again. Of too many the oldest goes."""
        self._learned.pop(row.name, None)
        self._learned[row.name] = SyntaxConverter(row)
        while len(self._learned) > _MOST_LEARNED:
            self._learned.pop(next(iter(self._learned)), None)

    def row_names(self) -> list[str]:
        """The names of the rows, as MODEL_SYNTAX and the header x-dragoman-syntax accept them."""
        return list(self._rows)

    def list_supported_models(self) -> list[str]:
        """The class names of the registered converters, then the names of the rows."""
        return [*(type(converter).__name__ for converter in self._registered), *self._rows]


converter_factory = ConverterFactory()
"""The one factory of the process."""
