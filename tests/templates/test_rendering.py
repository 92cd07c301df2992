"""Rendering: what Transformers offers is there, and a hostile template ends in time, in memory and in one line."""

from __future__ import annotations

import time
from typing import Any

import pytest

from converters.learning.conversations import NotRendered
from templates.rendering import Rendering
from tests.cases import in_one_test

pytestmark = pytest.mark.long

HOSTILE = {
    "endless loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "endless in a macro": "{% macro a() %}{% for i in range(99999) %}{{ a() }}{% endfor %}{% endmacro %}{{ a() }}",
    "deep recursion": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "deep expression": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "deep blocks": "{% for i in range(9) %}" * 90 + "{% endfor %}" * 90,
    "huge output": "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
    "huge text": "{{ 'x' * 9999999999 }}",
    "doubling": "{% set ns = namespace(a='x') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "huge list": "{% set a = [1] * 999999999 %}{{ a | length }}",
    "center": "{{ 'x'.center(9999999999) }}",
    "center as a filter": "{{ 'x' | center(9999999999) }}",
    "percent": "{{ '%9999999999d' % 1 }}",
    "indent": "{{ 'x' | indent(9999999999, true) }}",
    "huge number": "{{ 9 ** 9999999999 }}",
    "attributes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attributes by a filter": "{{ (messages | attr('append')).__globals__ }}{{ raise_exception('nothing got out') }}",
    "attributes of a function": "{{ raise_exception.__globals__['json'] }}",
    "format string": "{{ '{0.__class__.__mro__}'.format(messages) }}{{ raise_exception('nothing got out') }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "syntax": "{% if %}",
    "unknown name": "{{ open('/etc/passwd').read() }}",
}


@in_one_test("template", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_ends_with_one_line(template: str) -> None:
    started = time.monotonic()
    with pytest.raises(NotRendered) as raised, Rendering(template) as rendering:
        rendering({"messages": [{"role": "user", "content": "hi"}]})
    assert str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 400
    assert time.monotonic() - started < 6  # three seconds of its own, and a machine that is busy


def test_behind_a_template_that_was_ended_nothing_is_rendered() -> None:
    with Rendering(f"{{% if messages %}}{HOSTILE['endless loop']}{{% endif %}}") as ends:
        assert ends({"messages": []}) == ""
        for _ in range(2):
            with pytest.raises(NotRendered, match="within its bounds"):
                ends({"messages": [1]})
        started = time.monotonic()
        with pytest.raises(NotRendered, match="within its bounds"):
            ends({"messages": [2]})
        assert time.monotonic() - started < 1


def rendered(template: str, **variables: Any) -> str:
    with Rendering(template, {"bos_token": "<s>"}) as rendering:
        return rendering(variables)


OFFERED = {
    "tojson as it is": ("{{ x | tojson }}", '{"a": "<é>", "b": [1, null]}'),
    "tojson indented": ("{{ x.b | tojson(indent=1) }}", "[\n 1,\n null\n]"),
    "tojson in ASCII": ("{{ x.a | tojson(ensure_ascii=true) }}", '"<\\u00e9>"'),
    "tojson's separators": ("{{ x | tojson(separators=(',', ':')) }}", '{"a":"<é>","b":[1,null]}'),
    "tojson sorted": ("{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}", '{"a": 2, "b": 1}'),
    "tojson of a generator": ("{{ x.b | map('string') | tojson }}", '["1", "None"]'),
    "from_json": ("{{ ('[1]' | from_json)[0] }}", "1"),
    "strftime_now": ("{{ strftime_now('%Y') }}", "2026"),
    "generation": ("{% generation %}a{% endgeneration %}", "a"),
    "loop controls": ("{% for i in x.b %}{% break %}{% endfor %}b", "b"),
    "a list that is changed": ("{% set l = [] %}{% set _ = l.append(1) %}{{ l }}", "[1]"),
    "trimmed blocks": ("{% if true %}\na\n{% endif %}\nb", "a\nb"),
    "what the tokenizer tells": ("{{ bos_token }}", "<s>"),
}


@in_one_test("template, wanted", OFFERED.values(), ids=OFFERED)
def test_what_transformers_offers(template: str, wanted: str) -> None:
    assert rendered(template, x={"a": "<é>", "b": [1, None]}) == wanted


def test_a_template_may_refuse_in_its_own_words() -> None:
    with pytest.raises(NotRendered, match="TemplateError: roles must alternate"):
        rendered("{{ raise_exception('roles must\\nalternate') }}")
