"""Which converter for which model: registered by hand, then the rows of the table by name, then the bytes alone."""

from __future__ import annotations

from functools import lru_cache

from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from converters.syntaxes import SYNTAXES


class ConverterFactory:
    """Filled at start-up, then only read."""

    def __init__(self) -> None:
        self._registered: list[ToolCallConverter] = []
        self._rows = {syntax.name: SyntaxConverter(syntax) for syntax in SYNTAXES}
        self._unnamed = SyntaxConverter(None)
        self._by_name = lru_cache(maxsize=1024)(self._find)  # as many patterns as rows are tried for each new name

    def register_converter(self, converter: ToolCallConverter, priority: int | None = None) -> None:
        """Put a converter before the built-in ones; `priority` is its position among the registered, 0 the first."""
        pos = len(self._registered) if priority is None else priority
        self._registered.insert(pos, converter)

    def unregister_converter(self, converter: ToolCallConverter) -> None:
        """Take a registered converter out again; ValueError if it is not there."""
        self._registered.remove(converter)

    def get_converter(self, model_name: str) -> ToolCallConverter:
        """The converter for a model. There is always one: a name that says nothing is read by the bytes alone."""
        for converter in self._registered:
            if converter.can_handle_model(model_name):
                return converter
        return self.get_builtin(model_name)

    @property
    def registered(self) -> tuple[ToolCallConverter, ...]:
        """The converters that were registered by hand, in the order in which they are asked."""
        return tuple(self._registered)

    def get_builtin(self, model_name: str) -> SyntaxConverter:
        """The row that a model's name speaks for, or the converter that goes by the bytes alone."""
        return self._by_name(model_name)

    def _find(self, model_name: str) -> SyntaxConverter:
        for converter in self._rows.values():
            if converter.can_handle_model(model_name):
                return converter
        return self._unnamed

    def get_row(self, name: str) -> ToolCallConverter:
        """The converter of a row by the row's name; KeyError if there is no such row."""
        return self._rows[name]

    def row_names(self) -> list[str]:
        """The names of the rows, which MODEL_SYNTAX and x-dragoman-syntax take."""
        return list(self._rows)

    def list_supported_models(self) -> list[str]:
        """The names of the registered converters' classes, then those of the rows."""
        return [*(type(converter).__name__ for converter in self._registered), *self._rows]


converter_factory = ConverterFactory()
"""The one factory of the process."""
