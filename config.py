"""The settings: environment and `.env` in, one frozen `Config` out. Nothing is read before it is asked for.

Every variable is a row of `VARIABLES`; `.env.example`, the docs and the tests are held to that table.
This file may not know what a model, a syntax or a request is: the names of the syntax rows are handed in.
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
    """What one process runs with. `backend_url` has neither a trailing slash nor a trailing `/v1`."""

    REMOVE_THINK_TAGS: ClassVar[bool] = False
    """A relic: converters written for the lineage make a `Config()` and read this. Reasoning is split elsewhere."""

    backend_url: str = "http://localhost:8888"
    backend: str | None = None
    backend_api_key: str | None = field(default=None, repr=False)
    proxy_host: str = "0.0.0.0"
    proxy_port: int = 5000
    proxy_api_keys: tuple[str, ...] = field(default=(), repr=False)
    connect_timeout: float = 10
    first_byte_timeout: float | None = None
    request_timeout: float | None = 300
    convert: bool = True
    tool_call_streaming: Literal["incremental", "whole"] = "incremental"
    heal: bool = True
    reasoning_field: Literal["reasoning_content", "reasoning", "both", "content", "none"] = "reasoning_content"
    reasoning_prefilled: bool | None = None
    strip_end_tokens: bool = True
    model_syntax: tuple[tuple[str, str], ...] = ()
    max_request_bytes: int = 67108864
    keepalive_seconds: float = 15
    cors_origins: tuple[str, ...] = ()
    log_level: str = "INFO"
    environment: Literal["development", "production", "testing"] = "development"

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, syntax_names: Collection[str] | None = None
    ) -> Config:
        """Read `environ` and nothing else; without it, the real environment over the `.env` of the working directory.

        Raises ConfigError for a value that its variable does not take, for a name that is one slip from a variable's,
        and for a backend that is this proxy. `syntax_names` are the rows that MODEL_SYNTAX may name.
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
        """What is allowed but probably not meant, one line each, for the log at the start."""
        return tuple(_warnings(self))

    def describe(self) -> dict[str, object]:
        """Every setting, for logs: of a secret only whether it is set."""
        secrets = {v.field for v in VARIABLES if v.secret}
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: ("set" if v else "unset") if name in secrets else v for name, v in values.items()}


def get_backend_config(name: str) -> dict[str, Any]:
    """The preset `name`, in any case of its letters, whatever the environment says.

    Returns `host`, `port`, `protocol`, `url`, `timeout` in seconds and `description`. Raises ConfigError for an unknown
    name.
    """
    preset = PRESETS.get(name.lower())
    if preset is None:
        raise _BACKEND.refusal(name)
    return dict(preset)


class Kind(NamedTuple):
    """What a value can be. `parse` raises ValueError or KeyError for the rest; `takes` ends the error line."""

    takes: str
    parse: Callable[[str], object]
    unset: object = None


@dataclass(frozen=True, slots=True)
class Variable:
    """One row. `default` is as one would write it, empty for none; `field` is where Config keeps it."""

    name: str
    default: str
    kind: Kind
    meaning: str
    secret: bool = False
    kept_as: str = ""

    @property
    def field(self) -> str:
        return self.kept_as or self.name.lower()

    def read(self, text: str) -> object:
        try:
            return self.kind.parse(text) if text else self.kind.unset
        except (KeyError, ValueError):  # both may quote the text, so neither may be seen in a traceback
            raise self.refusal(text) from None

    def refusal(self, text: str, because: str = "") -> ConfigError:
        return ConfigError(f"{self.name}={self.shown(text)}: takes {self.kind.takes}{because}")

    def shown(self, text: str) -> str:
        """A value as an error may quote it: shortened, and hidden where it may hold a secret."""
        # A URL that holds a password or a key may have been pasted anywhere. Glob patterns have ? and @ of their own.
        hidden = self.secret or (self.kind is not _MODEL_ROWS and any(mark in text for mark in "@?#"))
        return "(hidden)" if hidden else repr(text if len(text) <= 80 else text[:80] + "…")


def _dotenv() -> Mapping[str, str | None]:
    try:
        # Only the working directory's: a .env further up belongs to another project. The BOM is Notepad's.
        return dotenv_values(".env", encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(".env: takes UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f".env: cannot be read ({error.strerror})") from None


def _given(*sources: Mapping[str, str | None]) -> dict[str, str]:
    """What is set, the later source winning. Empty counts as unset, so it hides nothing of an earlier source."""
    texts = [(v.name, (source.get(v.name) or "").strip()) for source in sources for v in VARIABLES]
    return {name: text for name, text in texts if text}


def _backend_url(given: Mapping[str, str], values: Mapping[str, Any]) -> str:
    preset = PRESETS.get(values["BACKEND"], {})

    def part(name: str, key: str) -> Any:
        return values[name] if name in given else preset.get(key, values[name])

    parts = part("BACKEND_PROTOCOL", "protocol"), part("BACKEND_HOST", "host"), part("BACKEND_PORT", "port")
    return values["BACKEND_URL"] or _joined(*parts)


def _joined(protocol: str, host: str, port: int | None, path: str = "") -> str:
    # The scheme's own port is left out: some gateways match the Host header to the letter.
    colon_port = "" if port in (None, {"http": 80, "https": 443}[protocol]) else f":{port}"
    return f"{protocol}://{f'[{host}]' if ':' in host else host}{colon_port}{path}"


def _warnings(config: Config) -> Iterator[str]:
    backend = urlsplit(config.backend_url)
    if not config.proxy_api_keys and not _is_loopback(config.proxy_host):
        use = "use the backend with your BACKEND_API_KEY" if config.backend_api_key else "use the backend"
        yield f"PROXY_HOST={config.proxy_host} without PROXY_API_KEYS: whoever can reach this machine can {use}"
    if not config.proxy_api_keys and "*" in config.cors_origins:
        yield "CORS_ORIGINS=* without PROXY_API_KEYS: any web page that a user opens can use the backend"
    if config.proxy_api_keys and not config.backend_api_key and backend.scheme == "https":
        yield "PROXY_API_KEYS without BACKEND_API_KEY: clients' keys stay here, so the backend gets none"


def _refuse_misspelt(source: Mapping[str, str | None]) -> None:
    """Raises ConfigError for a name that is set, is no variable, and is one slip from one: it would have no effect."""
    known = {v.name for v in VARIABLES}
    for name, text in source.items():
        if name in known or name in _OTHERS or not name.isprintable() or not (text or "").strip():
            continue
        for variable in VARIABLES:
            if len(variable.name) >= _TELLING and _one_slip(name, variable.name):
                meant = f"did you mean {variable.name}? It takes {variable.kind.takes}"
                raise ConfigError(f"{name}={variable.shown(text or '')}: no such setting; {meant}")


def _one_slip(one: str, other: str) -> bool:
    """Whether a letter is missing, added or another, or two neighbours have changed places."""
    if abs(len(one) - len(other)) > 1:
        return False
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[same:], other[same:]
    if one[1:] == other[1:] or one[1:] == other or one == other[1:]:
        return True
    return one[:2] == other[1::-1] and one[2:] == other[2:]


def _refuse_endpoint(text: str) -> None:
    """Raises ConfigError for a BACKEND_URL that is a path of the API rather than its base."""
    if found := _ENDPOINT.search(text):
        raise _BACKEND_URL.refusal(text, f"; leave out {found.group()}")


def _refuse_own_address(config: Config, given: Mapping[str, str]) -> None:
    """Raises ConfigError for a backend that is the address of this proxy: each request would come back to it."""
    backend = urlsplit(config.backend_url)
    port = backend.port or {"http": 80, "https": 443}[backend.scheme]
    ends = (backend.hostname or "", config.proxy_host)
    every = all(end in ("0.0.0.0", "::") or _is_loopback(end) for end in ends)
    if port == config.proxy_port and (every or ends[0] == ends[1]):
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
    # Not urlsplit: it drops tabs and newlines silently, and what it accepts here is mostly what must be refused.
    parts = _matching(r"(?!.*[?#\\])(https?)://(\[[^\]/]+\]|[^\[\]:/]+)(?::([0-9]+))?(/[!-~]*)?", text)
    protocol, host, port, path = parts.groups(default="")
    if {".", ".."} & set(path.split("/")):
        raise ValueError
    while path.endswith(("/", "/v1")):
        path = path.removesuffix("/").removesuffix("/v1")
    return _joined(protocol.lower(), _host(host), _whole(port, 1, 65535) if port else None, path)


def _host(text: str) -> str:
    """Lower case, IPv6 without brackets. A zone (`%eth0`) has no agreed place in a URL and is refused."""
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
    # Desktop and editor clients have schemes of their own: app://, tauri://, vscode-webview://
    return _matching(r"\*|[a-z][a-z0-9+.-]*://[^\s/@?#*]+", text.removesuffix("/")).group().lower()


def _one_of(*names: str, **also: object) -> Kind:
    values = {name.lower(): name for name in names} | also
    return Kind(f"one of {', '.join([*names, *also])}", lambda text: values[text.lower()])


def _list_of(takes: str, item: Callable[[str], object]) -> Kind:
    def parse(text: str) -> tuple[object, ...]:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not parts:  # nothing but commas is a slip; read as an empty list it could open what was to be closed
            raise ValueError
        return tuple(dict.fromkeys(map(item, parts)))

    return Kind(takes, parse, ())


def _preset(host: str, port: int, description: str, protocol: str = "http") -> Mapping[str, str | int]:
    url = _joined(protocol, host, port)
    return {"host": host, "port": port, "protocol": protocol, "url": url, "timeout": 300, "description": description}


PRESETS: Mapping[str, Mapping[str, str | int]] = {
    # 8888 is what users were promised; LM Studio's own default is 1234.
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
_STREAMING = _one_of("incremental", "whole")
_HEAL = _one_of(off=False, repair=True)
_FIELD = _one_of("reasoning_content", "reasoning", "both", "content", "none")
_LEVEL = _one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STAGE = _one_of("development", "production", "testing")

_ENDPOINT = re.compile(
    r"(/v1)?/chat/completions/*$|/v1/(completions|embeddings|models|responses|messages)/*$|/api/(chat|generate|tags)/*$",
    re.IGNORECASE,
)
_TELLING = 6
"""Characters of a name from which on one slip is no coincidence: DEAL, HEAP and REAL are one letter from HEAL."""
_OTHERS = frozenset({"BACKENDS", "CORS_ORIGIN", "LOGLEVEL", "REQUESTS_TIMEOUT"})
"""Names that are one slip from ours and in use by other programs."""

_BACKEND_URL = Variable(
    "BACKEND_URL", "", _URL, "The backend's whole base URL, with or without /v1; wins over the four below"
)
_BACKEND = Variable("BACKEND", "", _one_of(*PRESETS), "Preset that fills in what is unset of the three above")
_MODEL_SYNTAX = Variable("MODEL_SYNTAX", "", _MODEL_ROWS, "The syntax of models whose name does not tell")

VARIABLES = (
    _BACKEND_URL,
    Variable("BACKEND_HOST", "localhost", _HOST, "The backend's host name or address", kept_as="backend_url"),
    Variable("BACKEND_PORT", "8888", _PORT, "The backend's port", kept_as="backend_url"),
    Variable("BACKEND_PROTOCOL", "http", _one_of("http", "https"), "The backend's protocol", kept_as="backend_url"),
    _BACKEND,
    Variable("BACKEND_API_KEY", "", _KEY, "Key sent to the backend instead of the client's", secret=True),
    Variable("PROXY_HOST", "0.0.0.0", _HOST, "Address to listen on; 127.0.0.1 is this machine only"),
    Variable("PROXY_PORT", "5000", _PORT, "Port to listen on"),
    Variable("PROXY_API_KEYS", "", _KEYS, "Keys of which a client must send one; unset lets all in", secret=True),
    Variable("CONNECT_TIMEOUT", "10", _POSITIVE, "How long connecting to the backend may take"),
    Variable("FIRST_BYTE_TIMEOUT", "0", _LIMIT, "How long the backend's first byte may take"),
    Variable("REQUEST_TIMEOUT", "300", _LIMIT, "How long it may pause after that, or a buffered answer take"),
    Variable("ENABLE_TOOL_CALL_CONVERSION", "true", _FLAG, "Translate; off: only a reverse proxy", kept_as="convert"),
    Variable("TOOL_CALL_STREAMING", "incremental", _STREAMING, "Arguments as they are written, or each call whole"),
    Variable("HEAL", "repair", _HEAL, "Put names and arguments right, or leave them as the model wrote them"),
    Variable("REASONING_FIELD", "reasoning_content", _FIELD, "Where reasoning goes; content leaves it, none drops it"),
    Variable("REASONING_PREFILLED", "auto", _PREFILLED, "Whether replies start inside reasoning; auto finds out"),
    Variable("STRIP_END_TOKENS", "true", _FLAG, "Remove end-of-turn tokens that are left in the text"),
    _MODEL_SYNTAX,
    Variable("MAX_REQUEST_BYTES", "67108864", _BYTES, "A larger request is refused with status 413"),
    Variable("KEEPALIVE_SECONDS", "15", _SECONDS, "Silence before a stream gets a comment as a sign of life; 0 is off"),
    Variable("CORS_ORIGINS", "", _ORIGINS, "Web pages let in besides those of loopback; * is every one"),
    Variable("LOG_LEVEL", "INFO", _LEVEL, "How much is logged"),
    Variable("FLASK_ENV", "development", _STAGE, "How logs look: readable, JSON lines, quiet", kept_as="environment"),
)
