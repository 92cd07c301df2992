"""Pictures of every view, in both schemes and at two widths, to look at; and the four of docs/INSPECTOR.md.

python -m tests.browser.pictures            all views, in build/pictures
python -m tests.browser.pictures --docs     the four in docs/images as well
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.answers import TOOLS, Answer, Piece, completion, json_answer, said
from tests.browser.driver import Browser, started_browser
from tests.browser.exchanges import BUFFERED, KINDS, Script, pieces_of, record_of, request_of
from tests.servers import ROOT, Proxy, Received, ScriptedBackend, running_proxy

BUILD = ROOT / "build" / "pictures"
DOCS = ROOT / "docs" / "images"
WIDTHS = {1280: 860, 390: 844}
LARGEST = 150_000
"""Bytes of a picture of the documents."""

THOUGHT = "<think>The user asks about the weather in Seoul. I have get_weather, which takes a city.</think>\n"
SLIP = "<tool_call>\n{'name': 'getWeather', 'arguments': {'city': 'Seoul', 'days': '3',}}\n</tool_call>"
SHOWN = f"{THOUGHT}Let me look that up for you.\n{SLIP}\n<tool_response>{{'sunny': True}}</tool_response>"


NAMES = {
    "llama-3.1-8b": "plain",
    "deepseek-v3.1": "failing",
    "qwen2.5-coder-7b": "quoting",
    "mistral-nemo-12b": "native-slip",
    "phi-4": "refusing",
    "glm-4.6": "buffered",
    "qwen3-4b": "hermes-slip",
    "gemma-3-12b": "abstaining",
    "glm-4.5-air": "glm-4.5-air",
    "gpt-oss-20b": "reasoning",
}
"""Models as somebody may have them, and which of the kinds of exchanges each shows."""


class Shown(Script):
    """Takes its time, so that there is something to see."""

    def __call__(self, received: Received) -> Answer:
        body = received.json() if received.method == "POST" else {}
        if body.get("model") in NAMES:
            return KINDS[NAMES[body["model"]]](self)
        if body.get("model") == "qwen3-32b":
            return paced(SHOWN)
        if body.get("model") == "qwen3-8b" and body["messages"][0]["role"] == "system":
            return json_answer({"error": {"message": "System messages are not supported by this template."}}, 400)
        if body.get("model") == "qwen3-8b":
            return json_answer(completion("Hello!"))
        return super().__call__(received)


def paced(text: str) -> Answer:
    frames: list[Piece] = [0.3]
    for number, each in enumerate(said(*pieces_of(text, 6))):
        frames += [each, 1.15 if number == 24 else 0.018]
    return Answer(frames)


def ask_all(proxy: Proxy) -> None:
    for model in (*NAMES, "glm-4.5-air", "qwen3-8b", "llama-3.1-8b", "qwen3-32b"):
        with proxy.client(request_of(model, stream=NAMES.get(model, model) not in {*BUFFERED, "qwen3-8b"})) as client:
            client.rest()


def picture(browser: Browser, path: Path, width: int, height: int | None) -> None:
    """As much of the page as the height says; all of it for None."""
    if height is None:
        height = min(int(browser.js("return document.documentElement.scrollHeight")), 4000)
    told = browser.command(
        "Page.captureScreenshot",
        format="png",
        captureBeyondViewport=True,
        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(told["data"]))


def smaller(path: Path) -> None:
    """The same picture with few colours. Raises AssertionError if it is still too large."""
    picture = Image.open(path).convert("RGB")
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            path.write_bytes(out.getvalue())
            return
    raise AssertionError(f"{path} has more than {LARGEST} bytes")


def views(browser: Browser, proxy: Proxy) -> Sequence[tuple[str, str]]:
    names = {
        model: record_of(proxy, model)["id"] for model in ("qwen3-32b", "deepseek-v3.1", "qwen2.5-coder-7b", "qwen3-8b")
    }
    root = f"{proxy.url}/dragoman"
    return [
        ("list", f"{root}/"),
        ("list-wrong", f"{root}/?q=model:glm* status>=soon"),
        ("list-hidden", f"{root}/?q=model:nobody"),
        ("list-ko", f"{root}/?lang=ko"),
        *((f"exchange-{model}", f"{root}/records/{name}") for model, name in names.items()),
        ("exchange-ko", f"{root}/records/{names['qwen3-32b']}?lang=ko"),
        ("overview", f"{root}/overview"),
        ("explain", f"{root}/explain"),
        ("gone", f"{root}/records/nothing"),
    ]


def prepared(browser: Browser, name: str) -> None:
    """The page as somebody would see it: filled, and with the folds open that are of interest."""
    if name == "explain":
        for field, value in (("text", SHOWN), ("tools", json.dumps(TOOLS)), ("model", "qwen3-32b")):
            browser.js("document.getElementById(arguments[0]).value = arguments[1]", f"paste-{field}", value)
        browser.find("#paste button.primary").click()
        browser.until(lambda: browser.text("#raw") == SHOWN)
    if name == "exchange-qwen3-8b":
        browser.js("for (const fold of document.querySelectorAll('.folds > details')) fold.open = true")
    time.sleep(0.5)
    browser.js("document.activeElement?.blur(); scrollTo(0, 0)")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__.split("\n\n")[0])
    parser.add_argument("--docs", action="store_true", help="write those of docs/images as well")
    options = parser.parse_args(argv)
    with (
        ScriptedBackend(Shown()) as backend,
        running_proxy(backend, RECORD="full") as proxy,
        started_browser() as browser,
    ):
        browser.looks(1280)
        browser.open(f"{proxy.url}/dragoman/")
        browser.until(lambda: browser.find("#none").is_displayed())
        picture(browser, BUILD / "none-light-1280.png", 1280, 860)
        ask_all(proxy)
        for name, url in views(browser, proxy):
            for dark in (False, True):
                for width, height in WIDTHS.items():
                    browser.looks(width, height, dark)
                    browser.open(url)
                    prepared(browser, name)
                    picture(browser, BUILD / f"{name}-{'dark' if dark else 'light'}-{width}.png", width, None)
        if options.docs:
            of_the_documents(browser, dict(views(browser, proxy)))
    return 0


def of_the_documents(browser: Browser, addresses: dict[str, str]) -> None:
    for name, view, height, dark in (
        ("list", "list", 560, False),
        ("exchange", "exchange-qwen3-32b", 860, True),
        ("overview", "overview", 760, False),
        ("explain", "explain", 860, False),
    ):
        browser.looks(1280, height, dark)
        browser.open(addresses[view])
        prepared(browser, view)
        picture(browser, DOCS / f"{name}.png", 1280, height)
        smaller(DOCS / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
