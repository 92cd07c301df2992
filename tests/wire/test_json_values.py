"""Values as JSON, whatever numbers are in them."""

from __future__ import annotations

import json

from turns import Turns
from wire.json_values import RawJson, compact, spaced, spelled
from wire.lossless_json import Number

ODD = {"a": [float("inf"), float("-inf"), float("nan"), 1.5], "b": {"c": "Infinity"}}


def test_a_number_that_json_does_not_spell_is_written_as_one_that_is_read_alike() -> None:
    """`1e999` of a client or a backend left us as `Infinity`, which is no JSON (defect C6)."""
    told = '{"a":[1e999,-1e999,null,1.5],"b":{"c":"Infinity"}}'
    assert compact(ODD) == told
    assert b"".join(spelled(ODD, Turns(), (",", ":"))).decode() == told
    assert spaced(ODD) == told.replace(",", ", ").replace(":", ": ")
    assert json.loads(told)["a"][:2] == ODD["a"][:2]  # type: ignore[index]


def test_what_was_received_stays_as_it_is_spelled() -> None:
    assert compact([RawJson(b"1.50"), "\u00e9"]) == '[1.50,"\u00e9"]'
    assert compact([float("inf"), Number("1.50")]) == "[1e999,1.50]"
