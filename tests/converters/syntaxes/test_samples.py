"""A sample that the grammar cannot take is a clear error when the row is made."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from converters.shapes import grammar
from converters.syntaxes import SYNTAXES, Syntax
from converters.text.samples import SampleError
from tests.cases import in_one_test

TAGGED = {
    "shape": "tagged",
    "call": "<zq={name}>{parameters}</zq>",
    "parameter": "<zqp={key}>{value}</zqp>",
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "name twice in the header": ({"shape": "named_json", "call": "<zq {name}|{name}>{arguments}"}, "{name} twice"),
    "name behind the arguments": ({"shape": "named_json", "call": "<zq>{name}{arguments}</{name}>"}, "{name} twice"),
    "id twice": ({"shape": "named_json", "call": "<zq>{id}:{id}{arguments}</zq>"}, "{id} twice"),
    "no arguments": ({"shape": "named_json", "call": "<zq>{name}</zq>"}, "lacks {arguments}"),
    "no name": ({"shape": "named_json", "call": "<zq>{arguments}</zq>"}, "neither {name} nor {id}"),
    "unknown hole": ({"shape": "named_json", "call": "<zq {tool}>{arguments}"}, "{tool}, which is no hole"),
    "another shape's hole": ({"shape": "json_object", "call": "<zq>{arguments}</zq>"}, "which is no hole"),
    "no opener": ({"shape": "named_json", "call": "{name}:{arguments}</zq>"}, "begins with a hole"),
    "reserved": ({"shape": "json_object", "call": "⟦zq⟧{object}"}, "the grammar itself uses"),
    "group without calls": ({"shape": "json_object", "call": "{object}", "group": "<zq></zq>"}, "lacks {calls}"),
    "group's name behind": (
        {"shape": "json_object", "call": "{object}", "group": "<zq>{calls}</{name}>"},
        "behind the calls",
    ),
    "key twice": ({**TAGGED, "parameter": "<zqp={key} {key}>{value}</zqp>"}, "{key} twice"),
    "value twice": ({**TAGGED, "parameter": "<zqp={key}>{value}|{value}</zqp>"}, "behind {value}"),
    "no end of a value": ({**TAGGED, "parameter": "<zqp={key}>{value}"}, "where a value ends"),
    "no begin of an argument": ({**TAGGED, "parameter": "{key}={value};"}, "begins with a hole"),
    "no parameter": ({**TAGGED, "parameter": ""}, "lacks {key}"),
    "parameter without need": ({"shape": "json_object", "call": "<zq>{object}", "parameter": "<zqp>"}, "no parameters"),
    "another parameter": ({**TAGGED, "also_parameter": ("<zqp>{value}</zqp>",)}, "lacks {key}"),
    "another call": ({**TAGGED, "also_call": ("<zq={name}>",)}, "lacks {parameters}"),
    "no delimiter": ({"shape": "relaxed", "call": "<zq>{name}{arguments}"}, "delimiter '' is missing"),
    "pythonic without group": ({"shape": "pythonic", "call": "{name}({arguments})"}, "begins with a hole"),
    "half of the keys": ({"shape": "json_object", "call": "<zq>{object}", "keys": ("name", "")}, "one key of two"),
    "backtick": ({"shape": "json_object", "call": "`zq`{object}"}, "read as a quotation"),
    "tilde": ({"shape": "named_json", "call": "~zq~>{name}{arguments}"}, "read as a quotation"),
    "too long": ({"shape": "named_json", "call": f"<zq{'x' * 300}>{{name}}{{arguments}}"}, "300 characters"),
    "no shape": ({"shape": "round", "call": "<zq>{object}"}, "is no shape"),
}


@in_one_test("fields, says", REFUSED.values(), ids=REFUSED)
def test_a_sample_that_the_grammar_cannot_take_is_refused_by_name(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(SampleError, match=re.escape(says)) as raised:
        Syntax(name="zq", source="made up", **fields)
    assert str(raised.value).startswith("row 'zq': its ")
    assert "\n" not in str(raised.value).replace("\\n", "")


def test_what_is_not_refused_can_be_made_ready() -> None:
    for row in SYNTAXES:
        assert grammar(dataclasses.replace(row, name=f"copy of {row.name}")).syntax.call == row.call
