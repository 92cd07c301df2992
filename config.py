"""The settings, read from the environment and `.env` into one frozen `Config`. Importing this file reads nothing.

Every variable is a row of `VARIABLES`; tests hold `.env.example` and the documentation to that table.
May not know: models, syntaxes, requests. The names of the syntax rows are passed in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

from errors import ConfigError
from setting_kinds import (
    BYTES,
    DATABASE,
    DAYS,
    FEW,
    FILE,
    FLAG,
    HOST,
    HOSTS,
    HOURS,
    KEY,
    KEYS,
    LIMIT,
    MODEL_ROWS,
    ORIGINS,
    PORT,
    POSITIVE,
    PREFILLED,
    SECONDS,
    TEMPLATE_FILES,
    URL,
    ClientKey,
    Kind,
    joined_url,
    list_of,
    one_of,
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. `backend_url` has neither a trailing slash nor a trailing `/v1`."""

    REMOVE_THINK_TAGS: ClassVar[bool] = False
    """For compatibility only: converters written for older proxies create a `Config()` and read this attribute."""

    backend_url: str = "http://localhost:8888"
    backend: str | None = None
    backend_api_key: str | None = field(default=None, repr=False)
    proxy_host: str = "0.0.0.0"
    proxy_port: int = 5000
    proxy_api_keys: tuple[ClientKey, ...] = field(default=(), repr=False)
    connect_timeout: float = 10
    connect_retry: float = 2
    first_byte_timeout: float | None = None
    request_timeout: float | None = 300
    convert: bool = True
    forward: tuple[str, ...] = ()
    tool_call_streaming: Literal["incremental", "whole"] = "incremental"
    heal: Literal["off", "repair", "retry"] = "repair"
    heal_attempts: int = 2
    adapt: bool = True
    tool_prompting: Literal["auto", "native", "prompt"] = "auto"
    raw: Literal["auto", "on", "off"] = "auto"
    constrain: bool = False
    state_file: str | None = None
    learn_hours: float = 24
    reasoning_field: Literal["reasoning_content", "reasoning", "both", "content", "none"] = "reasoning_content"
    reasoning_prefilled: bool | None = None
    strip_end_tokens: bool = True
    model_syntax: tuple[tuple[str, str], ...] = ()
    chat_templates: tuple[tuple[str, str], ...] | None = ()
    max_request_bytes: int = 67108864
    client_timeout: float | None = 60
    keepalive_seconds: float = 15
    cors_origins: tuple[str, ...] = ()
    inspector: bool = True
    inspector_key: str | None = field(default=None, repr=False)
    inspector_hosts: tuple[str, ...] = ()
    record: Literal["off", "meta", "full"] = "meta"
    record_db: str | None = field(default=None, repr=False)
    record_days: float = 7
    record_max: int = 100000
    record_bytes: int = 67108864
    log_level: str = "INFO"
    environment: Literal["development", "production", "testing"] = "development"

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, syntax_names: Collection[str] | None = None
    ) -> Config:
        """Read `environ` only; if None, the process environment, which wins over `.env` in the working directory.

        `syntax_names` are the rows that MODEL_SYNTAX may name; None allows any. Raises ConfigError for an invalid
        value, for a misspelt variable name, and for a backend that is this proxy itself.
        """
        sources = (_dotenv(), os.environ) if environ is None else (environ,)
        given = _given(*sources)
        for source in sources:
            _refuse_misspelt(source)
        values: dict[str, Any] = {v.name: v.read(given.get(v.name, v.default)) for v in VARIABLES}
        _refuse_endpoint(given.get("BACKEND_URL", ""))
        if syntax_names is not None:
            unknown = [row for _, row in values["MODEL_SYNTAX"] if row not in syntax_names]
            if unknown:
                because = f"; {unknown[0]!r} is not one of {', '.join(sorted(syntax_names))}"
                raise _MODEL_SYNTAX.refusal(given["MODEL_SYNTAX"], because)
        settings = {v.field: values[v.name] for v in VARIABLES}
        config = cls(**settings | {"backend_url": _backend_url(given, values)})
        _refuse_own_address(config, given)
        return config

    @property
    def forwarded(self) -> frozenset[str]:
        """The client APIs whose requests go to the backend as they are: set, or the vendor's own."""
        return frozenset({*self.forward, *_SERVED_BY.get(self.backend or "", ())})

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every key of the settings: none may be told to anybody."""
        keys = (self.backend_api_key, self.inspector_key, *(each.key for each in self.proxy_api_keys))
        return tuple(filter(None, keys))

    def warnings(self) -> tuple[str, ...]:
        """Settings that are valid but probably a mistake, one line each, for the log at the start."""
        return tuple(_warnings(self))

    def describe(self) -> dict[str, object]:
        """Every setting by field name, for logs. A secret is shown only as `set` or `unset`."""
        secrets = {v.field for v in VARIABLES if v.secret}
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: ("set" if v else "unset") if name in secrets else v for name, v in values.items()}


def get_backend_config(name: str) -> dict[str, Any]:
    """The preset `name`, in upper or lower case. The environment does not change it.

    Returns `host`, `port`, `protocol`, `url`, `timeout` in seconds and `description`. Raises ConfigError for an unknown
    name.
    """
    preset = PRESETS.get(name.lower())
    if preset is None:
        raise _BACKEND.refusal(name)
    return dict(preset)


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `default` is spelled as in `.env`, empty if there is none.

    `meaning` is one line for users, in `--help` and `.env.example`. `kept_as` names the field of Config, where that is
    not the variable's name in lower case.
    """

    name: str
    default: str
    kind: Kind
    meaning: str
    secret: bool = False
    kept_as: str = ""

    @property
    def field(self) -> str:
        """The name of the field of Config that holds the value."""
        return self.kept_as or self.name.lower()

    def read(self, text: str) -> object:
        """The value of `text`, empty if the variable is not set. Raises ConfigError for an invalid one."""
        try:
            return self.kind.parse(text) if text else self.kind.unset
        except (KeyError, ValueError):  # their messages may quote a secret, so `from None` hides them
            raise self.refusal(text) from None

    def refusal(self, text: str, because: str = "") -> ConfigError:
        """The error for the invalid value `text`; `because` is added at the end of its line."""
        return ConfigError(f"{self.name}={self.shown(text)}: takes {self.kind.takes}{because}")

    def shown(self, text: str) -> str:
        """The value as an error message may quote it: shortened, and hidden if it may contain a secret."""
        # A URL with a password or a key may be pasted into any variable. Only glob patterns contain ? and @ normally.
        hidden = self.secret or (self.kind is not MODEL_ROWS and any(mark in text for mark in "@?#"))
        return "(hidden)" if hidden else repr(text if len(text) <= 80 else text[:80] + "…")


def _dotenv() -> Mapping[str, str | None]:
    """The variables of `.env`. Raises ConfigError if the file cannot be read."""
    try:
        # Only in the working directory: a .env further up belongs to another project. Windows Notepad writes a BOM.
        return dotenv_values(".env", encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(".env: takes UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f".env: cannot be read ({error.strerror})") from None


def _given(*sources: Mapping[str, str | None]) -> dict[str, str]:
    """The variables that are set; a later source wins. An empty value counts as unset, so it overrides nothing."""
    texts = [(v.name, (source.get(v.name) or "").strip()) for source in sources for v in VARIABLES]
    return {name: text for name, text in texts if text}


def _backend_url(given: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """The backend's URL, by precedence: BACKEND_URL, the parts that are set, the preset, the defaults of the parts."""
    preset = PRESETS.get(values["BACKEND"], {})

    def part(name: str, key: str) -> Any:
        return values[name] if name in given else preset.get(key, values[name])

    parts = part("BACKEND_PROTOCOL", "protocol"), part("BACKEND_HOST", "host"), part("BACKEND_PORT", "port")
    return values["BACKEND_URL"] or joined_url(*parts)


def _warnings(config: Config) -> Iterator[str]:
    backend = urlsplit(config.backend_url)
    if not config.proxy_api_keys and not _is_loopback(config.proxy_host):
        use = "use the backend with your BACKEND_API_KEY" if config.backend_api_key else "use the backend"
        yield f"PROXY_HOST={config.proxy_host} without PROXY_API_KEYS: anyone who can reach this machine can {use}"
    if not config.proxy_api_keys and "*" in config.cors_origins:
        yield "CORS_ORIGINS=* without PROXY_API_KEYS: any web page that a user opens can use the backend"
    if config.proxy_api_keys and not config.backend_api_key and backend.scheme == "https":
        yield "PROXY_API_KEYS without BACKEND_API_KEY: clients' keys are not sent on, so the backend receives no key"


def _refuse_misspelt(source: Mapping[str, str | None]) -> None:
    """Raises ConfigError for a set name that is one typing error from a variable's: it would have no effect."""
    known = {v.name for v in VARIABLES}
    for name, text in source.items():
        if name in known or name in _OF_OTHER_PROGRAMS or not name.isprintable() or not (text or "").strip():
            continue
        for variable in VARIABLES:
            if len(variable.name) >= _MIN_COMPARED and _one_edit_apart(name, variable.name):
                meant = f"did you mean {variable.name}? It takes {variable.kind.takes}"
                raise ConfigError(f"{name}={variable.shown(text or '')}: no such setting; {meant}")


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether a single edit makes them equal: a character inserted, deleted or replaced, or two neighbours swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    same = next((pos for pos, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[same:], other[same:]
    if one[1:] == other[1:] or one[1:] == other or one == other[1:]:
        return True
    return one[:2] == other[1::-1] and one[2:] == other[2:]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_endpoint(text: str) -> None:
    """Raises ConfigError for a BACKEND_URL that ends in an endpoint of the API."""
    if found := _ENDPOINT.search(text):
        raise _BACKEND_URL.refusal(text, f"; leave out {found.group()}")


def _refuse_own_address(config: Config, given: Mapping[str, str]) -> None:
    """Raises ConfigError for a backend at this proxy's own address: a request would be sent in an endless loop."""
    backend = urlsplit(config.backend_url)
    port = backend.port or {"http": 80, "https": 443}[backend.scheme]
    hosts = (backend.hostname or "", config.proxy_host)
    both_local = all(host in ("0.0.0.0", "::") or _is_loopback(host) for host in hosts)
    if port == config.proxy_port and (both_local or hosts[0] == hosts[1]):
        deciding = ("BACKEND_URL", "BACKEND_PORT", "BACKEND_HOST", "BACKEND", "PROXY_PORT")
        name = next(name for name in deciding if name in given)
        variable = next(v for v in VARIABLES if v.name == name)
        because = f"; {config.backend_url} is this proxy itself (PROXY_PORT={config.proxy_port})"
        raise variable.refusal(given[name], because)


def _preset(host: str, port: int, description: str, protocol: str = "http") -> Mapping[str, str | int]:
    url = joined_url(protocol, host, port)
    return {"host": host, "port": port, "protocol": protocol, "url": url, "timeout": 300, "description": description}


PRESETS: Mapping[str, Mapping[str, str | int]] = {
    # 8888 is the documented default of this preset; LM Studio's own default is 1234.
    "lmstudio": _preset("localhost", 8888, "LM Studio's local server"),
    "ollama": _preset("localhost", 11434, "Ollama"),
    "llamacpp": _preset("localhost", 8080, "llama.cpp's llama-server"),
    "vllm": _preset("localhost", 8000, "vLLM"),
    "sglang": _preset("localhost", 30000, "SGLang"),
    "mlx": _preset("localhost", 8080, "MLX's mlx_lm.server"),
    "openai": _preset("api.openai.com", 443, "the OpenAI API", "https"),
    "anthropic": _preset("api.anthropic.com", 443, "the Anthropic API, in its OpenAI-compatible form", "https"),
    "demo": _preset("localhost", 8889, "this project's own demo backend"),
}

_SERVED_BY: Mapping[str, tuple[str, ...]] = {"openai": ("responses",), "anthropic": ("messages",)}
"""Presets whose vendor made one of the client APIs."""

_STREAMING = one_of("incremental", "whole")
_API = one_of("responses", "messages", "ollama")
_APIS = list_of("one or more of responses, messages, ollama, separated by commas", _API.parse)
_HEAL = one_of("off", "repair", "retry")
_ADAPT = one_of(auto=True, off=False)
_PROMPTING = one_of("auto", "native", "prompt")
_RAW = one_of("auto", "on", "off")
_CONSTRAIN = one_of(off=False, auto=True)
_FIELD = one_of("reasoning_content", "reasoning", "both", "content", "none")
_RECORD = one_of("off", "meta", "full")
_LEVEL = one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STAGE = one_of("development", "production", "testing")

_ENDPOINT = re.compile(
    r"(/v1)?/chat/completions/*$|/v1/(completions|embeddings|models|responses|messages)/*$|/api/(chat|generate|tags)/*$",
    re.IGNORECASE,
)
_MIN_COMPARED = 6
"""Characters of the shortest name that is compared. Shorter ones resemble ordinary names: DEAL and REAL for HEAL."""
_OF_OTHER_PROGRAMS = frozenset({"BACKENDS", "CORS_ORIGIN", "LOGLEVEL", "REQUESTS_TIMEOUT"})
"""Names that other programs use and that are one edit from one of ours."""

_BACKEND_URL = Variable(
    "BACKEND_URL", "", URL, "Base URL of the backend, with or without /v1; overrides the four variables below"
)
_BACKEND = Variable("BACKEND", "", one_of(*PRESETS), "Preset: provides host, port and protocol where they are not set")
_MODEL_SYNTAX = Variable("MODEL_SYNTAX", "", MODEL_ROWS, "Syntax of models whose name is not recognised")

VARIABLES = (
    _BACKEND_URL,
    Variable("BACKEND_HOST", "localhost", HOST, "Host name or address of the backend", kept_as="backend_url"),
    Variable("BACKEND_PORT", "8888", PORT, "Port of the backend", kept_as="backend_url"),
    Variable("BACKEND_PROTOCOL", "http", one_of("http", "https"), "Protocol of the backend", kept_as="backend_url"),
    _BACKEND,
    Variable("BACKEND_API_KEY", "", KEY, "Key sent to the backend instead of the client's", secret=True),
    Variable("PROXY_HOST", "0.0.0.0", HOST, "Address to listen on; 127.0.0.1 is this machine only"),
    Variable("PROXY_PORT", "5000", PORT, "Port to listen on"),
    Variable("PROXY_API_KEYS", "", KEYS, "A client must send one of these keys; unset: no key needed", secret=True),
    Variable("CONNECT_TIMEOUT", "10", POSITIVE, "Seconds allowed for connecting to the backend"),
    Variable("CONNECT_RETRY", "2", SECONDS, "Seconds for which a backend that refuses connections is tried again"),
    Variable("FIRST_BYTE_TIMEOUT", "0", LIMIT, "Seconds until the first byte of the backend's answer"),
    Variable("REQUEST_TIMEOUT", "300", LIMIT, "Seconds between two later bytes, and for a whole buffered answer"),
    Variable("ENABLE_TOOL_CALL_CONVERSION", "true", FLAG, "Translate; off: a plain reverse proxy", kept_as="convert"),
    Variable("FORWARD", "", _APIS, "Client APIs that the backend serves itself, separated by commas; not translated"),
    Variable("TOOL_CALL_STREAMING", "incremental", _STREAMING, "Send arguments at once, or calls when complete"),
    Variable("HEAL", "repair", _HEAL, "Repair tool names and arguments; retry: ask again for calls that stay wrong"),
    Variable("HEAL_ATTEMPTS", "2", FEW, "How often HEAL=retry asks again"),
    Variable("ADAPT", "auto", _ADAPT, "Change requests that the backend refuses, and send them again"),
    Variable("TOOL_PROMPTING", "auto", _PROMPTING, "Write tools into the prompt: if they are refused, never, always"),
    Variable("RAW", "auto", _RAW, "Turn off the backend's own parser of calls: if it is missing, always, never"),
    Variable("CONSTRAIN", "off", _CONSTRAIN, "Grammars for demanded calls of prompted tools, where BACKEND takes them"),
    Variable("STATE_FILE", "", FILE, "SQLite file for what was learned of models; unset: in memory"),
    Variable("LEARN_HOURS", "24", HOURS, "Hours for which that counts"),
    Variable("REASONING_FIELD", "reasoning_content", _FIELD, "Field for reasoning; content: in the text; none: drop"),
    Variable("REASONING_PREFILLED", "auto", PREFILLED, "Whether answers start inside reasoning; auto detects it"),
    Variable("STRIP_END_TOKENS", "true", FLAG, "Remove end-of-turn tokens that the server left in the text"),
    _MODEL_SYNTAX,
    Variable(
        "CHAT_TEMPLATES",
        "",
        TEMPLATE_FILES,
        "Chat templates, from which syntaxes are learned, beside those that BACKEND tells",
    ),
    Variable("MAX_REQUEST_BYTES", "67108864", BYTES, "A larger request is refused with status 413"),
    Variable("CLIENT_TIMEOUT", "60", LIMIT, "Seconds between two pieces of a request's body"),
    Variable("KEEPALIVE_SECONDS", "15", SECONDS, "Seconds of silence before a stream gets a comment line; 0 is off"),
    Variable("CORS_ORIGINS", "", ORIGINS, "Origins of web pages that may read answers, besides loopback; * is all"),
    Variable("INSPECTOR", "on", FLAG, "Serve /dragoman/, where one sees what happened and why"),
    Variable("INSPECTOR_KEY", "", KEY, "Key that sees and may do everything under /dragoman/", secret=True),
    Variable("INSPECTOR_HOSTS", "", HOSTS, "Host names of this proxy, besides loopback, for /dragoman/ and /metrics"),
    Variable("RECORD", "meta", _RECORD, "Keep records of exchanges: none, without texts, with prompts and answers"),
    Variable("RECORD_DB", "", DATABASE, "Where records are kept; unset: the last 500 in memory", secret=True),
    Variable("RECORD_DAYS", "7", DAYS, "Days after which a record is deleted from RECORD_DB"),
    Variable("RECORD_MAX", "100000", BYTES, "Records that RECORD_DB keeps at most"),
    Variable("RECORD_BYTES", "67108864", BYTES, "Bytes of all recorded texts; the oldest are deleted first"),
    Variable("LOG_LEVEL", "INFO", _LEVEL, "Lowest level that is logged"),
    Variable("FLASK_ENV", "development", _STAGE, "Log format: readable, JSON, errors only", kept_as="environment"),
)
