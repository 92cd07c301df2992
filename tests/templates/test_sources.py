"""Where templates lie: each kind of file, folders, whose models a file serves, and what ends the start."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config import Config
from errors import ConfigError
from streaming import ModelTemplates
from templates.gguf import NotGguf, read_gguf
from templates.sources import NoTemplate, Template, read_template, sources_of
from tests.cases import in_one_test

TOKENIZER: dict[str, Any] = {
    "bos_token": {"content": "<s>"},
    "eos_token": "</zq>",
    "unk_token": None,
    "added_tokens_decoder": {
        "1": {"content": "<zq:special>", "special": True},
        "2": {"content": "plain", "special": False},
    },
    "additional_special_tokens": ["<zq:more>"],
}


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(values: Mapping[str, tuple[int, bytes]], version: int = 3) -> bytes:
    """A GGUF file without tensors; the values are (type, bytes)."""
    pairs = b"".join(text(key) + struct.pack("<I", kind) + data for key, (kind, data) in values.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(values)) + pairs


def array(kind: int, items: list[bytes]) -> bytes:
    return struct.pack("<IQ", kind, len(items)) + b"".join(items)


METADATA: dict[str, tuple[int, bytes]] = {
    "general.name": (8, text("zq")),
    "general.flag": (7, b"\x01"),
    "llama.rope.freq_base": (6, struct.pack("<f", 1.0)),
    "llama.numbers": (9, array(10, [struct.pack("<Q", 1)] * 3)),
    "tokenizer.ggml.tokens": (9, array(8, [text("<s>"), text("</zq>"), text("word"), text("<zq:call>")])),
    "tokenizer.ggml.token_type": (9, array(5, [struct.pack("<i", kind) for kind in (3, 3, 1, 4)])),
    "tokenizer.ggml.merges": (9, array(8, [text("a b")] * 100)),
    "tokenizer.ggml.bos_token_id": (4, struct.pack("<I", 0)),
    "tokenizer.ggml.eos_token_id": (4, struct.pack("<I", 1)),
    "tokenizer.chat_template": (8, text("plain")),
    "tokenizer.chat_template.tool_use": (8, text("with tools")),
}


def test_a_gguf_file_tells_its_templates_and_special_tokens(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf(METADATA) + b"tensors" * 1000)
    metadata = read_gguf(path)
    assert metadata.templates == {"default": "plain", "tool_use": "with tools"}
    assert metadata.special == ("<s>", "</zq>", "<zq:call>")
    assert (metadata.bos, metadata.eos) == ("<s>", "</zq>")
    assert read_template(path).text == "with tools"


def test_a_gguf_file_that_breaks_off_is_refused_at_every_byte(tmp_path: Path) -> None:
    path, whole = tmp_path / "model.gguf", gguf(METADATA)
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(NotGguf):
            read_gguf(path)


BROKEN = {
    "another format": b"GGML" + bytes(100),
    "version 1": gguf({}, version=1),
    "many keys": b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
    "a long key": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 60),
    "a long text": gguf({"tokenizer.chat_template": (8, struct.pack("<Q", 1 << 60))}),
    "a long array": gguf({"tokenizer.ggml.tokens": (9, struct.pack("<IQ", 8, 1 << 60))}),
    "a long array of numbers": gguf({"x": (9, struct.pack("<IQ", 10, 1 << 60))}),
    "a type that there is not": gguf({"x": (77, b"")}),
    "arrays of arrays": gguf({"x": (9, struct.pack("<IQ", 9, 1))}),
    "tokens that are numbers": gguf({"tokenizer.ggml.tokens": (9, array(4, []))}),
    "skipping behind the end": gguf({"x": (8, struct.pack("<Q", (1 << 64) - 1)), "y": (8, text("z"))}),
}


@in_one_test("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_gguf_file_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(NoTemplate) as raised:
        read_template(path)
    assert "\n" not in str(raised.value)


NAMED = [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]
FILES: dict[str, tuple[str, Any, str]] = {
    "jinja": ("x.jinja", "plain", "plain"),
    "jinja with a byte order mark": ("x.jinja", "\ufeffplain", "plain"),
    "tokenizer": ("tokenizer_config.json", TOKENIZER | {"chat_template": "plain"}, "plain"),
    "named templates": ("tokenizer_config.json", {"chat_template": NAMED}, "t"),
    "named, without tools": ("tokenizer_config.json", {"chat_template": NAMED[:2]}, "d"),
    "named otherwise": ("tokenizer_config.json", {"chat_template": NAMED[:1]}, "r"),
    "template as JSON": ("chat_template.json", {"chat_template": "plain"}, "plain"),
}


@in_one_test("name, held, wanted", FILES.values(), ids=FILES)
def test_every_kind_of_file_is_read(tmp_path: Path, name: str, held: Any, wanted: str) -> None:
    path = tmp_path / name
    path.write_text(held if isinstance(held, str) else json.dumps(held), encoding="utf-8")
    assert read_template(path).text == wanted


UNREADABLE: dict[str, tuple[str, bytes]] = {
    "no template": ("tokenizer_config.json", b'{"chat_template": ""}'),
    "another type": ("tokenizer_config.json", b'{"chat_template": 7}'),
    "an empty list": ("tokenizer_config.json", b'{"chat_template": []}'),
    "no object": ("chat_template.json", b"[]"),
    "no JSON": ("chat_template.json", b"{"),
    "deep JSON": ("chat_template.json", b"[" * 100_000),
    "no text": ("x.jinja", b"\xff\xfe\x00"),
    "nothing": ("x.jinja", b""),
}


@in_one_test("name, data", UNREADABLE.values(), ids=UNREADABLE)
def test_what_holds_no_template_says_so(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(NoTemplate) as raised:
        read_template(path)
    assert "\n" not in str(raised.value)
    if name == "x.jinja":
        templates = ModelTemplates(Config(chat_templates=(("", str(path)),)), asks=False)
        assert templates.settled(0) and templates.find("my-x-model") is None


def test_a_tokenizer_tells_the_template_beside_it_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(TOKENIZER))
    (tmp_path / "chat_template.jinja").write_text("plain")
    variables = {"bos_token": "<s>", "eos_token": "</zq>"}
    found = read_template(tmp_path / "chat_template.jinja")
    assert found == Template("plain", variables, ("<zq:special>", "<zq:more>"))


def served(places: list[tuple[str, str]], model: str) -> list[str]:
    return [source.path.name for source in sources_of(places) if source.serves(model)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "zq-one.jinja",
        "zq-one-large.gguf",
        "ZQ_Two.jinja",
        "readme.md",
        "org/Zq-Three/tokenizer_config.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"chat_template": "x"}')
    for name in ("chat_template.jinja", "tokenizer_config.json"):
        (tmp_path / "org/Zq-Four").mkdir(exist_ok=True)
        (tmp_path / "org/Zq-Four" / name).write_text("{}")
    (tmp_path / "org/Zq-Five").mkdir()
    (tmp_path / "org/Zq-Five/tokenizer_config.json").write_text("{}")
    return tmp_path


FOUND = {
    "someone/zq-one-7b": ["zq-one.jinja"],
    "zq-one-large:q4": ["zq-one-large.gguf", "zq-one.jinja"],
    "ZQ_one": ["zq-one.jinja"],
    "zq-two-instruct": ["ZQ_Two.jinja"],
    "zq-three": ["tokenizer_config.json"],
    "org/Zq-Four": ["chat_template.jinja"],
    "zq-five": [],
    "readme": [],
    "other": [],
}


@in_one_test("model, files", FOUND.items())
def test_a_file_of_a_folder_serves_the_models_of_its_name(folder: Path, model: str, files: list[str]) -> None:
    assert served([("", str(folder))], model) == files


def test_a_pattern_says_which_models_a_file_serves(folder: Path) -> None:
    places = [("my-*", str(folder / "zq-one.jinja")), ("*four*", str(folder / "org/Zq-Four"))]
    assert served(places, "My-model") == ["zq-one.jinja"]
    assert served(places, "zq-one") == []
    assert served(places, "x-FOUR") == ["chat_template.jinja"]


def test_a_file_without_a_pattern_serves_the_models_of_its_name(folder: Path) -> None:
    assert served([("", str(folder / "zq-one.jinja"))], "a/zq-one-b") == ["zq-one.jinja"]


@in_one_test("pattern", ["", "a*"])
@in_one_test("path", ["not-there.jinja", "nor-there/"])
def test_a_place_that_is_not_there_ends_the_start(pattern: str, path: str) -> None:
    with pytest.raises(ConfigError, match=r"CHAT_TEMPLATES: there is no file or folder '[a-z/.-]+'\Z"):
        sources_of([(pattern, path)])


def test_a_pattern_for_a_folder_without_a_template_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"CHAT_TEMPLATES: the folder .* holds none of"):
        sources_of([("a*", str(tmp_path))])
