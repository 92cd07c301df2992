"""Validation of finished arguments against the schema of their tool, by jsonschema.

Schemas come from clients and arguments from models, so neither is trusted: validation takes bounded time, fetches
nothing, and runs no regular expression of a schema.
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
from converters.values.plain_schema import surely_fits

_MOST_COMMAS = 20_000
"""In the arguments: a cheap bound on the number of values to validate."""
_MOST_REFERENCES = 5_000
"""References followed in one validation: few lines of `$ref` can unfold without end."""
_LONGEST_SCHEMA = 200_000
"""Length in characters of the schema as JSON."""
_MOST_UNIQUE = 500
"""Items of an array checked by `uniqueItems`, which compares each pair."""
_MOST_ERRORS = 5
"""Errors that one validation reports."""
_EMPTY_REGISTRY: Registry[Any] = Registry()
"""Without documents and without a way to retrieve any."""

_references: ContextVar[int] = ContextVar("references followed in this validation")

Keyword = Callable[[Any, Any, Any, Mapping[str, Any]], Iterator[ValidationError] | None]


class _TooManyReferences(Exception):
    """A validation has followed more than _MOST_REFERENCES."""


def misfits(arguments: str, schema: Schema) -> list[str]:
    """Return the rules of a schema that arguments violate, as JSON pointers into the schema.

    `arguments` is JSON text, and `schema` is the JSON Schema that the client declared. Its `$schema` chooses the
    draft; 2020-12 is the default. At most five pointers are returned, such as `/properties/days/type`; the pointer is
    empty if the arguments are not JSON. The list is empty if the arguments fit.

    It is also empty where the check would have no bound or no meaning, as a false alarm is worse than none:

    - the schema is invalid, refers to what it does not contain, or is longer than 200,000 characters
    - the arguments hold more than 20,000 commas, which bounds the number of values
    - more than 5,000 references are followed, or they nest deeper than Python's stack

    `pattern` and `patternProperties` are ignored, as a regular expression can take exponential time. `uniqueItems` is
    ignored beyond 500 items, as it compares each pair. Raises nothing for any arguments or schema.
    """
    if arguments.count(",") > _MOST_COMMAS:
        return []
    try:
        value = json.loads(arguments)
        if surely_fits(value, schema) or (validator := _validator(json.dumps(schema))) is None:
            return []
        _references.set(0)
        errors = islice(validator.iter_errors(value), _MOST_ERRORS)
        return ["".join(f"/{step}" for step in error.absolute_schema_path) for error in errors]
    except json.JSONDecodeError:
        return [""] if _validator(json.dumps(schema)) is not None else []
    except (Unresolvable, RecursionError, OverflowError, _TooManyReferences):
        return []
    except ValueError:  # an integer longer than Python converts
        return []


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any | None:
    """The validator for a schema, given as JSON text; None if it is invalid or too long."""
    if len(schema) > _LONGEST_SCHEMA:
        return None
    loaded = json.loads(schema)
    kind = validators.validator_for(loaded, default=Draft202012Validator)
    try:
        kind.check_schema(loaded)
    except (SchemaError, RecursionError):
        return None
    return _bounded(kind)(loaded, registry=_EMPTY_REGISTRY)


@cache
def _bounded(kind: Any) -> Any:
    """The validator class of a draft with its costly keywords ignored or bounded."""
    own: dict[str, Keyword] = {
        "pattern": _ignored,
        "patternProperties": _ignored,
        "unevaluatedProperties": _ignored,
        "$dynamicRef": _ignored,
        "$recursiveRef": _ignored,
    }
    bounds = {"$ref": _counted, "uniqueItems": _for_short_arrays, "additionalProperties": _without_patterns}
    own |= {word: bound(kind.VALIDATORS[word]) for word, bound in bounds.items() if word in kind.VALIDATORS}
    return validators.extend(kind, own)  # type: ignore[no-untyped-call]


def _ignored(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> None:
    """Accepts everything: these keywords run regular expressions, or references that are not counted."""


def _counted(keyword: Keyword) -> Keyword:
    """The keyword, counting its uses in this validation. Raises _TooManyReferences."""

    def counted(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        _references.set(_references.get() + 1)
        if _references.get() > _MOST_REFERENCES:
            raise _TooManyReferences
        return keyword(validator, value, instance, schema)

    return counted


def _for_short_arrays(keyword: Keyword) -> Keyword:
    """The keyword, ignored for arrays of more than _MOST_UNIQUE items."""

    def bounded(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        is_long = isinstance(instance, list) and len(instance) > _MOST_UNIQUE
        return None if is_long else keyword(validator, value, instance, schema)

    return bounded


def _without_patterns(keyword: Keyword) -> Keyword:
    """The keyword, ignored where `patternProperties` would decide which members it applies to."""

    def bounded(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        return None if "patternProperties" in schema else keyword(validator, value, instance, schema)

    return bounded
