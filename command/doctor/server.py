"""One side of the comparison: the server itself, or the proxy in front of it. Sends what the probes ask.

Requests go through `backends`, so that the server is asked as the proxy asks it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from backends import Backend, ResponseHead, Timeouts
from command.doctor.answer import Answer, read
from errors import ProxyError
from streaming.redaction import Redaction

CHAT = "/v1/chat/completions"
_MOST = 32 << 20
"""Bytes of an answer."""
_CONNECT = 5.0
_AGENT = ("User-Agent", "dragoman-doctor")


class Server:
    """Answers never raise: what goes wrong is an Answer without a status."""

    def __init__(self, name: str, url: str, key: str | None, timeout: float) -> None:
        """`name` is `direct` or `proxy`; `url` has no `/v1`; `timeout` is in seconds, for each wait of an answer.

        `key` is sent, and taken out of what comes back: some servers quote the key that they refuse.
        """
        self.name = name
        self._redact = Redaction([key]).of
        self.url = url
        self._backend = Backend(url, Timeouts(_CONNECT, timeout, timeout), pool_size=2)
        authorization = [("Authorization", f"Bearer {key}")] if key else []
        self._headers = [_AGENT, *authorization]

    def get(self, path: str) -> Answer:
        return self._send("GET", path, b"", ())

    def json(self, path: str) -> Any:
        """The JSON at a path; None if there is none."""
        answer = self.get(path)
        try:
            return json.loads(answer.body) if answer.status == 200 else None
        except (ValueError, RecursionError):
            return None

    def chat(self, body: Mapping[str, Any] | bytes) -> Answer:
        """The answer to a chat request; bytes are sent as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        answer = self._send("POST", CHAT, raw, [("Content-Type", "application/json")])
        if answer.status == 0:
            return answer
        answer.streamed = isinstance(body, Mapping) and body.get("stream") is True
        return read(answer)

    def hang_up(self, body: Mapping[str, Any], pieces: int) -> Answer:
        """Read that many pieces of a stream and leave. `ended` says that the answer was over before."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        answer = self._send("POST", CHAT, raw, [("Content-Type", "application/json")], pieces)
        answer.ended = answer.ended or b"[DONE]" in answer.body
        return read(answer) if answer.status else answer

    def close(self) -> None:
        self._backend.close()

    def _send(self, method: str, path: str, body: bytes, headers: Any, most_pieces: int | None = None) -> Answer:
        answer, began = Answer(), time.monotonic()
        try:
            with closing(self._backend.open(method, path, [*self._headers, *headers], body)) as exchange:
                head = exchange.wait_head(None)
                assert isinstance(head, ResponseHead), "without a deadline and a client there is nothing else"
                answer.status = head.status
                answer.headers = {name.lower(): value for name, value in head.headers}
                pieces: list[bytes] = []
                size = 0
                while isinstance(piece := exchange.next_bytes(None), bytes):
                    pieces.append(piece)
                    size += len(piece)
                    if size > _MOST or (most_pieces is not None and len(pieces) >= most_pieces):
                        break
                else:
                    answer.ended = True
                answer.body = self._redact(b"".join(pieces))
        except ProxyError as error:
            answer.error = error.message
            if answer.status:
                answer.faults.append(f"the answer broke off: {error.message}")
        answer.seconds = time.monotonic() - began
        return answer
