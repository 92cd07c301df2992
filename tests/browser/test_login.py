"""With keys the page asks for one; a login sees what its key may see, and plays again with its token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.driver import Browser
from tests.browser.exchanges import Script, request_of
from tests.servers import Proxy, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long

KEYS = {"PROXY_API_KEYS": "alice:sk-of-alice,bob:sk-of-bob", "INSPECTOR_KEY": "sk-of-the-owner"}


@pytest.fixture
def guarded(browser: Browser) -> Iterator[Proxy]:
    with ScriptedBackend(Script()) as backend, running_proxy(backend, RECORD="full", **KEYS) as proxy:
        for key, model in (("sk-of-alice", "plain"), ("sk-of-bob", "glm-4.5-air")):
            with proxy.client(request_of(model), headers=[("Authorization", f"Bearer {key}")]) as client:
                client.rest()
        yield proxy
        browser.driver.delete_all_cookies()
        browser.open("about:blank")


def log_in(browser: Browser, key: str) -> None:
    browser.find("#key").send_keys(key, Keys.ENTER)


def models(browser: Browser) -> list[str]:
    return browser.texts("#records tbody .c-model")


def test_a_wrong_key_sees_the_form_again(browser: Browser, guarded: Proxy) -> None:
    browser.open(f"{guarded.url}/dragoman/?lang=ko")
    assert browser.js("return document.documentElement.lang") == "ko"
    background = browser.js("return getComputedStyle(document.querySelector('button.primary')).backgroundColor")
    assert background != "rgba(0, 0, 0, 0)", "the style is not there"
    log_in(browser, "sk-of-nobody")
    browser.find("[role=alert]")
    assert not browser.all("#records")


def test_a_key_of_a_client_sees_its_own_and_changes_nothing(browser: Browser, guarded: Proxy) -> None:
    browser.open(f"{guarded.url}/dragoman/")
    log_in(browser, "sk-of-alice")
    browser.until(lambda: models(browser) == ["plain"])
    assert "sk-of" not in browser.driver.current_url
    browser.find("a.open").click()
    browser.find("#exchange")
    assert not browser.all("#again")
    browser.find(".bar-end form button").click()
    browser.find("#key")
    browser.open(f"{guarded.url}/dragoman/")
    browser.find("#key")


def test_the_owner_sees_all_and_plays_again_with_a_token(browser: Browser, guarded: Proxy) -> None:
    browser.open(f"{guarded.url}/dragoman/?q=model:glm*")
    log_in(browser, "sk-of-the-owner")
    browser.until(lambda: models(browser) == ["glm-4.5-air"])  # the login leads to what was asked for
    browser.find("#q").clear()
    browser.find("#q").send_keys(Keys.ENTER)
    browser.until(lambda: models(browser) == ["glm-4.5-air", "plain"])
    browser.find("a.open").click()
    browser.find("#exchange")
    first = browser.driver.current_url
    browser.find("#again").click()
    browser.until(lambda: "/records/" in browser.driver.current_url and browser.driver.current_url != first)
    browser.until(lambda: "<tool_call>" in browser.text("#raw"))
    assert not [each for each in browser.complaints() if " 401 " not in each]
