"""One exchange of each kind in a browser: the raw text, the decisions, what the client got, and what can be copied."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.answers import Json
from tests.browser.driver import Browser
from tests.browser.exchanges import (
    GLM,
    HERMES_SLIP,
    KINDS,
    LEFT,
    PLAIN,
    QUOTED,
    THOUGHT,
    Script,
    ask_kind,
    record_of,
    request_of,
)
from tests.servers import Proxy, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long


class Served:
    def __init__(self, proxy: Proxy, script: Script, backend: ScriptedBackend) -> None:
        self.proxy, self.script, self.backend = proxy, script, backend

    def url(self, model: str) -> str:
        return f"{self.proxy.url}/dragoman/records/{record_of(self.proxy, model)['id']}"

    def written(self, text: str, **more: object) -> str:
        """The address of an exchange in which a model wrote this."""
        self.script.texts["writing"] = text
        ask_kind(self.proxy, "writing", **more)
        return self.url("writing")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    script = Script()
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="full") as proxy:
        for model in KINDS:
            if model != "open":
                ask_kind(proxy, model)
        yield Served(proxy, script, backend)
        script.gate.set()


def tones(browser: Browser) -> dict[str, str]:
    """The text of each colour, in order."""
    script = """const found = {};
        for (const each of document.querySelectorAll("#raw .s")) {
          const tone = each.classList[1];
          found[tone] = (found[tone] || "") + each.textContent;
        }
        return found;"""
    found: dict[str, str] = browser.js(script)
    return found


RAW = {
    "glm-4.5-air": THOUGHT + GLM,
    "hermes-slip": HERMES_SLIP,
    "quoting": QUOTED,
    "abstaining": LEFT,
    "plain": PLAIN,
    "buffered": THOUGHT + GLM,
    "reasoning": "First I think about it. Then I answer.",
}
TONES = {
    "glm-4.5-air": {"reasoning", "call", "content", "removed"},
    "hermes-slip": {"repaired"},
    "quoting": {"content", "problem"},
    "abstaining": {"content", "problem"},
    "plain": {"content"},
    "buffered": {"reasoning", "call", "content", "removed"},
    "reasoning": {"reasoning", "content"},
}
GOT = {
    "glm-4.5-air": ["reasoning", "content", "call get_weather"],
    "hermes-slip": ["call get_weather"],
    "native-slip": ["call get_weather"],
    "quoting": ["content"],
    "abstaining": ["content"],
    "plain": ["content"],
    "buffered": ["reasoning", "content", "call get_weather"],
    "reasoning": ["reasoning", "content"],
}


@pytest.mark.parametrize("model", [model for model in KINDS if model != "open"])
def test_each_kind_of_exchange(browser: Browser, served: Served, model: str) -> None:
    browser.open(served.url(model))
    assert browser.text(".verdict p").strip()
    assert browser.all(".timeline rect.p-waiting")
    if model in RAW:
        assert browser.text("#raw") == RAW[model]
        assert set(tones(browser)) >= TONES[model] - {"content", "removed"} and set(tones(browser)) <= TONES[model]
    if model in GOT:
        titles = [title.rsplit("  ", 1)[0] for title in browser.texts("#client > details > summary")]
        assert all(title.startswith(wanted) for title, wanted in zip(titles, GOT[model], strict=True)), titles
    if model in ("failing", "refusing"):
        assert "bad" in (browser.find(".status").get_attribute("class") or "")
        assert "crashed" in browser.text(".refusal pre") or "does not support" in browser.text(".refusal pre")
    assert browser.all("#decisions li")
    assert not browser.complaints()


def test_the_call_is_the_clients_and_the_arguments_are_indented(browser: Browser, served: Served) -> None:
    browser.open(served.url("glm-4.5-air"))
    shown = browser.texts("#client details:last-of-type .raw")[-1]
    assert json.loads(shown) == {"city": "서울 Seoul"}


def test_pieces_are_marked_where_they_end(browser: Browser, served: Served) -> None:
    browser.open(served.url("plain"))
    assert len(browser.all("#raw .cut")) == len(PLAIN) // 7 - (len(PLAIN) % 7 == 0)
    before = browser.js(
        "const range = document.createRange(); range.setStart(document.getElementById('raw'), 0);"
        "range.setEndBefore(document.querySelectorAll('#raw .cut')[1]); return range.toString()"
    )
    assert before == PLAIN[:14]
    assert len(browser.all(".timeline .came")) == -(-len(PLAIN) // 7)
    browser.js("document.getElementById('fold-pieces').open = true")
    browser.until(lambda: len(browser.all("#fold-pieces tbody tr")) == -(-len(PLAIN) // 7))


def test_a_decision_leads_to_its_place(browser: Browser, served: Served) -> None:
    browser.open(served.url("glm-4.5-air"))
    link = next(each for each in browser.all("#decisions li.call a"))
    link.click()
    assert "".join(browser.texts("#raw .picked")).startswith("<tool_call>")
    assert any("get_weather" in text for text in browser.texts("#decisions li.call"))


def test_decisions_are_in_words(browser: Browser, served: Served) -> None:
    browser.open(served.url("hermes-slip"))
    words = " ".join(browser.texts("#decisions li"))
    for code in ("name_repaired", "arguments_retyped"):
        assert code in words
    assert "exactly one declared tool matches it" in words


def test_an_open_exchange_is_followed_to_its_end(browser: Browser, served: Served) -> None:
    with served.proxy.client(request_of("open")) as client:
        client.until("One mom")
        browser.open(served.url("open"))
        browser.until(lambda: browser.text("#raw").startswith("One mom"))
        assert "open" in browser.text(".badge")
        served.script.gate.set()
        client.rest()
    browser.until(lambda: browser.text("#raw") == "One moment, I am looking.")
    browser.until(lambda: browser.text(".badge") == "untouched")


def test_the_request_before_and_after(browser: Browser, served: Served) -> None:
    browser.open(served.url("refusing"))
    browser.js("for (const fold of document.querySelectorAll('.folds > details')) fold.open = true")
    browser.until(lambda: "You are a helpful assistant." in browser.text("#fold-messages"))
    browser.until(lambda: "write_file" in browser.text("#fold-tools"))
    assert "You are a helpful assistant." in browser.text("#fold-request .raw")
    request = browser.text("#fold-request .raw")
    assert json.loads(request)["model"] == "refusing"
    browser.find("#fold-request .tools button").click()
    assert browser.text("#fold-request .raw").startswith('{\n  "model": "refusing"')
    assert json.loads(browser.text("#fold-request .raw")) == json.loads(request)


def test_copies(browser: Browser, served: Served) -> None:
    browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.open(served.url("glm-4.5-air"))

    def copied() -> str:
        browser.until(lambda: "shown" in (browser.find("#said").get_attribute("class") or ""))
        text = browser.awaited(
            "navigator.clipboard.readText().then(arguments[0], (error) => arguments[0](String(error)))"
        )
        browser.js("document.getElementById('said').className = ''")
        return str(text)

    browser.find('[data-copy="raw"]').click()
    assert copied() == THOUGHT + GLM
    browser.press("c")
    assert copied().startswith("curl -N") and "$API_KEY" in copied_again(browser)
    browser.press("x")
    case: Json = json.loads(browser.until(lambda: ((text := copied()).startswith("{") and text) or None))
    assert case["text"] == THOUGHT + GLM


def copied_again(browser: Browser) -> str:
    return str(browser.awaited("navigator.clipboard.readText().then(arguments[0])"))


def test_a_request_is_played_again(browser: Browser, served: Served) -> None:
    served.script.texts["again"] = "Hi."
    ask_kind(served.proxy, "again")
    first = served.url("again")
    browser.open(first)
    browser.press("r")
    browser.until(
        lambda: "/records/" in browser.driver.current_url and browser.driver.current_url.split("?")[0] != first
    )
    browser.until(lambda: browser.text("#raw") == "Hi.")
    assert (
        len([each for each in served.backend.requests if each.method == "POST" and each.json()["model"] == "again"])
        == 2
    )


def test_a_long_text_is_loaded_part_by_part(browser: Browser, served: Served) -> None:
    text = "".join(f"{number} 서울 \U0001f600 a line of text\n" for number in range(9000))
    browser.open(served.written(text))
    first = browser.text("#raw")
    assert 65536 <= len(first.encode("utf-16-le")) // 2 < 2 * 65536 and text.startswith(first)
    assert (
        max(browser.js("return [...document.querySelectorAll('#raw .block')].map((each) => each.textContent.length)"))
        <= 8192
    )
    while (more := browser.find("#raw-more")).is_displayed():
        more.click()
    assert browser.text("#raw") == text


def test_without_text_the_page_says_what_to_set(browser: Browser) -> None:
    script = Script()
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="meta") as proxy:
        ask_kind(proxy, "hermes-slip")
        browser.open(f"{proxy.url}/dragoman/records/{record_of(proxy, 'hermes-slip')['id']}")
        assert "RECORD=full" in browser.text("main > article > .notice")
        assert any("name_repaired" in text for text in browser.texts("#decisions li"))
        assert not browser.find("#raw").is_displayed()


VIEWS = ("", "records/{id}", "overview", "explain")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("width", [390, 700, 1280])
def test_nothing_is_wider_than_the_window(browser: Browser, served: Served, view: str, width: int) -> None:
    browser.looks(width, 800)
    browser.open(f"{served.proxy.url}/dragoman/{view.format(id=record_of(served.proxy, 'glm-4.5-air')['id'])}")
    browser.find("main h1")
    assert browser.js("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_both_schemes(browser: Browser, served: Served, dark: bool) -> None:
    browser.looks(1280, dark=dark)
    browser.open(served.url("glm-4.5-air"))
    ground, text = browser.js(
        "const style = getComputedStyle(document.documentElement); return [style.backgroundColor, style.color]"
    )
    assert (ground == "rgb(20, 23, 26)") == dark and ground != text
