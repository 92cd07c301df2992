"""What a chunk costs in this face and in chat, where it is rewritten: the numbers behind a limit of the tests.

python -m tests.dialects.responses.cost
"""

from __future__ import annotations

import json
import time

from backends.chat import ChatReplyReader
from config import Config
from dialects.chat import Chat
from dialects.protocol import Dialect
from dialects.responses import Responses
from streaming import ClientRequest
from streaming.relay import Relay
from tests.dialects.test_toy import OneAnswer
from tests.plans import planning
from tests.servers import DONE, chunk, frame


def blocks_of(count: int) -> list[bytes]:
    """A stream in as many chunks, each of its own block. The role comes late, so that chat must write what it sends."""
    first = frame(chunk({"role": "assistant", "content": "<think>"}))
    frames = [frame(chunk({"content": f"word{number % 7}"})) for number in range(count)]
    return [first, *frames, frame(chunk({}, "stop")), DONE]


def seconds(dialect: Dialect, path: str, body: object, blocks: list[bytes]) -> float:
    relay = Relay(Config(), OneAnswer(*blocks), ChatReplyReader, planning())  # type: ignore[arg-type]
    reply = relay.converse(dialect, ClientRequest("POST", path, [], json.dumps(body).encode(), "r"))
    began = time.process_time()
    for _ in reply.body:
        pass
    return time.process_time() - began


def chat_and_responses(count: int) -> tuple[float, float]:
    """Seconds of processor time for a stream of reasoning, which both must write."""
    blocks = blocks_of(count)
    asked = {"model": "glm-4.5", "stream": True}
    messages = {"messages": [{"role": "user", "content": "Hi"}]}
    chat = seconds(Chat(), "/v1/chat/completions", {**asked, **messages}, blocks)
    return chat, seconds(Responses(), "/v1/responses", {**asked, "input": "Hi"}, blocks)


if __name__ == "__main__":
    for _ in range(5):
        chat, responses = chat_and_responses(20_000)
        print(f"chat {chat / 20_000 * 1e6:.2f} µs, responses {responses / 20_000 * 1e6:.2f} µs: {responses / chat:.2f}")
