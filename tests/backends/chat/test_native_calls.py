"""Native calls: right ones pass as they came, and every broken form comes out right, whatever was wrong with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from backends.chat.native_calls import NativeCalls
from converters import Expectations
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Noted
from reply import Ids

Json = dict[str, Any]
TOOLS: Json = {
    "get_weather": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "get": {"type": "object", "properties": {}},
    "ping": {"type": "object", "properties": {}},
}
OSLO = '{"city": "Oslo"}'
BERGEN = '{"city": "Bergen"}'


def entry(index: Any = 0, id: Any = "a", name: Any = "get_weather", arguments: Any = OSLO, **more: Any) -> Json:
    function = {"name": name, "arguments": arguments}
    given = {"index": index, "id": id, "type": "function", "function": function, **more}
    return {key: value for key, value in given.items() if value is not ...}


def more(arguments: Any, index: Any = 0, **function: Any) -> Json:
    return {"index": index, "function": {"arguments": arguments, **function}}


class Client:
    """What a client makes of it."""

    def __init__(self, *history: str, **expectations: Any) -> None:
        self.native = NativeCalls(Expectations(TOOLS, **expectations), Ids(history))
        self.calls: list[list[str]] = []
        self.ids: list[str] = []
        self.codes: set[str] = set()
        self.as_received = True

    def reads(self, *entries: Any, cut: bool = False) -> Client:
        """Each of these in a delta of its own; lists are several in one."""
        for each in entries:
            self._take(self.native.read({"tool_calls": each if isinstance(each, list) else [each]}))
        self._take(self.native.finish(cut))
        return self

    def reads_whole(self, *entries: Any) -> Client:
        self._take(self.native.read({"tool_calls": list(entries)}, whole=True))
        self._take(self.native.finish(cut=False))
        return self

    def _take(self, events: Sequence[Any]) -> None:
        for event in events:
            match event:
                case CallStart(index=index, name=name, id=id):
                    assert index == len(self.calls)
                    self._open(name, id)
                case ArgumentsDelta(index=index, delta=delta):
                    assert index == len(self.calls) - 1 and delta
                    self.calls[index][1] += delta
                case Noted(code=code):
                    self.codes.add(code)
        self.as_received = self.as_received and self.native.as_received

    def _open(self, name: str, id: Any) -> None:
        assert isinstance(id, str) and id and id not in self.ids
        self.ids.append(id)
        self.calls.append([name, ""])

    @property
    def told(self) -> list[tuple[str, Any]]:
        assert len(self.calls) == self.native.delivered
        return [(name, json.loads(arguments)) for name, arguments in self.calls]


TWO = [("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Bergen"})]
ONE = TWO[:1]

RIGHT: dict[str, list[Any]] = {
    "whole": [entry()],
    "in pieces": [entry(arguments=""), more('{"city"'), more(': "Os'), more('lo"}')],
    "no arguments at first": [entry(arguments=...), more(OSLO)],
    "null arguments at first": [entry(arguments=None), more(OSLO)],
    "a name that another begins with": [entry(name="get", arguments=""), more("{}")],
    "white space at first": [entry(arguments=" "), more(" \n"), more(OSLO)],
    "two": [entry(), entry(1, "b", arguments=""), more(BERGEN, 1)],
    "an id with every vendor's letters": [entry(id="functions.get_weather:0")],
    "a type that is said again": [entry(arguments=""), {**more(OSLO), "type": "function"}],
    "an undeclared name": [entry(name="made_up")],
    "vendor fields": [entry(vendor={"a": 1.5})],
}
RIGHT["no arguments at first"][0]["function"].pop("arguments")


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right_passes_as_it_came(case: str) -> None:
    client = Client().reads(*RIGHT[case])
    assert client.as_received and not client.codes
    assert [each["id"] for each in RIGHT[case] if "id" in each] == client.ids
    assert client.told


def test_invalid_json_is_the_clients_to_judge() -> None:
    """It begins as an object, so it leaves as it comes; what follows waits for its end and is right, too."""
    frames = [entry(arguments='{"city": Oslo'), entry(1, "b")]
    client = Client().reads(*frames)
    assert client.as_received and [call[1] for call in client.calls] == ['{"city": Oslo', OSLO]


def test_a_call_that_was_cut_is_left_as_it_is() -> None:
    client = Client().reads(entry(arguments='{"ci'), cut=True)
    assert client.as_received and client.calls == [["get_weather", '{"ci']]
    assert Client().reads(entry(arguments=""), cut=True).as_received


def unnamed(each: Json) -> Json:
    return {**each, "function": {"arguments": each["function"]["arguments"]}}


BROKEN: dict[str, tuple[list[Any], list[Any], set[str]]] = {
    "index 0 for all": ([entry(), entry(0, "b", arguments=BERGEN)], TWO, {"native_index"}),
    "index 0 for all, in pieces": (
        [entry(arguments='{"city"'), more(': "Oslo"}'), entry(0, "b", arguments=""), more(BERGEN)],
        TWO,
        {"native_index"},
    ),
    "no index": ([entry(...), entry(..., "b", arguments=BERGEN)], TWO, {"native_index"}),
    "no index in pieces": (
        [entry(..., arguments=""), {"function": {"arguments": OSLO}}],
        ONE,
        {"native_index"},
    ),
    "neither index nor id": (
        [entry(..., ...), entry(..., ..., arguments=BERGEN)],
        TWO,
        {"native_index", "native_id"},
    ),
    "an index only later": ([entry(..., arguments=""), more(OSLO)], ONE, {"native_index"}),
    "neither index nor id nor arguments": (
        [entry(0, ..., name="ping", arguments=""), entry(0, ..., arguments=OSLO)],
        [("ping", {}), *ONE],
        {"native_index", "native_id", "native_arguments"},
    ),
    "null index": ([entry(None)], ONE, {"native_index"}),
    "from 1": ([entry(1), entry(2, "b", arguments=BERGEN)], TWO, {"native_index"}),
    "a gap": ([entry(), entry(3, "b", arguments=""), more(BERGEN, 3)], TWO, {"native_index"}),
    "no id": ([entry(id=...)], ONE, {"native_id"}),
    "null id": ([entry(id=None)], ONE, {"native_id"}),
    "empty id": ([entry(id="")], ONE, {"native_id"}),
    "a number for an id": ([entry(id=7)], ONE, {"native_id"}),
    "one id for two": ([entry(), entry(1, arguments=BERGEN)], TWO, {"native_id"}),
    "an id that the history has": ([entry(id="old")], ONE, {"native_id"}),
    "a new id in each delta": (
        [entry(arguments=""), {**more('{"city"'), "id": "b"}, {**more(': "Oslo"}'), "id": "c"}],
        ONE,
        {"native_id"},
    ),
    "a new id and the name in each delta": (
        [entry(arguments='{"city"'), {**more(': "Oslo"}', name="get_weather"), "id": "b"}],
        ONE,
        {"native_id", "native_name"},
    ),
    "the same id in each delta": ([entry(arguments=""), {**more(OSLO), "id": "a"}], ONE, {"native_id"}),
    "null id and name later": (
        [entry(arguments=""), {**more(OSLO, name=None), "id": None}],
        ONE,
        {"native_id", "native_name"},
    ),
    "empty id and name later": (
        [entry(arguments=""), {**more(OSLO, name=""), "id": ""}],
        ONE,
        {"native_id", "native_name"},
    ),
    "null type later": ([entry(arguments=""), {**more(OSLO), "type": None}], ONE, {"native_form"}),
    "name in each delta": (
        [entry(arguments='{"city"'), more(": ", name="get_weather"), more('"Oslo"}', name="get_weather")],
        ONE,
        {"native_name"},
    ),
    "name behind whole arguments": (
        [entry(), more("", name="get_weather")],
        ONE,
        {"native_name"},
    ),
    "name late": ([unnamed(entry(arguments="")), more("", name="get_weather"), more(OSLO)], ONE, {"native_name"}),
    "name last": ([unnamed(entry()), more("", name="get_weather")], ONE, {"native_name"}),
    "name in pieces": (
        [entry(name="get_", arguments=""), more("", name="weather"), more(OSLO)],
        ONE,
        {"native_name"},
    ),
    "name in pieces, of which the first is a name": (
        [entry(name="get", arguments=""), more("", name="_weather"), more(OSLO)],
        ONE,
        {"native_name"},
    ),
    "no name at all": ([unnamed(entry()), entry(1, "b", arguments=BERGEN)], TWO[1:], {"native_name", "native_index"}),
    "another spelling of the name": ([entry(name="functions.Get-Weather")], ONE, {"native_name"}),
    "a token behind the name": ([entry(name="get_weather<|channel|>commentary")], ONE, {"native_name"}),
    "arguments in the name": (
        [entry(name="get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value>", arguments="")],
        ONE,
        {"native_name", "native_arguments"},
    ),
    "no type": ([entry(type=...)], ONE, {"native_form"}),
    "arguments as an object": ([entry(arguments={"city": "Oslo"})], ONE, {"native_arguments"}),
    "arguments as an object, twice": (
        [entry(arguments={"city": "Oslo"}), entry(1, "b", arguments={"city": "Bergen"})],
        TWO,
        {"native_arguments"},
    ),
    "arguments as an empty object": ([entry(name="ping", arguments={})], [("ping", {})], {"native_arguments"}),
    "null arguments": ([entry(name="ping", arguments=None)], [("ping", {})], {"native_arguments"}),
    "empty arguments": ([entry(name="ping", arguments="")], [("ping", {})], {"native_arguments"}),
    "blank arguments": ([entry(name="ping", arguments=" \n")], [("ping", {})], {"native_arguments"}),
    "empty arguments, twice": (
        [entry(name="ping", arguments=""), entry(1, "b", name="ping", arguments="")],
        [("ping", {}), ("ping", {})],
        {"native_arguments"},
    ),
    "nothing more at the end": ([entry(), more("")], ONE, {"native_arguments"}),
    "a string that spells the object": ([entry(arguments=json.dumps(OSLO))], ONE, {"native_arguments"}),
    "the one value that is required": ([entry(arguments='"Oslo"')], ONE, {"native_arguments"}),
    "markup for arguments": (
        [entry(arguments="<parameter=ci"), more("ty>Oslo</param"), more("eter>")],
        ONE,
        {"native_arguments"},
    ),
    "two entries for one index": (
        [[entry(arguments=...), more('{"city": ')], more('"Oslo"}')],
        ONE,
        {"native_form"},
    ),
    "two calls in a delta": ([[entry(), entry(1, "b", arguments=BERGEN)]], TWO, {"native_form"}),
    "an entry that is none": ([[None, entry()]], ONE, {"native_form"}),
    "no list": ([{"index": 0, "id": "a", "type": "function"}, more(OSLO, name="get_weather")], ONE, {"native_name"}),
    "entwined": (
        [
            entry(arguments='{"city": '),
            entry(1, "b", arguments='{"city": '),
            more('"Oslo"}'),
            more('"Bergen"}', 1),
        ],
        TWO,
        {"native_order"},
    ),
    "all names first": (
        [entry(arguments=""), entry(1, "b", arguments=""), more(OSLO), more(BERGEN, 1)],
        TWO,
        {"native_order"},
    ),
}
BROKEN["two entries for one index"][0][0][0]["function"].pop("arguments")


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_put_in_order(case: str) -> None:
    frames, told, codes = BROKEN[case]
    client = Client("old").reads(*frames)
    assert (client.told, client.codes) == (told, codes)


WHOLE: dict[str, tuple[list[Any], list[Any], set[str]]] = {
    "right": ([entry(...), entry(..., "b", arguments=BERGEN)], TWO, set()),
    "index 0 for all": ([entry(), entry(0, "b", arguments=BERGEN)], TWO, set()),
    "no ids": ([entry(id=None), entry(id="", arguments=BERGEN)], TWO, {"native_id"}),
    "no ids and no arguments": (
        [entry(id=..., name="ping", arguments=""), entry(id=..., name="ping", arguments="")],
        [("ping", {})] * 2,
        {"native_id", "native_arguments"},
    ),
    "one id for two": ([entry(), entry(1, arguments=BERGEN)], TWO, {"native_id"}),
    "an object": ([entry(arguments={"city": "Oslo"})], ONE, {"native_arguments"}),
    "no type": ([entry(type=...)], ONE, {"native_form"}),
}


@pytest.mark.parametrize("case", WHOLE)
def test_the_calls_of_a_whole_message(case: str) -> None:
    entries, told, codes = WHOLE[case]
    client = Client().reads_whole(*entries)
    assert (client.told, client.codes, client.as_received) == (told, codes, not codes)


def test_an_event_that_is_right_passes_between_those_that_are_not() -> None:
    """Only what is broken is touched: the second call is right, and only the first had no id."""
    native = NativeCalls(Expectations(TOOLS))
    native.read({"tool_calls": [entry(id=None)]})
    assert not native.as_received
    assert native.read({"tool_calls": [entry(1, "b")]})[1:] == [
        CallStart(1, "get_weather", "b"),
        ArgumentsDelta(1, OSLO),
    ]
    assert native.as_received


def test_nothing_is_held_that_need_not_be() -> None:
    native = NativeCalls(Expectations(TOOLS))
    for each in [entry(arguments=""), more('{"city": "'), more("Os")]:
        assert native.read({"tool_calls": [each]}) and native.as_received
        assert not native.waiting


def test_tool_choice_none_holds_for_native_calls_too() -> None:
    client = Client(choice="none").reads(entry(arguments=""), more(OSLO), entry(1, "b"))
    assert (client.told, client.codes) == ([], {"choice_none"})


def test_one_call_where_one_was_asked_for() -> None:
    client = Client(parallel=False).reads(entry(), entry(1, "b", arguments=""), more(BERGEN, 1), entry(2, "c"))
    assert (client.told, client.codes) == (ONE, {"parallel_off"})
    assert Client(parallel=False).reads_whole(entry(), entry(1, "b")).told == ONE


def test_identical_calls_are_kept() -> None:
    assert Client().reads(entry(), entry(1, "b")).told == ONE * 2


def test_calls_that_stood_in_the_text_do_not_come_again() -> None:
    client = Client()
    client.calls = [["get_weather", OSLO]]
    client.native.already_sent([("get_weather", '{"city":"Oslo"}')])
    client.reads(entry(arguments=""), more(OSLO), entry(1, "b", arguments=BERGEN))
    assert [json.loads(arguments) for _, arguments in client.calls] == [arguments for _, arguments in TWO]
    assert "echo" in client.codes and client.native.delivered == 1


def test_the_old_form() -> None:
    native = NativeCalls(Expectations(TOOLS, parallel=False))
    first, second = {"name": "get_weather", "arguments": ""}, {"arguments": OSLO}
    events = [event for each in (first, second) for event in native.read({"function_call": each})]
    assert native.as_received and events[1:] == [ArgumentsDelta(0, OSLO)]
    assert native.finish(cut=False) == [CallEnd(0)] and native.delivered == 1


@pytest.mark.parametrize("odd", [7, "x", {}, [], [[]], [{}], [{"function": 7}], [{"index": "x", "id": [], "type": {}}]])
def test_nothing_raises(odd: Any) -> None:
    native = NativeCalls(Expectations(TOOLS))
    native.read({"tool_calls": odd or [{}]})
    native.read({"tool_calls": odd or [{}]}, whole=True)
    native.finish(cut=False)
    assert native.delivered == 0


def test_long_arguments_with_the_name_in_each_delta_are_linear() -> None:
    client = Client().reads(entry(arguments='{"city": "'), *[more("}" * 9, name="get_weather")] * 4000, more('"}'))
    assert client.told == [("get_weather", {"city": "}" * 36000})]
