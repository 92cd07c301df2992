"""The paste box and the overview in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.answers import TOOLS
from tests.browser.driver import Browser
from tests.browser.exchanges import GLM, KINDS, Script, ask_kind
from tests.servers import Proxy, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def served() -> Iterator[Proxy]:
    script = Script()
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="full") as proxy:
        for model in KINDS:
            if model != "open":
                ask_kind(proxy, model)
        yield proxy


def paste(browser: Browser, text: str, tools: str, model: str = "") -> None:
    for name, value in (("text", text), ("tools", tools), ("model", model)):
        browser.js("document.getElementById(arguments[0]).value = arguments[1]", f"paste-{name}", value)
    browser.find("#paste button.primary").click()


def test_a_pasted_text_is_explained(browser: Browser, served: Proxy) -> None:
    browser.open(f"{served.url}/dragoman/explain")
    text = f"<think>hm</think>Look: {GLM}"
    paste(browser, text, json.dumps(TOOLS), "glm-4.5")
    browser.until(lambda: browser.text("#raw") == text)
    assert browser.text(".verdict p").strip()
    assert "glm45" in browser.text("#syntax")
    assert any("get_weather" in summary for summary in browser.texts("#client summary"))
    assert browser.all("#raw .s.call") and browser.all("#raw .s.reasoning")
    paste(browser, text, "")
    browser.until(lambda: browser.all("#raw .s.problem"))
    assert any("no_tools" in decision for decision in browser.texts("#decisions li"))


def test_what_is_wrong_is_said(browser: Browser, served: Proxy) -> None:
    browser.open(f"{served.url}/dragoman/explain")
    paste(browser, "x", "[{")
    browser.until(lambda: "JSON" in browser.text("#paste-wrong"))
    paste(browser, "x", '{"no": "list"}')
    browser.until(lambda: "tools" in browser.text("#paste-wrong"))
    assert not browser.find("#explained").is_displayed()
    browser.js("document.getElementById('paste-tools').value = ''")
    browser.find("#paste-text").send_keys("Hello", Keys.CONTROL + Keys.ENTER)
    browser.until(lambda: browser.text("#raw") == "xHello")


def test_the_overview_counts_and_draws(browser: Browser, served: Proxy) -> None:
    browser.open(f"{served.url}/dragoman/overview")
    rows = browser.texts("#by-model tbody tr")
    assert any("glm-4.5-air" in row and "glm45" in row for row in rows)
    assert len(browser.all(".histogram")) == 2 and browser.all(".bar-front")
    assert any("native" in row for row in browser.texts("#repairs tbody tr"))
    browser.find("#by-model tbody a").click()
    browser.until(lambda: browser.all("#records tbody tr"))
    assert "q=model" in browser.driver.current_url
    browser.open(f"{served.url}/dragoman/overview?q=model:glm*")
    assert len(browser.all("#by-model tbody tr")) == 1
    browser.open(f"{served.url}/dragoman/overview?q=status%3E%3Dsoon")
    assert "status" in browser.text(".wrong")
    assert not browser.complaints()
