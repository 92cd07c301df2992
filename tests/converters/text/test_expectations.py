"""What a name can only mean: a declared tool under another spelling, and never another tool."""

from __future__ import annotations

import pytest

from converters.text.expectations import Expectations

WEATHER = ["get_weather", "get_time"]


@pytest.mark.parametrize(
    ("tools", "name", "meant"),
    [
        (WEATHER, "get_weather", "get_weather"),
        (WEATHER, "functions.get_weather", "get_weather"),
        (WEATHER, "default_api.get_weather", "get_weather"),
        (WEATHER, "  get_weather\n", "get_weather"),
        (WEATHER, "get_weather<|channel|>commentary", "get_weather"),
        (WEATHER, "Get_Weather", "get_weather"),
        (WEATHER, "get-weather", "get_weather"),
        (WEATHER, "GET.WEATHER", "get_weather"),
        (WEATHER, "functions.Get-Weather <|end|>", "get_weather"),
        (WEATHER, "getWeather", "get_weather"),
        (WEATHER, "getweather", "get_weather"),
        (["getWeather"], "get_weather", "getWeather"),
        (WEATHER, "get_weather:", "get_weather"),
        (WEATHER, "functions.get_weather:0", "get_weather"),
        (["read"], "read.read", "read"),
        (["read.read", "read"], "read.read", "read.read"),
        (["get_weather", "getWeather"], "getWeather", "getWeather"),
        (["get_weather", "getWeather"], "GetWeather", None),
        # another name, however close, is not a tool's
        (WEATHER, "get_weathers", None),
        (WEATHER, "weather", None),
        (WEATHER, "get_weather_v2", None),
        (WEATHER, "tools.get_weather", None),
        (WEATHER, "get weather", None),
        (WEATHER, "", None),
        ([], "get_weather", None),
        # two that it could be
        (["get-weather", "get_weather"], "get.weather", None),
        (["get-weather", "get_weather"], "get-weather", "get-weather"),
        (["Ping", "ping"], "PING", None),
        (["Ping", "ping"], "ping", "ping"),
        (["list", "functions.list"], "functions.list", "functions.list"),
        (["list", "functions_list"], "functions.list", None),
        # a declared name may itself look like a prefix
        (["functions_list"], "functions.list", "functions_list"),
        (["default_api_get"], "default_api.get", "default_api_get"),
        (["mcp__fs__read"], "mcp__fs__read", "mcp__fs__read"),
    ],
)
def test_what_a_name_can_only_mean(tools: list[str], name: str, meant: str | None) -> None:
    assert Expectations({tool: {} for tool in tools}).declared(name) == meant


def test_the_schema_of_a_tool_and_of_none() -> None:
    expectations = Expectations({"a": {"type": "object"}})
    assert expectations.schema("a") == {"type": "object"}
    assert expectations.schema("b") == {}
