"""An estimate of how many tokens a chat request has, by the bytes of its texts; earlier answers of a model correct it.

Tokenizers differ, and a proxy has none. Words, digits, punctuation and what is not ASCII each take a number of tokens
a byte that is much alike in the tokenizers of today. What is left, a factor of the model's own, is learned from the
usage that the backend tells. tests/dialects/messages/test_estimate.py measures the error.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"
_BLANKS = b" \t\r\n"
_PUNCTUATION = bytes(set(range(33, 127)) - set(_LETTERS + _DIGITS))
_WEIGHTS: tuple[tuple[bytes, float], ...] = ((_LETTERS, 0.21), (_DIGITS, 1.1), (_PUNCTUATION, 0.77), (_BLANKS, 0.1))
_NOT_ASCII = 0.25
"""Tokens a byte."""
_MESSAGE = 4
"""Tokens that a template puts around a message, or around the declaration of a tool."""
_IMAGE = 1000
"""Tokens of an image, whatever its size."""
_LOOKED_AT = 1 << 17
"""Characters of a text: all of a long one would hold up others."""
_MODELS = 1000
"""Models whose factors are kept."""
_MEMORY = 0.7
"""How much of a model's factor stays when its next usage comes."""
_FIRST = 8
"""Requests of a model from each of which its factor is learned; later, from one of so many: it has settled by then."""
_RANGE = (0.2, 5.0)
"""Factors beyond these come from no tokenizer: the usage counted something else."""


def tokens_of(text: str) -> float:
    """The tokens of a text, without any correction. Of a long one the beginning speaks for the rest."""
    if len(text) > _LOOKED_AT:
        return tokens_of(text[:_LOOKED_AT]) * len(text) / _LOOKED_AT
    data = text.encode("utf-8", "replace")
    left, total = len(data), 0.0
    for characters, weight in _WEIGHTS:
        found = len(data) - len(data.translate(None, characters))
        left -= found
        total += weight * found
    return total + _NOT_ASCII * left


def tokens_of_request(chat: Mapping[str, Any]) -> float:
    """The tokens of the prompt that a chat request becomes, without any correction."""
    return tokens_of_tools(chat) + sum(map(tokens_of_message, chat["messages"]))


def tokens_of_tools(chat: Mapping[str, Any]) -> float:
    """The tokens of the declarations in a chat request."""
    tools = chat.get("tools") or ()
    return sum(tokens_of(json.dumps(tool, ensure_ascii=False)) + _MESSAGE for tool in tools)


def tokens_of_message(message: Mapping[str, Any]) -> float:
    """The tokens of one chat message."""
    return _MESSAGE + sum(_of_message(message))


def _of_message(message: Mapping[str, Any]) -> Iterator[float]:
    content = message.get("content") or ""
    if isinstance(content, str):
        yield tokens_of(content)
    else:
        for part in content:
            yield tokens_of(part["text"]) if part["type"] == "text" else _IMAGE
    yield tokens_of(message.get("reasoning_content") or "")
    for call in message.get("tool_calls") or ():
        yield tokens_of(call["function"]["name"] + call["function"]["arguments"]) + 2 * _MESSAGE


class Corrections:
    """For each model the factor between what was estimated and what its backend counted. Shared by all threads."""

    def __init__(self) -> None:
        self._factors: OrderedDict[str, float] = OrderedDict()
        self._asked: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def wants(self, model: str) -> bool:
        """Whether the next request of a model is one to learn from."""
        with self._lock:
            asked = self._asked.pop(model, 0)
            self._asked[model] = asked + 1
            while len(self._asked) > _MODELS:
                self._asked.popitem(last=False)
        return asked < _FIRST or asked % _FIRST == 0

    def learn(self, model: str, estimated: float, counted: object) -> None:
        """`counted` is what the backend says of the tokens of a prompt; anything that is no such count is ignored."""
        if type(counted) is not int or counted <= 0 or estimated <= 0:
            return
        if not _RANGE[0] * estimated <= counted <= _RANGE[1] * estimated:
            return  # before the division: an integer can be too long for it
        seen = counted / estimated
        with self._lock:
            known = self._factors.pop(model, None)
            self._factors[model] = seen if known is None else _MEMORY * known + (1 - _MEMORY) * seen
            while len(self._factors) > _MODELS:
                self._factors.popitem(last=False)

    def corrected(self, model: str, estimated: float) -> int:
        """An estimate in tokens, at least 1."""
        return max(1, round(estimated * self._factors.get(model, 1.0)))
