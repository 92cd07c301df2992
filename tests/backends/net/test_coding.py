"""Content-Encoding, taken off."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest

from backends import Wait
from backends.net.coding import Decoder
from errors import Interrupted
from tests.backends.scripted import CHUNKED, UNTIL_CLOSE, Peer, World, bytes_of, chunk, everything, head_of, sized, soon


def compress(coding: str, data: bytes) -> bytes:
    if "gzip" in coding:
        return gzip.compress(data)
    raw = zlib.compressobj(wbits=-15 if coding == "raw" else 15)
    return raw.compress(data) + raw.flush()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw"])
@pytest.mark.parametrize("step", [1, 1000])
def test_codings_are_decoded(world: World, coding: str, step: int) -> None:
    text = b"".join(b"data: %d\n\n" % number for number in range(50))
    packed = compress(coding, text)
    header = b"Content-Encoding: " + coding.replace("raw", "deflate").encode()
    pieces = [chunk(packed[at : at + step]) for at in range(0, len(packed), step)]
    exchange = world.exchange(
        lambda peer: peer.answer(CHUNKED[:-2] + header + b"\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n")
    )
    assert everything(exchange) == text
    assert exchange.decoded


def test_a_flushed_coding_streams(world: World) -> None:
    def script(peer: Peer) -> None:
        packer = zlib.compressobj(wbits=31)
        # The coding's own head comes alone and holds no byte of the body.
        peer.answer(UNTIL_CLOSE[:-2] + b"Content-Encoding: gzip\r\n\r\n" + packer.compress(b"one"))
        time.sleep(0.3)
        peer.send(packer.flush(zlib.Z_SYNC_FLUSH))
        time.sleep(0.3)
        peer.send(packer.compress(b"two") + packer.flush())

    exchange = world.exchange(script)
    head_of(exchange)
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    assert bytes_of(exchange) == b"one"
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    assert bytes_of(exchange) == b"two"
    assert exchange.next_bytes(None) is Wait.END


def test_an_unknown_coding_passes(world: World) -> None:
    exchange = world.exchange(lambda peer: peer.answer(sized(b"???", "Content-Encoding: secret")))
    assert everything(exchange) == b"???"
    assert not exchange.decoded


def test_the_decoder_alone() -> None:
    decoder = Decoder(["gzip"])
    assert decoder.active
    assert decoder.feed(b"") == b""
    assert decoder.feed(gzip.compress(b"one")) + decoder.finish() == b"one"
    assert decoder.finish() == b""
    with pytest.raises(Interrupted, match="coding"):
        Decoder(["gzip"]).feed(b"plain text")


@pytest.mark.parametrize("codings", [[], ["secret"], ["gzip", "secret"]])
def test_what_cannot_be_decoded_passes(codings: list[str]) -> None:
    decoder = Decoder(codings)
    assert not decoder.active
    assert decoder.feed(b"as it is") + decoder.finish() == b"as it is"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
def test_a_body_that_ends_inside_its_coding_broke_off(world: World, coding: str) -> None:
    """However well the message around it ended."""
    packed = compress(coding, b"data: 1\n\n" * 500)
    header = "Content-Encoding: " + coding.replace("raw", "deflate")
    exchange = world.exchange(lambda peer: peer.answer(sized(packed[:-20], header)))
    with pytest.raises(Interrupted):
        everything(exchange)


def test_garbage_behind_a_coding_is_not_missed(world: World) -> None:
    answer = sized(gzip.compress(b"one") + b"\0\0", "Content-Encoding: gzip")
    assert everything(world.exchange(lambda peer: peer.answer(answer))) == b"one"


def test_more_codings_than_anyone_takes_off(world: World) -> None:
    exchange = world.exchange(lambda peer: peer.answer(sized(b"x", "Content-Encoding: " + "gzip, " * 9 + "gzip")))
    with pytest.raises(Interrupted):
        everything(exchange)
