"""Members of an object change in its bytes, and nothing else does (defect C2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import json_slices
from wire.json_edit import REMOVED, Changes, edit

NAMES = ["a", "b", "tools", "é", 'q"', ""]


@pytest.fixture(params=[12, 8192], ids=["short slices", "long slices"], autouse=True)
def slices(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_slices, "_RUN", request.param)


@pytest.mark.parametrize(
    ("raw", "changes", "wanted"),
    [
        ('{"a":1, "b" : 2 ,"c":3}', {"a": REMOVED}, '{"b" : 2 ,"c":3}'),
        ('{"a":1, "b" : 2 ,"c":3}', {"b": REMOVED}, '{"a":1, "c":3}'),
        ('{"a":1, "b" : 2 ,"c":3}', {"c": REMOVED}, '{"a":1, "b" : 2 }'),
        ('{"a":1, "b" : 2 ,"c":3 }', {"b": REMOVED, "c": REMOVED}, '{"a":1 }'),
        ('{"a":1, "b" : 2 ,"c":3 }', {"a": REMOVED, "b": REMOVED, "c": REMOVED}, "{ }"),
        ('{"a":1, "b" : 2 ,"c":3 }', {"a": REMOVED, "c": REMOVED}, '{"b" : 2  }'),
        (' {"a":1}\n', {"a": REMOVED, "z": b"[0]"}, ' {"z": [0]}\n'),
        ("{}", {"z": b"0", "y": b"1"}, '{"z": 0, "y": 1}'),
        ('{"a":1}', {"z": b"0", "x": REMOVED}, '{"a":1, "z": 0}'),
        ('{"a":1,"b":1.50}', {"a": '"서"'.encode()}, '{"a":"서","b":1.50}'),
        ('{"a":1,"b":2,"a":3}', {"a": b"4"}, '{"b":2,"a":4}'),
        ('{"a":1,"b":2,"\\u0061":3}', {"a": REMOVED}, '{"b":2}'),
        ('{"a":1,"b":{"a":2},"c":[{"a":3}]}', {"a": REMOVED}, '{"b":{"a":2},"c":[{"a":3}]}'),
        ('{"b":"\\ud83d","a":1}', {"a": REMOVED}, '{"b":"\\ud83d"}'),
    ],
)
def test_what_changes(raw: str, changes: Changes, wanted: str) -> None:
    assert edit(raw.encode(), changes).decode() == wanted


def test_another_encoding_becomes_utf8() -> None:
    assert edit('{"a": 1, "b": "서"}'.encode("utf-16"), {"a": REMOVED}).decode() == '{"b": "서"}'
    assert edit('\ufeff{"a": 1, "b": 2}'.encode(), {"a": REMOVED}).decode() == '{"b": 2}'


def test_a_value_that_another_of_its_name_replaced_may_be_of_any_depth() -> None:
    """Whoever read the body did not see it; the walk was a TooDeep, and a 500 (defect C6)."""
    raw = '{"a": ' + "[" * 900 + "]" * 900 + ', "a": 1, "b": 2}'
    assert edit(raw.encode(), {"b": b"3"}) == raw.replace("2}", "3}").encode()
    assert edit(raw.encode(), {"a": REMOVED, "b": REMOVED}) == b"{}"


def test_what_is_no_object_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="no object"):
        edit(b"[]", {"a": REMOVED})


values = st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=8),
    st.dictionaries(st.sampled_from(NAMES), st.none() | values, max_size=4),
    st.sampled_from([("", ""), (" ", "\n"), ("", " " * 30)]),
)
@settings(deadline=None)
def test_any_change_of_any_object(
    members: list[tuple[str, Any]], changes: dict[str, Any], blanks: tuple[str, str]
) -> None:
    before, behind = blanks
    pieces = [f"{before}{json.dumps(name)}{behind}:{before}{json.dumps(value)}{behind}" for name, value in members]
    raw = "{" + before + ",".join(pieces) + behind + "}"
    new: Changes = {name: REMOVED if each is None else json.dumps(each).encode() for name, each in changes.items()}
    wanted = dict(members)
    for name, each in changes.items():
        if each is None:
            wanted.pop(name, None)
        else:
            wanted[name] = each
    found = json.loads(edit(raw.encode(), new), object_pairs_hook=list)
    assert dict(found) == wanted
    named = [name for name, _ in found]
    assert all(named.count(name) == 1 for name in changes if name in wanted)
    others = [name for name, _ in members if name not in changes]
    assert [name for name in named if name not in changes] == others
