"""The settings, read from the environment and `.env` into one frozen `Config`. Importing this file reads nothing.

Every variable is a row of `VARIABLES`; tests hold `.env.example` and the documentation to that table.
May not know: models, syntaxes, requests. The names of the syntax rows are passed in.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values

from errors import ConfigError


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
    proxy_api_keys: tuple[str, ...] = field(default=(), repr=False)
    connect_timeout: float = 10
    connect_retry: float = 2
    first_byte_timeout: float | None = None
    request_timeout: float | None = 300
    convert: bool = True
    tool_call_streaming: Literal["incremental", "whole"] = "incremental"
    heal: bool = True
    reasoning_field: Literal["reasoning_content", "reasoning", "both", "content", "none"] = "reasoning_content"
    reasoning_prefilled: bool | None = None
    strip_end_tokens: bool = True
    model_syntax: tuple[tuple[str, str], ...] = ()
    chat_templates: tuple[tuple[str, str], ...] = ()
    max_request_bytes: int = 67108864
    client_timeout: float | None = 60
    keepalive_seconds: float = 15
    cors_origins: tuple[str, ...] = ()
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


class Kind(NamedTuple):
    """A type of value. `parse` raises ValueError or KeyError for an invalid text; `takes` says in words what is valid.

    `unset` is the value of a variable that has neither a text nor a default.
    """

    takes: str
    parse: Callable[[str], object]
    unset: object = None


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
        hidden = self.secret or (self.kind is not _MODEL_ROWS and any(mark in text for mark in "@?#"))
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
    return values["BACKEND_URL"] or _joined(*parts)


def _joined(protocol: str, host: str, port: int | None, path: str = "") -> str:
    # The scheme's default port is left out: some gateways compare the Host header literally.
    colon_port = "" if port in (None, {"http": 80, "https": 443}[protocol]) else f":{port}"
    return f"{protocol}://{f'[{host}]' if ':' in host else host}{colon_port}{path}"


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


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _matching(pattern: str, text: str) -> re.Match[str]:
    match = re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)
    if match is None:
        raise ValueError
    return match


def _url(text: str) -> str:
    # Not urlsplit(): it removes tabs and newlines silently, and accepts most of what must be refused here.
    parts = _matching(r"(?!.*[?#\\])(https?)://(\[[^\]/]+\]|[^\[\]:/]+)(?::([0-9]+))?(/[!-~]*)?", text)
    protocol, host, port, path = parts.groups(default="")
    if {".", ".."} & set(path.split("/")):
        raise ValueError
    while path.endswith(("/", "/v1")):
        path = path.removesuffix("/").removesuffix("/v1")
    return _joined(protocol.lower(), _host(host), _whole(port, 1, 65535) if port else None, path)


def _host(text: str) -> str:
    """The host in lower case, IPv6 without brackets. A zone (`%eth0`) is refused: URLs have no standard form for it."""
    bare = text[1:-1] if text[0] + text[-1] == "[]" else text
    if ":" in bare or bare != text:
        return str(IPv6Address(_matching(r"[0-9a-f:.]+", bare).group()))
    return _matching(r"[a-z0-9_][a-z0-9_.-]*", bare).group().lower()


def _whole(text: str, low: int, high: float) -> int:
    number = int(_matching(r"[0-9]{1,18}", text).group())
    if not low <= number <= high:
        raise ValueError
    return number


def _seconds(text: str, above: float = -1) -> float:
    number = float(_matching(r"[0-9.]+(e[+-]?[0-9]+)?", text).group())
    if not above < number < math.inf:
        raise ValueError
    return number


def _origin(text: str) -> str:
    # Desktop and editor clients use their own schemes: app://, tauri://, vscode-webview://
    return _matching(r"\*|[a-z][a-z0-9+.-]*://[^\s/@?#*]+", text.removesuffix("/")).group().lower()


def _one_of(*names: str, **also: object) -> Kind:
    values = {name.lower(): name for name in names} | also
    return Kind(f"one of {', '.join([*names, *also])}", lambda text: values[text.lower()])


def _list_of(takes: str, item: Callable[[str], object]) -> Kind:
    def parse(text: str) -> tuple[object, ...]:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not parts:  # only commas: as an empty list it could allow access that the user meant to restrict
            raise ValueError
        return tuple(dict.fromkeys(map(item, parts)))

    return Kind(takes, parse, ())


def _preset(host: str, port: int, description: str, protocol: str = "http") -> Mapping[str, str | int]:
    url = _joined(protocol, host, port)
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

_ON_OFF = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}
_FLAG = _one_of(**_ON_OFF)
_PREFILLED = _one_of(auto=None, **_ON_OFF)
_HOST = Kind("a host name or an IP address, without protocol, port or path", _host)
_PORT = Kind("a whole number from 1 to 65535", lambda text: _whole(text, 1, 65535))
_URL = Kind("an http:// or https:// URL without credentials, query or fragment", _url)
_BYTES = Kind("a whole number, 1 or more", lambda text: _whole(text, 1, math.inf))
_SECONDS = Kind("a number of seconds, 0 or more", _seconds)
_POSITIVE = Kind("a number of seconds above 0", lambda text: _seconds(text, above=0))
_LIMIT = Kind("a number of seconds, 0 for no limit", lambda text: _seconds(text) or None)
_KEY = Kind("a key of visible ASCII characters, without 'Bearer'", lambda text: _matching(r"[!-~]+", text).group())
_KEYS = _list_of("keys of visible ASCII characters, separated by commas", _KEY.parse)
_ORIGINS = _list_of("origins such as https://app.example:8443, separated by commas, or *", _origin)
_MODEL_ROWS = _list_of(
    "pattern=row, such as my-finetune*=glm45, several separated by commas",
    lambda text: _matching(r"(.*\S)\s*=\s*([^=\s]+)", text).groups(),
)
_TEMPLATE_FILES = _list_of(
    "a folder or pattern=path, such as my-finetune*=model.gguf, several separated by commas",
    lambda text: _matching(r"(?:([^=]*[^=\s])\s*=)?\s*([^=]*[^=\s])", text).groups(default=""),
)
_STREAMING = _one_of("incremental", "whole")
_HEAL = _one_of(off=False, repair=True)
_FIELD = _one_of("reasoning_content", "reasoning", "both", "content", "none")
_LEVEL = _one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STAGE = _one_of("development", "production", "testing")

_ENDPOINT = re.compile(
    r"(/v1)?/chat/completions/*$|/v1/(completions|embeddings|models|responses|messages)/*$|/api/(chat|generate|tags)/*$",
    re.IGNORECASE,
)
_MIN_COMPARED = 6
"""Characters of the shortest name that is compared. Shorter ones resemble ordinary names: DEAL and REAL for HEAL."""
_OF_OTHER_PROGRAMS = frozenset({"BACKENDS", "CORS_ORIGIN", "LOGLEVEL", "REQUESTS_TIMEOUT"})
"""Names that other programs use and that are one edit from one of ours."""

_BACKEND_URL = Variable(
    "BACKEND_URL", "", _URL, "Base URL of the backend, with or without /v1; overrides the four variables below"
)
_BACKEND = Variable("BACKEND", "", _one_of(*PRESETS), "Preset: provides host, port and protocol where they are not set")
_MODEL_SYNTAX = Variable("MODEL_SYNTAX", "", _MODEL_ROWS, "Syntax of models whose name is not recognised")

VARIABLES = (
    _BACKEND_URL,
    Variable("BACKEND_HOST", "localhost", _HOST, "Host name or address of the backend", kept_as="backend_url"),
    Variable("BACKEND_PORT", "8888", _PORT, "Port of the backend", kept_as="backend_url"),
    Variable("BACKEND_PROTOCOL", "http", _one_of("http", "https"), "Protocol of the backend", kept_as="backend_url"),
    _BACKEND,
    Variable("BACKEND_API_KEY", "", _KEY, "Key sent to the backend instead of the client's", secret=True),
    Variable("PROXY_HOST", "0.0.0.0", _HOST, "Address to listen on; 127.0.0.1 is this machine only"),
    Variable("PROXY_PORT", "5000", _PORT, "Port to listen on"),
    Variable("PROXY_API_KEYS", "", _KEYS, "A client must send one of these keys; unset: no key needed", secret=True),
    Variable("CONNECT_TIMEOUT", "10", _POSITIVE, "Seconds allowed for connecting to the backend"),
    Variable("CONNECT_RETRY", "2", _SECONDS, "Seconds for which a backend that refuses connections is tried again"),
    Variable("FIRST_BYTE_TIMEOUT", "0", _LIMIT, "Seconds until the first byte of the backend's answer"),
    Variable("REQUEST_TIMEOUT", "300", _LIMIT, "Seconds between two later bytes, and for a whole buffered answer"),
    Variable("ENABLE_TOOL_CALL_CONVERSION", "true", _FLAG, "Translate; off: a plain reverse proxy", kept_as="convert"),
    Variable("TOOL_CALL_STREAMING", "incremental", _STREAMING, "Send arguments at once, or calls when complete"),
    Variable("HEAL", "repair", _HEAL, "Repair tool names and arguments, or leave them as the model wrote them"),
    Variable("REASONING_FIELD", "reasoning_content", _FIELD, "Field for reasoning; content: in the text; none: drop"),
    Variable("REASONING_PREFILLED", "auto", _PREFILLED, "Whether answers start inside reasoning; auto detects it"),
    Variable("STRIP_END_TOKENS", "true", _FLAG, "Remove end-of-turn tokens that the server left in the text"),
    _MODEL_SYNTAX,
    Variable("CHAT_TEMPLATES", "", _TEMPLATE_FILES, "Files that tell how models write calls: their chat templates"),
    Variable("MAX_REQUEST_BYTES", "67108864", _BYTES, "A larger request is refused with status 413"),
    Variable("CLIENT_TIMEOUT", "60", _LIMIT, "Seconds between two pieces of a request's body"),
    Variable("KEEPALIVE_SECONDS", "15", _SECONDS, "Seconds of silence before a stream gets a comment line; 0 is off"),
    Variable("CORS_ORIGINS", "", _ORIGINS, "Origins of web pages that may read answers, besides loopback; * is all"),
    Variable("LOG_LEVEL", "INFO", _LEVEL, "Lowest level that is logged"),
    Variable("FLASK_ENV", "development", _STAGE, "Log format: readable, JSON, errors only", kept_as="environment"),
)
