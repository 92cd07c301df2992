"""Many cases in one test: each of them is tried, and one failure lists all that failed.

A test of pytest costs milliseconds before it does anything. Where cases need microseconds, they share a test.
"""

from __future__ import annotations

import inspect
import itertools
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

Test = Callable[..., None]
Case = tuple[str, dict[str, Any]]
"""A name, and the arguments of the test that it stands for."""

SHOWN = 10
"""Failed cases whose traceback is shown; of the others only the names are."""

tried = 0
"""Cases that have been tried in this process; conftest.py reports the sum of all processes."""


def in_one_test(
    argnames: str | tuple[str, ...], values: Iterable[Any], ids: Iterable[str] | Callable[[Any], str] | None = None
) -> Callable[[Test], Test]:
    """Like `pytest.mark.parametrize`, but one test tries all values; several of these multiply.

    The cases share the fixtures of their test. A fixture with a method `forget` is told when the next case begins.
    """
    cases = _cases(argnames, values, ids)

    def decorate(test: Test) -> Test:
        own = getattr(test, "cases", [("", {})])
        product = [
            (f"{name}-{more}" if more else name, {**arguments, **others})
            for (name, arguments), (more, others) in itertools.product(cases, own)
        ]
        return _looping(getattr(test, "once", test), product)

    return decorate


def in_one_test_each(
    argname: str, groups: Mapping[str, Iterable[Any]], ids: Callable[[Any], str] | None = None
) -> Callable[[Test], Test]:
    """One test for each group, which tries all values of that group."""

    def decorate(test: Test) -> Test:
        of_group = {group: _cases(argname, values, ids) for group, values in groups.items()}
        names = [name for name in inspect.signature(test).parameters if name != argname]

        def loop(group: str, **fixtures: Any) -> None:
            _try_all(test, of_group[group], fixtures)

        return pytest.mark.parametrize("group", of_group)(_named(loop, test, ["group", *names]))

    return decorate


def _cases(
    argnames: str | tuple[str, ...], values: Iterable[Any], ids: Iterable[str] | Callable[[Any], str] | None
) -> list[Case]:
    names = tuple(part.strip() for part in argnames.split(",")) if isinstance(argnames, str) else argnames
    found = list(values)
    told = list(map(ids or _id, found)) if ids is None or callable(ids) else list(ids)
    rows = [(value,) if len(names) == 1 else tuple(value) for value in found]
    return [(name, dict(zip(names, row, strict=True))) for name, row in zip(told, rows, strict=True)]


def _id(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def _looping(test: Test, cases: list[Case]) -> Test:
    taken = {name for _, arguments in cases for name in arguments}
    names = [name for name in inspect.signature(test).parameters if name not in taken]

    def loop(**fixtures: Any) -> None:
        _try_all(test, cases, fixtures)

    looping = _named(loop, test, names)
    looping.once, looping.cases = test, cases  # type: ignore[attr-defined]
    return looping


def _named(loop: Test, test: Test, parameters: Iterable[str]) -> Test:
    """The loop under the name of the test, with what is left of its parameters, so that pytest finds the fixtures."""
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(loop, name, getattr(test, name))
    kind = inspect.Parameter.KEYWORD_ONLY
    loop.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in parameters])  # type: ignore[attr-defined]
    loop.pytestmark = list(getattr(test, "pytestmark", []))  # type: ignore[attr-defined]
    return loop


def _try_all(test: Test, cases: list[Case], fixtures: Mapping[str, Any]) -> None:
    global tried
    __tracebackhide__ = True
    assert cases, "no cases"
    failed: dict[str, BaseException] = {}
    for name, arguments in cases:
        tried += 1
        for fixture in fixtures.values():
            if hasattr(fixture, "forget"):
                fixture.forget()
        try:
            test(**fixtures, **arguments)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - told below, with all others
            failed[name] = error
    if failed:
        shown = [_told(name, error) for name, error in itertools.islice(failed.items(), SHOWN)]
        names = f"{len(failed)} of {len(cases)} cases failed: {', '.join(failed)}"
        raise AssertionError("\n\n".join([names, *shown]))


def _told(name: str, error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list(told.stack[1:])  # without the loop itself
    return f"-- {name} --\n{''.join(told.format())}"
