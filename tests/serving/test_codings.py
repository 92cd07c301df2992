"""The Content-Encoding of a request: decoded where the body is read, otherwise passed on (defect D4)."""

from __future__ import annotations

import gzip
import io
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from backends import CODINGS
from errors import BrokenCoding, TooLarge, UnknownCoding
from serving.request_body import codings_of, read_body
from tests.servers import Answer as Scripted
from tests.servers import Proxy, ScriptedBackend, ask, json_answer, message_of, running_proxy, said, whole_stream

pytestmark = pytest.mark.long


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
    "identity": bytes,
    "identity, gzip": gzip.compress,
    "deflate ": raw_deflate,
}


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize("stream", [True, False])
def test_d4_a_chat_request_is_decoded(backend: ScriptedBackend, proxy: Proxy, coding: str, stream: bool) -> None:
    backend.answer = Scripted(said("Hi")) if stream else json_answer({"choices": []})
    body = json.dumps(ask(stream)).encode()
    with proxy.client(CODERS[coding](body), headers=[("Content-Encoding", coding)]) as client:
        raw = client.rest()
        assert client.status == 200, raw
    if stream:
        assert message_of(whole_stream(raw))["content"] == "Hi"
    assert json.loads(backend.last.body)["messages"] == ask()["messages"]
    assert backend.last.header("content-encoding") is None
    assert backend.last.header("content-length") == str(len(backend.last.body))


@pytest.mark.parametrize("convert", ["true", "false"])
def test_d4_elsewhere_a_body_passes_as_it_is(backend: ScriptedBackend, convert: str) -> None:
    backend.answer = json_answer({"ok": True})
    body = gzip.compress(b'{"input": "Hi"}')
    with running_proxy(backend, ENABLE_TOOL_CALL_CONVERSION=convert) as proxy:
        target = "/v1/embeddings" if convert == "true" else "/v1/chat/completions"
        with proxy.client(body, target, headers=[("Content-Encoding", "gzip")]) as client:
            assert client.json() == {"ok": True}
    assert (backend.last.body, backend.last.header("content-encoding")) == (body, "gzip")


@pytest.mark.parametrize("coding", ["compress", "gzip, zip", "utf-8", "gzip, gzip, gzip, gzip"])
def test_d4_what_is_not_decoded_is_a_415_that_says_what_is(proxy: Proxy, coding: str) -> None:
    with proxy.client(b"whatever", headers=[("Content-Encoding", coding)]) as client:
        error: Any = client.json()["error"]
        assert (client.status, error["code"]) == (415, "unsupported_content_encoding")
        assert "Content-Encoding" in error["message"]
        assert coding.startswith("gzip, gzip") or all(name in error["message"] for name in ("gzip", "deflate"))


@pytest.mark.parametrize("name", ["br", "zstd"])
def test_d4_other_codings_are_taken_if_a_library_decodes_them(name: str) -> None:
    if name in CODINGS:
        assert codings_of(name) == [name]
    else:
        with pytest.raises(UnknownCoding):
            codings_of(name)


GOOD = gzip.compress(json.dumps(ask()).encode())


BROKEN = {
    "JSON": b"{}",
    "no end": GOOD[:-9],
    "a beginning": GOOD[:20],
    "a byte": b"\x1f",
    "nonsense": GOOD[:12] + b"\xff" * 40,
    "deflate": zlib.compress(b"{}"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_d4_a_broken_coding_is_a_400(proxy: Proxy, body: bytes) -> None:
    with proxy.client(body, headers=[("Content-Encoding", "gzip")]) as client:
        error = client.json()["error"]
        assert (client.status, error["code"]) == (400, "invalid_content_encoding")


def test_d4_the_limit_counts_decoded_bytes(backend: ScriptedBackend) -> None:
    asked = len(backend.requests)
    bomb = gzip.compress(b" " * 50_000_000)
    with running_proxy(backend, MAX_REQUEST_BYTES=100_000) as proxy:
        for body, coding in ((bomb, "gzip"), (gzip.compress(bomb), "gzip, gzip")):
            with proxy.client(body, headers=[("Content-Encoding", coding)]) as client:
                assert client.json()["error"]["code"] == "request_too_large"
                assert client.status == 413
    assert len(backend.requests) == asked


class _Counted(io.BytesIO):
    """Counts what is read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def test_d4_a_bomb_is_not_read_to_its_end() -> None:
    bomb = gzip.compress(b" " * 300_000_000, 1)
    stream = _Counted(bomb)
    with pytest.raises(TooLarge):
        read_body(stream, len(bomb), 2_000_000, ["gzip"])
    assert stream.taken < len(bomb) / 2


def test_d4_the_last_step_of_a_coding_counts_too() -> None:
    data = b"a" * 100_000
    for coder in (gzip.compress, zlib.compress, raw_deflate):
        coded, coding = coder(data), "gzip" if coder is gzip.compress else "deflate"
        assert read_body(io.BytesIO(coded), None, len(data), [coding]) == data
        with pytest.raises(TooLarge):
            read_body(io.BytesIO(coded), None, len(data) - 1, [coding])


def test_d4_many_members_of_gzip_are_linear() -> None:
    """Each member copies what follows it in the same piece."""
    times = []
    for count in (5_000, 20_000):
        body = gzip.compress(b"") * count
        began = time.process_time()
        assert read_body(io.BytesIO(body), len(body), len(body), ["gzip"]) == b""
        times.append(time.process_time() - began)
    assert times[1] < 8 * times[0] + 0.1, times


def test_d4_nothing_is_a_body_in_any_coding() -> None:
    assert read_body(io.BytesIO(b""), 0, 10, ["gzip"]) == b""
    with pytest.raises(BrokenCoding):
        read_body(io.BytesIO(b"\x1f"), 1, 10, ["gzip"])
