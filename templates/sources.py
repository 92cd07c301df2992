"""Where chat templates lie: `.jinja`, `tokenizer_config.json`, `chat_template.json`, `.gguf`, and folders of them.

What CHAT_TEMPLATES names and cannot be read ends the start with one line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from converters.builtin import plain_name
from errors import ConfigError
from templates.gguf import NotGguf, read_gguf

_LARGEST = 64 << 20
"""Bytes of a file of text."""
_MOST_FILES = 4096
_TOKENIZER, _TEMPLATE_JSON, _TEMPLATE_JINJA = "tokenizer_config.json", "chat_template.json", "chat_template.jinja"
_NAMED_FOR_FOLDER = (_TEMPLATE_JINJA, _TEMPLATE_JSON, _TOKENIZER)
"""Files that serve the models of their folder's name, those first that win."""
_PREFERRED = ("tool_use", "default")
"""Which of several named templates is read: the first of these that there is."""


class NoTemplate(ValueError):
    """A file holds no chat template; `str()` says why, in one line."""


@dataclass(frozen=True, slots=True)
class Template:
    """One chat template, and what its tokenizer tells it."""

    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    special: tuple[str, ...] = ()
    """The tokenizer's special tokens, where they are known."""

    @property
    def key(self) -> str:
        """The hash of all of it."""
        told = json.dumps([self.text, dict(self.variables), self.special], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Source:
    """A file with a template, and the models that it serves."""

    path: Path
    pattern: str = ""
    """A glob pattern of models' names; empty: those whose name contains `name`."""
    name: str = ""

    def serves(self, model: str) -> bool:
        """Whether the template is that of a model."""
        if self.pattern:
            return fnmatchcase(model.lower(), self.pattern.lower())
        return bool(self.name) and self.name in plain_name(model)


def sources_of(places: Iterable[tuple[str, str]]) -> list[Source]:
    """The files of CHAT_TEMPLATES, in the order in which they are asked. Raises ConfigError for one that is not there.

    A place is (pattern, path): without a pattern the path is a folder, or a file that serves the models of its name.
    """
    found: list[Source] = []
    for pattern, text in places:
        path = Path(text).expanduser()
        if path.is_dir() and not pattern:
            found += sorted(_in_folder(path), key=lambda source: -len(source.name))
        elif path.is_dir():
            file = next((path / name for name in _NAMED_FOR_FOLDER if (path / name).is_file()), None)
            if file is None:
                raise ConfigError(f"CHAT_TEMPLATES: the folder {text!r} holds none of {', '.join(_NAMED_FOR_FOLDER)}")
            found.append(Source(file, pattern))
        elif path.is_file():
            found.append(Source(path, pattern, _served(path)))
        else:
            raise ConfigError(f"CHAT_TEMPLATES: there is no file or folder {text!r}")
    return found


def _served(path: Path) -> str:
    named = path.parent.resolve().name if path.name in _NAMED_FOR_FOLDER else path.stem
    return plain_name(named)


def _in_folder(folder: Path) -> Iterator[Source]:
    """The files of a folder and of those in it that hold a template."""
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count >= _MOST_FILES:
            raise ConfigError(f"CHAT_TEMPLATES: the folder {str(folder)!r} holds more than {_MOST_FILES} files")
        if path.name in _NAMED_FOR_FOLDER:
            better = _NAMED_FOR_FOLDER[: _NAMED_FOR_FOLDER.index(path.name)]
            if not any((path.parent / name).is_file() for name in better) and _holds_template(path):
                yield Source(path, name=_served(path))
        elif path.suffix in (".jinja", ".gguf") and path.is_file():
            yield Source(path, name=_served(path))


def _holds_template(path: Path) -> bool:
    """Whether a tokenizer's configuration has a template: many have none."""
    try:
        return path.name != _TOKENIZER or bool(_json(path).get("chat_template"))
    except NoTemplate:
        return True  # that it cannot be read is told when it is


def read_template(path: Path) -> Template:
    """The template of a file. Raises NoTemplate."""
    try:
        if path.suffix == ".gguf":
            return _from_gguf(path)
        tokenizer = path if path.name == _TOKENIZER else path.with_name(_TOKENIZER)
        told = _json(tokenizer) if tokenizer.is_file() and path.name in _NAMED_FOR_FOLDER else {}
        held = _json(path).get("chat_template") if path.suffix == ".json" else _text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise NoTemplate(f"it cannot be read ({type(error).__name__})") from None
    return Template(_one(held), _variables(told), _special(told))


def _from_gguf(path: Path) -> Template:
    try:
        metadata = read_gguf(path)
    except NotGguf as error:
        raise NoTemplate(str(error)) from None
    variables = {"bos_token": metadata.bos, "eos_token": metadata.eos}
    return Template(_one(dict(metadata.templates)), variables, metadata.special)


def from_tokenizer(told: Mapping[str, Any]) -> Template:
    """The template in the configuration of a tokenizer. Raises NoTemplate."""
    return Template(_one(told.get("chat_template")), _variables(told), _special(told))


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise NoTemplate(f"it has more than {_LARGEST} bytes")
    return path.read_text(encoding="utf-8-sig")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_text(path))
    except (OSError, ValueError, RecursionError):
        raise NoTemplate("it is no JSON") from None
    return value if isinstance(value, dict) else {}


def _one(held: Any) -> str:
    """The one template that is read of what a file holds: a text, a list of named ones, or an object of them."""
    if isinstance(held, list):
        held = {str(each.get("name")): each.get("template") for each in held if isinstance(each, dict)}
    if isinstance(held, dict):
        held = next((held[name] for name in (*_PREFERRED, *held) if isinstance(held.get(name), str)), None)
    if not isinstance(held, str) or not held.strip():
        raise NoTemplate("it holds no chat template")
    return held


def _token(value: Any) -> str:
    value = value.get("content") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""


def _variables(told: Mapping[str, Any]) -> dict[str, str]:
    """What Transformers gives a template of its tokenizer: the tokens that have a name."""
    named = {key: _token(value) for key, value in told.items() if key.endswith("_token")}
    return {"bos_token": "", "eos_token": ""} | {key: token for key, token in named.items() if token}


def _special(told: Mapping[str, Any]) -> tuple[str, ...]:
    added = told.get("added_tokens_decoder")
    entries = added.values() if isinstance(added, dict) else ()
    tokens = [_token(each) for each in entries if isinstance(each, dict) and each.get("special")]
    extra = told.get("additional_special_tokens")
    tokens += [_token(each) for each in (extra if isinstance(extra, list) else ())]
    return tuple(dict.fromkeys(token for token in tokens if token))
