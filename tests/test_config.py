"""Settings: what each variable takes and refuses, which source wins, and that nothing secret is shown."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given, strategies

import config
from config import PRESETS, VARIABLES, Config, get_backend_config
from errors import ConfigError
from setting_kinds import ClientKey

NAMES = [variable.name for variable in VARIABLES]
ROOT = Path(config.__file__).parent


def read(**environ: str) -> Config:
    return Config.from_environment(environ)


def refusal(environ: dict[str, str], **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.from_environment(environ, **options)
    # `from None`: the parser's own error quotes the value, and a traceback would print it.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


@pytest.fixture
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to stand in, and an environment without a variable of ours."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_defaults() -> None:
    assert dataclasses.asdict(read()) == {
        "backend_url": "http://localhost:8888",
        "backend": None,
        "backend_api_key": None,
        "proxy_host": "0.0.0.0",
        "proxy_port": 5000,
        "proxy_api_keys": (),
        "connect_timeout": 10.0,
        "connect_retry": 2.0,
        "first_byte_timeout": None,
        "request_timeout": 300.0,
        "convert": True,
        "forward": (),
        "tool_call_streaming": "incremental",
        "heal": "repair",
        "heal_attempts": 2,
        "adapt": True,
        "tool_prompting": "auto",
        "raw": "auto",
        "constrain": False,
        "state_file": None,
        "learn_hours": 24.0,
        "reasoning_field": "reasoning_content",
        "reasoning_prefilled": None,
        "strip_end_tokens": True,
        "model_syntax": (),
        "chat_templates": (),
        "max_request_bytes": 67108864,
        "client_timeout": 60.0,
        "keepalive_seconds": 15.0,
        "cors_origins": (),
        "inspector": True,
        "inspector_key": None,
        "inspector_hosts": (),
        **{"record": "meta", "record_db": None, "record_days": 7.0, "record_max": 100000, "record_bytes": 67108864},  # noqa: PIE800 - one line
        "log_level": "INFO",
        "environment": "development",
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("empty", ["", "  ", "\t\n"])
def test_empty_counts_as_unset(name: str, empty: str) -> None:
    assert read(**{name: empty}) == read()


def test_variables_of_others_are_not_looked_at() -> None:
    assert read(PATH="/bin", HOST="elsewhere", PORT="nonsense") == read()


def test_space_around_a_value_is_not_part_of_it() -> None:
    settings = read(PROXY_PORT=" 5001 ", BACKEND_API_KEY="sk-1\n", FLASK_ENV="production\r")
    assert (settings.proxy_port, settings.backend_api_key, settings.environment) == (5001, "sk-1", "production")


BOOLEANS = {"true": True, "TRUE": True, "1": True, "yes": True, "On": True}
BOOLEANS |= {"false": False, "False": False, "0": False, "no": False, "OFF": False}

GOOD: dict[str, dict[str, object]] = {
    "BACKEND_URL": {
        "http://localhost:1234": "http://localhost:1234",
        "http://localhost:1234/": "http://localhost:1234",
        "http://localhost:1234/v1": "http://localhost:1234",
        "http://localhost:1234/v1/": "http://localhost:1234",
        "http://localhost:1234//v1//v1/": "http://localhost:1234",
        "https://host/prefix": "https://host/prefix",
        "https://host/prefix/v1": "https://host/prefix",
        "https://host/v1/prefix/": "https://host/v1/prefix",
        "https://host/prefix-v1": "https://host/prefix-v1",
        "https://host/@team/openai/v1": "https://host/@team/openai",
        "HTTPS://API.Example.com/Prefix": "https://api.example.com/Prefix",
        "https://host:443/v1": "https://host",
        "http://host:80": "http://host",
        "https://host:80": "https://host:80",
        "http://127.0.0.1:8080": "http://127.0.0.1:8080",
        "http://[::1]:8080/v1": "http://[::1]:8080",
        "http://[2001:DB8:0:0::1]": "http://[2001:db8::1]",
        "http://llama_cpp:8080": "http://llama_cpp:8080",
    },
    "BACKEND_HOST": {
        "llm.lan": "http://llm.lan:8888",
        "LLM.lan": "http://llm.lan:8888",
        "llama_cpp": "http://llama_cpp:8888",
        "10.0.0.7": "http://10.0.0.7:8888",
        "::1": "http://[::1]:8888",
        "[::1]": "http://[::1]:8888",
        "2001:db8::2": "http://[2001:db8::2]:8888",
    },
    "BACKEND_PORT": {"1": "http://localhost:1", "65535": "http://localhost:65535", "80": "http://localhost"},
    "BACKEND_PROTOCOL": {"http": "http://localhost:8888", "HTTPS": "https://localhost:8888"},
    "BACKEND": {**{name: name for name in PRESETS}, "Ollama": "ollama"},
    "BACKEND_API_KEY": {"sk-abc,d=e/f+g@h#i": "sk-abc,d=e/f+g@h#i"},
    "PROXY_HOST": {"127.0.0.1": "127.0.0.1", "localhost": "localhost", "::": "::", "[::1]": "::1", "Box": "box"},
    "PROXY_PORT": {"1": 1, "65535": 65535, "05000": 5000},
    "PROXY_API_KEYS": {
        "one": (ClientKey("#1", "one"),),
        "one, two ,,one,": (ClientKey("#1", "one"), ClientKey("#2", "two")),
        "alice:key1,bob:key2": (ClientKey("alice", "key1"), ClientKey("bob", "key2")),
        "alice:old,alice:new,alice:new": (ClientKey("alice", "old"), ClientKey("alice", "new")),
        "one,Bob.Roe@x-y.z:two,three": (
            ClientKey("#1", "one"),
            ClientKey("Bob.Roe@x-y.z", "two"),
            ClientKey("#3", "three"),
        ),
        "a:b:c": (ClientKey("a", "b:c"),),
    },
    "CONNECT_TIMEOUT": {"10": 10.0, "0.5": 0.5, "1e1": 10.0},
    "CONNECT_RETRY": {"0": 0.0, "2": 2.0, "0.5": 0.5},
    "FIRST_BYTE_TIMEOUT": {"0": None, "0.0": None, "120": 120.0, "1.5": 1.5},
    "REQUEST_TIMEOUT": {"0": None, "300": 300.0, "2E2": 200.0},
    "ENABLE_TOOL_CALL_CONVERSION": {**BOOLEANS},
    "FORWARD": {"responses": ("responses",), "Messages, ollama": ("messages", "ollama")},
    "TOOL_CALL_STREAMING": {"incremental": "incremental", "Whole": "whole"},
    "HEAL": {"off": "off", "repair": "repair", "Retry": "retry"},
    "HEAL_ATTEMPTS": {"1": 1, "3": 3},
    "ADAPT": {"auto": True, "Off": False},
    "TOOL_PROMPTING": {"auto": "auto", "native": "native", "PROMPT": "prompt"},
    "RAW": {"auto": "auto", "on": "on", "off": "off"},
    "CONSTRAIN": {"off": False, "Auto": True},
    "STATE_FILE": {"state.db": "state.db", "/state.db": "/state.db"},
    "LEARN_HOURS": {"24": 24.0, "0.5": 0.5},
    "REASONING_FIELD": {n: n for n in ("reasoning_content", "reasoning", "both", "content", "none")},
    "REASONING_PREFILLED": {**BOOLEANS, "auto": None, "AUTO": None},
    "STRIP_END_TOKENS": {**BOOLEANS},
    "MODEL_SYNTAX": {
        "my-finetune*=glm45": (("my-finetune*", "glm45"),),
        "my-finetune*=glm45, other = hermes,": (("my-finetune*", "glm45"), ("other", "hermes")),
        "org/model@q4?[!x]=hermes": (("org/model@q4?[!x]", "hermes"),),
        "a=b=hermes": (("a=b", "hermes"),),
    },
    "CHAT_TEMPLATES": {
        "/models": (("", "/models"),),
        "my-finetune*=model.gguf, other = a folder/x.jinja,": (
            ("my-finetune*", "model.gguf"),
            ("other", "a folder/x.jinja"),
        ),
        **{"C:\\models": (("", "C:\\models"),), "Off": None},  # noqa: PIE800 - one line
    },
    "MAX_REQUEST_BYTES": {"1": 1, "1000000": 1_000_000},
    "CLIENT_TIMEOUT": {"0": None, "60": 60.0, "0.5": 0.5},
    "KEEPALIVE_SECONDS": {"0": 0.0, "2.5": 2.5},
    "CORS_ORIGINS": {
        "*": ("*",),
        "https://App.example:8443": ("https://app.example:8443",),
        "https://a.example/, app://obsidian.md": ("https://a.example", "app://obsidian.md"),
    },
    "INSPECTOR": {**BOOLEANS},
    "INSPECTOR_KEY": {"sk-abc": "sk-abc"},
    "INSPECTOR_HOSTS": {
        "Box.lan": ("box.lan",),
        "box.lan, 10.0.0.7,[2001:DB8:0::1]": ("box.lan", "10.0.0.7", "2001:db8::1"),
    },
    "RECORD": {"off": "off", "Meta": "meta", "FULL": "full"},
    "RECORD_DB": {
        "sqlite:///records.sqlite": "sqlite:///records.sqlite",
        "SQLite:////tmp/records.sqlite": "sqlite:////tmp/records.sqlite",
        "postgresql://user:p%40ss@host:5432/db": "postgresql://user:p%40ss@host:5432/db",
    },
    "RECORD_DAYS": {"7": 7.0, "0.5": 0.5},
    "RECORD_MAX": {"1": 1, "250000": 250000},
    "RECORD_BYTES": {"1": 1, "1073741824": 1073741824},
    "LOG_LEVEL": {"debug": "DEBUG", "WARNING": "WARNING", "Error": "ERROR", "critical": "CRITICAL", "info": "INFO"},
    "FLASK_ENV": {"development": "development", "Production": "production", "testing": "testing"},
}

NOT_A_HOST = ["http://localhost", "localhost:8888", "local host", "a/b", "[::1", "::1%eth0", "[localhost]", "bü", "-"]
NOT_A_PORT = ["0", "65536", "-1", "80.0", "5_000", "http", "٥٠٠٠", "9" * 5000]
NOT_SECONDS = ["-1", "nan", "inf", "-0.5", "1_0", "ten", "10s", "1e999", ".", "1,5", "٣"]
NOT_A_CHOICE = ["maybe", "2", "true false", "ſ"]

ONE_KEY_TWO_NAMES = ["alice:k,bob:k", "k,alice:k", "alice:k,k"]

NOT_HTTP = ["localhost:8888", "ftp://host", "http://", "http:///v1", "//host", "http://host:", "http://host\\v1"]
TOO_MUCH = ["http://user:pass@host", "http://user@host", "http://host?key=1", "http://host/?", "http://host/v1#part"]
NO_PORT = ["http://host:0", "http://host:65536", "http://host:port", "http://::1:8080"]
NO_HOST = ["http://[::1", "http://[fe80::1%25eth0]:80", "http://[localhost]", "http://ho st", "http://-"]
NO_PATH = ["http://host/a b", "http://host/a\tb", "http://host/ü", "http://host/a/../b", "http://host/./v1"]

WRONG: dict[str, list[str]] = {
    "BACKEND_URL": [*NOT_HTTP, *TOO_MUCH, *NO_PORT, *NO_HOST, *NO_PATH],
    "BACKEND_HOST": NOT_A_HOST,
    "BACKEND_PORT": NOT_A_PORT,
    "BACKEND_PROTOCOL": ["ftp", "http://", "ws"],
    "BACKEND": ["lm studio", "gpt", "http://localhost"],
    "BACKEND_API_KEY": ["Bearer sk-1", "sk-\x00", "sk-1\nX-Evil: 1", "ключ"],
    "PROXY_HOST": NOT_A_HOST,
    "PROXY_PORT": NOT_A_PORT,
    "PROXY_API_KEYS": [
        ",",
        " , ,",
        "one,two three",
        "one,ключ",
        "a:",
        ":b",
        "a b:c",
        "#1:a",
        "a: b",
        *ONE_KEY_TWO_NAMES,
    ],
    "CONNECT_TIMEOUT": [*NOT_SECONDS, "0", "0.0", "1e-999"],
    "CONNECT_RETRY": NOT_SECONDS,
    "FIRST_BYTE_TIMEOUT": NOT_SECONDS,
    "REQUEST_TIMEOUT": NOT_SECONDS,
    "ENABLE_TOOL_CALL_CONVERSION": [*NOT_A_CHOICE, "auto"],
    "FORWARD": [*NOT_A_CHOICE, "chat", ","],
    "TOOL_CALL_STREAMING": [*NOT_A_CHOICE, "true"],
    "HEAL": [*NOT_A_CHOICE, "true", "on"],
    "HEAL_ATTEMPTS": ["0", "4", "two"],
    "ADAPT": [*NOT_A_CHOICE, "on"],
    "TOOL_PROMPTING": [*NOT_A_CHOICE, "on"],
    "RAW": [*NOT_A_CHOICE, "true"],
    "CONSTRAIN": [*NOT_A_CHOICE, "on"],
    "STATE_FILE": ["/", "/no/such/folder/state.db"],
    "LEARN_HOURS": ["0", "-1", "x", "inf"],
    "REASONING_FIELD": NOT_A_CHOICE,
    "REASONING_PREFILLED": NOT_A_CHOICE,
    "STRIP_END_TOKENS": [*NOT_A_CHOICE, "auto"],
    "MODEL_SYNTAX": ["glm45", "=glm45", "a=", "a=glm45,b", ",", "a=two words"],
    "CHAT_TEMPLATES": ["=x.jinja", "a=", "a=b=c", ","],
    "MAX_REQUEST_BYTES": ["0", "-1", "64MB", "1e6", "9" * 5000],
    "CLIENT_TIMEOUT": NOT_SECONDS,
    "KEEPALIVE_SECONDS": NOT_SECONDS,
    "CORS_ORIGINS": [",", "app.example", "https://", "https://app.example/path", "https://*.example", "null"],
    "INSPECTOR": [*NOT_A_CHOICE, "auto"],
    "INSPECTOR_KEY": ["Bearer sk-1", "sk-\x00", "ключ"],
    "INSPECTOR_HOSTS": [",", "*", "box.lan:5000", *NOT_A_HOST],
    "RECORD": [*NOT_A_CHOICE, "on", "all"],
    "RECORD_DB": [
        "records.sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:////no/such/folder/r",
        "mysql://h/d",
        "postgresql://",
    ],
    "RECORD_DAYS": [*NOT_SECONDS, "0"],
    "RECORD_MAX": ["0", "-1", "1e6"],
    "RECORD_BYTES": ["0", "-1", "64MB"],
    "LOG_LEVEL": [*NOT_A_CHOICE, "10", "TRACE"],
    "FLASK_ENV": [*NOT_A_CHOICE, "prod"],
}


def cases(table: Any) -> list[Any]:
    return [pytest.param(name, text, id=f"{name}-{text[:30]!a}") for name, texts in table.items() for text in texts]


def test_every_variable_has_its_cases() -> None:
    assert list(GOOD) == NAMES
    assert list(WRONG) == NAMES


@pytest.mark.parametrize(("name", "text"), cases(GOOD))
def test_good_value(name: str, text: str) -> None:
    (variable,) = [v for v in VARIABLES if v.name == name]
    got = getattr(read(**{name: text}), variable.field)
    assert got == GOOD[name][text]
    assert type(got) is type(GOOD[name][text])


@pytest.mark.parametrize(("name", "text"), cases(WRONG))
def test_wrong_value(name: str, text: str) -> None:
    (variable,) = [v for v in VARIABLES if v.name == name]
    message = refusal({name: text})
    assert message.isprintable()  # so also: one line
    assert message.startswith(f"{name}=")
    assert message.endswith(f": takes {variable.kind.takes}")
    assert len(message) < 300


@pytest.mark.parametrize(("name", "text"), [("PROXY_PORT", "70000"), ("FLASK_ENV", "prod"), ("CORS_ORIGINS", "null")])
def test_the_wrong_value_is_shown(name: str, text: str) -> None:
    assert refusal({name: text}).startswith(f"{name}={text!r}: takes ")


@given(name=strategies.sampled_from(NAMES), text=strategies.text(max_size=40))
def test_any_text_is_taken_or_refused(name: str, text: str) -> None:
    try:
        read(**{name: text})
    except ConfigError as error:
        assert str(error).isprintable()


@given(path=strategies.text("/v1x", max_size=8))
def test_a_normalised_url_stays_as_it_is(path: str) -> None:
    url = read(BACKEND_URL=f"http://host/{path}").backend_url
    assert not url.endswith(("/", "/v1"))
    assert read(BACKEND_URL=url).backend_url == url


def test_a_whole_refusal() -> None:
    assert refusal({"PROXY_PORT": "99999"}) == "PROXY_PORT='99999': takes a whole number from 1 to 65535"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BACKEND_API_KEY", "Bearer s3cret"),
        ("PROXY_API_KEYS", "s3cret and spaces"),
        ("PROXY_API_KEYS", "alice:s3cret,bob:s3cret"),
        ("INSPECTOR_KEY", "Bearer s3cret"),
        ("RECORD_DB", "postgres://user:s3cret@host/db"),
        ("BACKEND_URL", "http://user:s3cret@host"),
        ("BACKEND_URL", "https://s3cret@host/v1"),
        ("BACKEND_URL", "htp://user:pa/s3cret?x@host"),
        ("BACKEND_URL", "https://host/v1?api_key=s3cret"),
        ("BACKEND_URL", "https://host/v1#s3cret"),
        ("BACKEND_HOST", "user:s3cret@host"),
        ("BACKEND", "https://user:s3cret@host"),
        ("PROXY_HOST", "user:s3cret@host"),
        ("CORS_ORIGINS", "https://user:s3cret@host"),
    ],
)
def test_a_refusal_shows_no_secret(name: str, text: str) -> None:
    message = refusal({name: text})
    assert "s3cret" not in message
    assert message.startswith(f"{name}=(hidden): takes ")


def test_a_wrong_value_is_refused_even_where_another_variable_wins() -> None:
    assert "BACKEND_PORT=" in refusal({"BACKEND_URL": "http://host", "BACKEND_PORT": "x"})


def test_model_syntax_is_held_against_the_rows() -> None:
    environ = {"MODEL_SYNTAX": "a*=glm45,b@q4=hermess"}
    assert Config.from_environment(environ).model_syntax[1] == ("b@q4", "hermess")
    message = refusal(environ, syntax_names={"hermes", "glm45"})
    assert message.startswith("MODEL_SYNTAX='a*=glm45,b@q4=hermess': takes pattern=row")
    assert message.endswith("; 'hermess' is not one of glm45, hermes")
    assert message.isprintable()


def test_known_rows_pass() -> None:
    settings = Config.from_environment({"MODEL_SYNTAX": "a=glm45"}, syntax_names=["glm45"])
    assert settings.model_syntax == (("a", "glm45"),)
    assert Config.from_environment({}, syntax_names=[]).model_syntax == ()


LOCATIONS: list[tuple[dict[str, str], str]] = [
    ({}, "http://localhost:8888"),
    # one of the three, the rest from the defaults
    ({"BACKEND_HOST": "box"}, "http://box:8888"),
    ({"BACKEND_PORT": "9"}, "http://localhost:9"),
    ({"BACKEND_PROTOCOL": "https"}, "https://localhost:8888"),
    ({"BACKEND_HOST": "box", "BACKEND_PORT": "443", "BACKEND_PROTOCOL": "https"}, "https://box"),
    # a preset
    ({"BACKEND": "lmstudio"}, "http://localhost:8888"),
    ({"BACKEND": "ollama"}, "http://localhost:11434"),
    ({"BACKEND": "demo"}, "http://localhost:8889"),
    ({"BACKEND": "openai"}, "https://api.openai.com"),
    # one of the three, the rest from the preset; also where it is set to what the default is
    ({"BACKEND": "ollama", "BACKEND_HOST": "box"}, "http://box:11434"),
    ({"BACKEND": "ollama", "BACKEND_PORT": "8888"}, "http://localhost:8888"),
    ({"BACKEND": "openai", "BACKEND_HOST": "gateway"}, "https://gateway"),
    ({"BACKEND": "openai", "BACKEND_HOST": "localhost"}, "https://localhost"),
    ({"BACKEND": "openai", "BACKEND_PROTOCOL": "http"}, "http://api.openai.com:443"),
    ({"BACKEND": "vllm", "BACKEND_HOST": "::1"}, "http://[::1]:8000"),
    ({"BACKEND": "ollama", "BACKEND_HOST": "", "BACKEND_PORT": " "}, "http://localhost:11434"),
    # the whole URL
    ({"BACKEND_URL": "https://all/of/it/v1"}, "https://all/of/it"),
    ({"BACKEND_URL": "http://all:1", "BACKEND_HOST": "box", "BACKEND_PORT": "9"}, "http://all:1"),
    ({"BACKEND_URL": "http://all:1", "BACKEND": "openai"}, "http://all:1"),
    ({"BACKEND_URL": "http://all", "BACKEND": "openai", "BACKEND_PROTOCOL": "https"}, "http://all"),
    ({"BACKEND_URL": "", "BACKEND": "ollama"}, "http://localhost:11434"),
]


@pytest.mark.parametrize(("environ", "url"), LOCATIONS, ids=lambda value: str(value))
def test_backend_url(environ: dict[str, str], url: str) -> None:
    settings = Config.from_environment(environ)
    assert settings.backend_url == url
    assert settings.backend == environ.get("BACKEND")


PLACES = {
    "lmstudio": ("localhost", 8888, "http", "http://localhost:8888"),
    "ollama": ("localhost", 11434, "http", "http://localhost:11434"),
    "llamacpp": ("localhost", 8080, "http", "http://localhost:8080"),
    "vllm": ("localhost", 8000, "http", "http://localhost:8000"),
    "sglang": ("localhost", 30000, "http", "http://localhost:30000"),
    "mlx": ("localhost", 8080, "http", "http://localhost:8080"),
    "openai": ("api.openai.com", 443, "https", "https://api.openai.com"),
    "anthropic": ("api.anthropic.com", 443, "https", "https://api.anthropic.com"),
    "demo": ("localhost", 8889, "http", "http://localhost:8889"),
}


def test_presets() -> None:
    assert list(PRESETS) == list(PLACES)


@pytest.mark.parametrize("name", PLACES)
def test_get_backend_config(name: str) -> None:
    got = get_backend_config(name)
    assert list(got) == ["host", "port", "protocol", "url", "timeout", "description"]
    assert (got["host"], got["port"], got["protocol"], got["url"]) == PLACES[name]
    assert got["timeout"] == read().request_timeout
    assert got["description"]
    assert read(BACKEND=name).backend_url == got["url"]


def test_a_preset_is_itself_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_HOST", "elsewhere")
    monkeypatch.setenv("BACKEND_URL", "http://elsewhere:1")
    assert get_backend_config("lmstudio")["url"] == "http://localhost:8888"


def test_a_preset_is_handed_out_as_a_copy() -> None:
    get_backend_config("ollama")["port"] = 1
    assert get_backend_config("Ollama")["port"] == 11434


def test_unknown_preset() -> None:
    with pytest.raises(ConfigError) as caught:
        get_backend_config("koboldcpp")
    assert str(caught.value) == f"BACKEND='koboldcpp': takes one of {', '.join(PLACES)}"


def test_without_a_file(working_directory: Path) -> None:
    assert Config.from_environment() == read()


def test_the_file_is_read(working_directory: Path) -> None:
    lines = "# ours\nexport PROXY_PORT=5001\nBACKEND='ollama'\nBACKEND_API_KEY=\nLOG_LEVEL\nSOMETHING=else\n"
    (working_directory / ".env").write_text(lines)
    assert Config.from_environment() == read(PROXY_PORT="5001", BACKEND="ollama")


def test_a_real_variable_wins_over_the_file(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (working_directory / ".env").write_text("PROXY_PORT=5001\nLOG_LEVEL=ERROR\n")
    monkeypatch.setenv("PROXY_PORT", "5002")
    assert Config.from_environment() == read(PROXY_PORT="5002", LOG_LEVEL="ERROR")


def test_an_empty_real_variable_does_not_hide_the_file(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (working_directory / ".env").write_text("PROXY_PORT=5001\n")
    monkeypatch.setenv("PROXY_PORT", "")
    assert Config.from_environment().proxy_port == 5001


def test_a_mapping_is_all_that_is_read(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (working_directory / ".env").write_text("PROXY_PORT=5001\n")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    assert Config.from_environment({}) == read()
    assert (Config.from_environment().proxy_port, Config.from_environment().log_level) == (5001, "ERROR")


def test_the_file_is_the_working_directorys_own(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (working_directory / ".env").write_text("PROXY_PORT=5001\n")
    (working_directory / "inner").mkdir()
    monkeypatch.chdir(working_directory / "inner")
    assert Config.from_environment().proxy_port == 5000


def test_the_file_changes_no_environment(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (working_directory / ".env").write_text("PROXY_PORT=5001\n")
    Config.from_environment()
    (working_directory / ".env").unlink()
    assert Config.from_environment().proxy_port == 5000


def test_a_wrong_value_in_the_file(working_directory: Path) -> None:
    (working_directory / ".env").write_text("KEEPALIVE_SECONDS=often\n")
    with pytest.raises(ConfigError, match="KEEPALIVE_SECONDS='often': takes a number of seconds, 0 or more"):
        Config.from_environment()


def test_a_byte_order_mark_is_no_part_of_the_first_name(working_directory: Path) -> None:
    (working_directory / ".env").write_bytes(b"\xef\xbb\xbfPROXY_PORT=5001\r\n")
    assert Config.from_environment().proxy_port == 5001


def test_a_file_in_another_encoding(working_directory: Path) -> None:
    (working_directory / ".env").write_bytes("PROXY_PORT=5001\n".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"^\.env: takes UTF-8 text$"):
        Config.from_environment()


def test_a_file_that_cannot_be_read(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> dict[str, str | None]:
        raise PermissionError(13, "Permission denied", ".env")

    monkeypatch.setattr(config, "dotenv_values", locked)
    with pytest.raises(ConfigError, match=r"^\.env: cannot be read \(Permission denied\)$"):
        Config.from_environment()


def test_the_example_says_what_the_table_says() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    settings = [at for at, line in enumerate(lines) if re.match(r"#\s*[A-Z_]+=", line)]
    assert [lines[at] for at in settings] == [f"# {v.name}={v.default}" for v in VARIABLES]
    assert [lines[at - 1] for at in settings] == [f"# {v.meaning} ({v.kind.takes})" for v in VARIABLES]


def test_the_example_sets_nothing_and_uncommented_changes_nothing() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert dotenv_values(stream=io.StringIO(text)) == {}
    uncommented = dotenv_values(stream=io.StringIO(re.sub(r"^# (?=[A-Z_]+=)", "", text, flags=re.MULTILINE)))
    assert list(uncommented) == NAMES
    assert Config.from_environment({name: value or "" for name, value in uncommented.items()}) == read()


SECRETS = {"BACKEND_API_KEY": "sk-s3cret", "PROXY_API_KEYS": "one-s3cret,two:2-s3cret", "INSPECTOR_KEY": "3-s3cret"}
SECRETS["RECORD_DB"] = "postgresql://user:4-s3cret@host/db"


def test_every_variable_has_a_field() -> None:
    assert {v.field for v in VARIABLES} == {f.name for f in dataclasses.fields(Config)}
    assert len(set(NAMES)) == len(NAMES)
    assert [v.name for v in VARIABLES if v.secret] == list(SECRETS)


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().proxy_port = 1  # type: ignore[misc]
    assert not hasattr(read(), "__dict__")
    assert hash(read()) == hash(read())


def test_describe() -> None:
    described = read(**SECRETS).describe()
    assert list(described) == [f.name for f in dataclasses.fields(Config)]
    assert (described["backend_api_key"], described["proxy_api_keys"]) == ("set", "set")
    assert "s3cret" not in json.dumps(described)
    assert (read().describe()["backend_api_key"], read().describe()["proxy_api_keys"]) == ("unset", "unset")
    assert described["proxy_port"] == 5000


def test_repr_shows_no_secret() -> None:
    assert "s3cret" not in repr(read(**SECRETS))
    assert "s3cret" not in repr(read(**SECRETS).proxy_api_keys)


def test_all_secrets_are_known_as_such() -> None:
    assert set(read(**SECRETS).secrets) == {"sk-s3cret", "one-s3cret", "2-s3cret", "3-s3cret"}
    assert read().secrets == ()


def test_the_defaults_of_the_class_are_those_of_the_variables() -> None:
    assert Config() == Config.from_environment({})


@pytest.mark.parametrize(
    ("given", "forwarded"),
    [
        ({}, set()),
        ({"BACKEND": "openai"}, {"responses"}),
        ({"BACKEND": "anthropic", "FORWARD": "ollama"}, {"messages", "ollama"}),
    ],
)
def test_apis_that_the_backend_serves_itself(given: dict[str, str], forwarded: set[str]) -> None:
    assert read(**given).forwarded == forwarded
