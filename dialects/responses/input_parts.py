"""The content of messages and of tool results, part by part, as chat completions spell it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from errors import RequestError

Part = dict[str, Any]

_TEXTS = ("text", "refusal", "transcript")
"""Where the text of a part stands, whatever the part is called."""


def chat_content(content: Any, where: str) -> str | list[Part]:
    """A text, or parts where there is more than text. Raises RequestError, which names a place in `where`."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        raise RequestError(f"'{where}' must be a string or a list.", param=where)
    parts = [_chat_part(part, f"{where}[{place}]") for place, part in enumerate(content)]
    parts = [part for part in parts if part.get("text") != ""]
    if all(part["type"] == "text" for part in parts):
        return joined_text(parts)
    return parts


def joined_text(parts: Sequence[Part]) -> str:
    """The texts of parts, a line each."""
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def text_of(content: Any, where: str) -> str:
    """The text of a content; what is no text is left out. Raises RequestError."""
    found = chat_content(content, where)
    return found if isinstance(found, str) else joined_text(found)


def _chat_part(part: Any, where: str) -> Part:
    if isinstance(part, str):
        return _text(part)
    if not isinstance(part, Mapping):
        raise RequestError(f"'{where}' must be an object.", param=where)
    kind = part.get("type")
    if kind in ("input_image", "image_url"):
        return _image(part, where)
    if kind in ("input_file", "file"):
        return _file(part)
    if kind == "input_audio" and isinstance(part.get("input_audio"), Mapping):
        return {"type": "input_audio", "input_audio": part["input_audio"]}
    return _text(text_of_unknown(part))


def text_of_unknown(part: Mapping[str, Any]) -> str:
    """The text of something that nobody here knows; its JSON if it has none under a name that is known."""
    found = next((part[name] for name in _TEXTS if isinstance(part.get(name), str)), None)
    if found is not None:
        return str(found)
    told = {name: value for name, value in part.items() if name not in _UNTOLD and value not in (None, [], {}, "")}
    return json.dumps(told, ensure_ascii=False) if told else ""


_UNTOLD = frozenset({"id", "type", "status", "encrypted_content", "annotations", "logprobs", "call_id"})
"""What says nothing to a model."""


def _text(text: str) -> Part:
    return {"type": "text", "text": text}


def _image(part: Mapping[str, Any], where: str) -> Part:
    found = part.get("image_url")
    url = found.get("url") if isinstance(found, Mapping) else found
    if not isinstance(url, str):
        raise RequestError(
            f"'{where}.image_url' must be a URL: there is no store of files.", param=f"{where}.image_url"
        )
    detail = part.get("detail") or (found.get("detail") if isinstance(found, Mapping) else None)
    told = {"detail": detail} if detail in ("low", "high", "auto") else {}
    return {"type": "image_url", "image_url": {"url": url, **told}}


def _file(part: Mapping[str, Any]) -> Part:
    nested = part.get("file")
    found = nested if isinstance(nested, Mapping) else part
    told = {name: found[name] for name in ("filename", "file_data", "file_id", "file_url") if found.get(name)}
    return {"type": "file", "file": told}
