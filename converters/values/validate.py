"""Whether finished arguments fit their schema, by jsonschema: what the type of each value was not enough to say.

A schema is a client's and arguments are a model's, so both are bounded: nothing is fetched, no regex of the one is
tried on the other, and what would take too long is not judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from converters.text.expectations import Schema

_MOST_VALUES = 20_000
_MOST_REFERENCES = 5_000
_LONGEST_SCHEMA = 200_000
_MOST_UNIQUE = 500
_MOST_TOLD = 5
_NOTHING_IS_FETCHED: Registry[Any] = Registry()

_references: ContextVar[int] = ContextVar("references followed in this validation")

Keyword = Callable[[Any, Any, Any, Mapping[str, Any]], Iterator[ValidationError] | None]


class _TooLong(Exception):
    """References are followed without an end in sight."""


def misfits(arguments: str, schema: Schema) -> list[str]:
    """Where in the schema stands what the arguments break, as JSON pointers; empty if they fit or nobody can tell."""
    if arguments.count(",") > _MOST_VALUES:
        return []
    validator = _validator(json.dumps(schema))
    if validator is None:
        return []
    _references.set(0)
    try:
        errors = islice(validator.iter_errors(json.loads(arguments)), _MOST_TOLD)
        return ["".join(f"/{step}" for step in error.absolute_schema_path) for error in errors]
    except json.JSONDecodeError:
        return [""]
    except (Unresolvable, RecursionError, OverflowError, ValueError, _TooLong):  # ValueError: a number too long for it
        return []


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any | None:
    """The validator of a schema in JSON; None for one that is none, or is too long."""
    if len(schema) > _LONGEST_SCHEMA:
        return None
    loaded = json.loads(schema)
    kind = validators.validator_for(loaded, default=Draft202012Validator)
    try:
        kind.check_schema(loaded)
    except (SchemaError, RecursionError):
        return None
    return _bounded(kind)(loaded, registry=_NOTHING_IS_FETCHED)


@cache
def _bounded(kind: Any) -> Any:
    """A draft's validator whose cost is bounded."""
    own: dict[str, Keyword] = {
        "pattern": _not_tried,
        "patternProperties": _not_tried,
        "unevaluatedProperties": _not_tried,
        "$dynamicRef": _not_tried,
        "$recursiveRef": _not_tried,
    }
    bounds = {"$ref": _counted, "uniqueItems": _of_few, "additionalProperties": _without_patterns}
    own |= {word: bound(kind.VALIDATORS[word]) for word, bound in bounds.items() if word in kind.VALIDATORS}
    return validators.extend(kind, own)  # type: ignore[no-untyped-call]


def _not_tried(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> None:
    """A regex could run for ever on the wrong text."""


def _counted(keyword: Keyword) -> Keyword:
    def followed(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        _references.set(_references.get() + 1)
        if _references.get() > _MOST_REFERENCES:
            raise _TooLong
        return keyword(validator, value, instance, schema)

    return followed


def _of_few(keyword: Keyword) -> Keyword:
    def few(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        many = isinstance(instance, list) and len(instance) > _MOST_UNIQUE  # each is held against each
        return None if many else keyword(validator, value, instance, schema)

    return few


def _without_patterns(keyword: Keyword) -> Keyword:
    def none(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        return None if "patternProperties" in schema else keyword(validator, value, instance, schema)

    return none
