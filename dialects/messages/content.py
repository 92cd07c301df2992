"""The content blocks of the Messages API as what a chat message may hold: text, images, files.

Source of the format: Anthropic's API reference, "Messages", and what Claude Code was seen to send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from errors import RequestError

Block = Mapping[str, Any]
Part = dict[str, Any]
"""A part of the content of a chat message."""

_OPAQUE = frozenset(
    {
        *("type", "id", "tool_use_id", "file_id", "media_type", "data", "signature", "cache_control", "citations"),
        *("encrypted_content", "encrypted_index", "encrypted_stdout", "caller"),
    }
)
"""Members of a block that hold no words."""
_IMAGE = "[image]"
"""Stands in the text of a result for an image, which follows behind all results of the turn."""


def blocks_of(content: Any, where: str) -> list[Block]:
    """The blocks of a `content`, or of a `system`: text counts as one block. Raises RequestError."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise RequestError(f"'{where}' must be a string or a list of blocks.", param=where)
    for place, block in enumerate(content):
        if not isinstance(block, dict):
            raise RequestError(f"'{where}.{place}' must be an object.", param=f"{where}.{place}")
    return content


def joined(texts: Iterable[str]) -> str:
    """Texts as one. A blank line is put where nothing else keeps two of them apart."""
    found: list[str] = []
    for text in filter(None, texts):
        if found and not (found[-1][-1].isspace() or text[0].isspace()):
            found.append("\n\n")
        found.append(text)
    return "".join(found)


def text_of(block: Block) -> str:
    """The words of a block that is neither image nor file; those of an unknown block stand on lines of their own."""
    if block.get("type") == "text":
        text = block.get("text")
        return text if isinstance(text, str) else ""
    return "\n".join(_words(block))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in _OPAQUE:
                yield from _words(each)


def part_of(block: Block, where: str) -> Part:
    """The part of a chat message that says what a block says. Raises RequestError for a source that is not here."""
    kind = block.get("type")
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": _image_url(block.get("source"), f"{where}.source")}}
    if kind == "document":
        return _document(block, f"{where}.source")
    return _text(text_of(block))


def _text(text: str) -> Part:
    return {"type": "text", "text": text}


def _image_url(source: Any, where: str) -> str:
    if isinstance(source, dict):
        if source.get("type") == "base64" and isinstance(source.get("data"), str):
            return f"data:{source.get('media_type') or 'image/png'};base64,{source['data']}"
        if source.get("type") == "url" and isinstance(source.get("url"), str):
            return str(source["url"])
    raise RequestError(f"'{where}' must be an image in base64 or a URL: there are no stored files here.", param=where)


def _document(block: Block, where: str) -> Part:
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    if isinstance(source, dict) and kind == "base64" and isinstance(source.get("data"), str):
        data = f"data:{source.get('media_type') or 'application/pdf'};base64,{source['data']}"
        title = block.get("title")
        name = title if isinstance(title, str) and title else "document"
        return {"type": "file", "file": {"filename": name, "file_data": data}}
    if isinstance(source, dict) and kind == "text" and isinstance(source.get("data"), str):
        return _text(_titled(block, source["data"]))
    if isinstance(source, dict) and kind == "content":
        inner = blocks_of(source.get("content"), f"{where}.content")
        return _text(_titled(block, joined(map(text_of, inner))))
    message = f"'{where}' must be text, content or base64: nothing is fetched, and there are no stored files here."
    raise RequestError(message, param=where)


def _titled(block: Block, text: str) -> str:
    said = [block.get("title"), block.get("context"), text]
    return "\n".join(each for each in said if isinstance(each, str) and each)


def content_of(parts: list[Part]) -> str | list[Part]:
    """The content of a chat message: a string if all of it is text, as most templates want it."""
    if all(part["type"] == "text" for part in parts):
        return joined(part["text"] for part in parts)
    return parts


def result_of(block: Block, where: str) -> tuple[str, list[Part]]:
    """(the text of a tool's result, what of it is no text)"""
    content = block.get("content")
    if isinstance(content, str):  # most of a history, so without detours
        return f"Error: {content}" if block.get("is_error") is True else content, []
    inner = [] if content is None else blocks_of(content, f"{where}.content")
    parts = [part_of(each, f"{where}.content.{place}") for place, each in enumerate(inner)]
    text = joined(part["text"] if part["type"] == "text" else _IMAGE for part in parts)
    if block.get("is_error") is True:
        text = f"Error: {text}"
    return text, [part for part in parts if part["type"] != "text"]
