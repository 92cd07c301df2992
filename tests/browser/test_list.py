"""The live list in a browser: rows that come, change, wait and go; filters; keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.answers import Json
from tests.browser.driver import Browser
from tests.browser.exchanges import Script, ask_kind, record_of, request_of
from tests.servers import Client, Proxy, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long


class Served:
    def __init__(self, proxy: Proxy, script: Script) -> None:
        self.proxy = proxy
        self.script = script
        self.page = f"{proxy.url}/dragoman/"

    def ask(self, *models: str) -> None:
        for model in models:
            ask_kind(self.proxy, model)

    def record(self, model: str) -> Json:
        return record_of(self.proxy, model)


@pytest.fixture
def served(browser: Browser) -> Iterator[Served]:
    script = Script()
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="full") as proxy:
        yield Served(proxy, script)
        script.gate.set()
        browser.open("about:blank")  # an open page holds its feed


def models(browser: Browser) -> list[str]:
    return browser.texts("#records tbody .c-model")


def shown(browser: Browser, wanted: list[str]) -> None:
    browser.until(lambda: models(browser) == wanted, f"{wanted} is not shown: {models(browser)}")


def test_it_says_what_to_do_while_there_is_nothing(browser: Browser, served: Served) -> None:
    browser.open(served.page)
    browser.until(lambda: browser.find("#none").is_displayed())
    assert f"{served.proxy.url}/v1" in browser.text("#none .url")
    assert browser.text("#none pre").startswith(f"curl {served.proxy.url}/v1/chat/completions")
    assert "$API_KEY" in browser.text("#none pre")


def test_rows_come_by_themselves_and_change(browser: Browser, served: Served) -> None:
    browser.open(served.page)
    browser.until(lambda: browser.find("#none").is_displayed())
    served.ask("plain", "glm-4.5-air")
    shown(browser, ["glm-4.5-air", "plain"])
    with served.proxy.client(request_of("open")) as client:
        client.until("One mom")
        shown(browser, ["open", "glm-4.5-air", "plain"])
        row = browser.find("#records tbody tr")
        assert "open" in browser.text("#records tbody tr .c-outcome")
        waited = browser.text("#records tbody tr .c-total")
        browser.until(lambda: browser.text("#records tbody tr .c-total") != waited)
        served.script.gate.set()
        client.rest()
    browser.until(lambda: browser.text("#records tbody tr .c-outcome") == "untouched")
    assert browser.find("#records tbody tr") == row  # the same row, not another one
    assert browser.texts("#records tbody tr:nth-child(2) td")[2:4] == ["glm45", "translated"]
    assert not browser.complaints()


def test_no_row_moves_under_the_cursor(browser: Browser, served: Served) -> None:
    served.ask("plain")
    browser.open(served.page)
    shown(browser, ["plain"])
    browser.point_at(browser.find("#records tbody tr"))
    served.ask("glm-4.5-air", "plain")
    browser.until(lambda: browser.find("#newer").is_displayed())
    browser.until(lambda: browser.text("#newer").startswith("2 new"))
    assert models(browser) == ["plain"]
    browser.find("#newer").click()
    shown(browser, ["plain", "glm-4.5-air", "plain"])
    assert not browser.find("#newer").is_displayed()


def test_pausing_holds_everything(browser: Browser, served: Served) -> None:
    served.ask("plain")
    browser.open(served.page)
    shown(browser, ["plain"])
    browser.press("p")
    assert browser.text("#pause .state") == "paused"
    served.ask("glm-4.5-air")
    browser.until(lambda: browser.text("#newer").startswith("1 new"))
    assert models(browser) == ["plain"]
    browser.press("p")
    shown(browser, ["glm-4.5-air", "plain"])


def test_filters_are_typed_clicked_and_stand_in_the_url(browser: Browser, served: Served) -> None:
    served.ask("plain", "glm-4.5-air", "failing")
    browser.open(served.page)
    shown(browser, ["failing", "glm-4.5-air", "plain"])
    browser.press("/")
    browser.press("model:glm*")
    shown(browser, ["glm-4.5-air"])
    assert "q=model%3Aglm" in browser.driver.current_url
    browser.press(Keys.ESCAPE)
    browser.find("#records .c-outcome a").click()
    browser.until(lambda: browser.find("#q").get_attribute("value") == "model:glm* outcome:translated")
    shown(browser, ["glm-4.5-air"])
    browser.open(browser.driver.current_url)  # the same after a reload
    shown(browser, ["glm-4.5-air"])
    served.ask("plain", "glm-4.5-air")
    shown(browser, ["glm-4.5-air", "glm-4.5-air"])


def test_a_term_that_cannot_be_understood_is_underlined_and_the_result_stays(browser: Browser, served: Served) -> None:
    served.ask("plain", "glm-4.5-air")
    browser.open(f"{served.page}?q=model:glm*")
    shown(browser, ["glm-4.5-air"])
    browser.find("#q").send_keys(" status>=soon")
    browser.until(lambda: browser.texts(".bad-term") == ["status>=soon"])
    assert models(browser) == ["glm-4.5-air"] and "status" in browser.text("#wrong")
    browser.find("#q").send_keys(Keys.BACKSPACE * len(" status>=soon"))
    browser.until(lambda: not browser.all(".bad-term") and not browser.text("#wrong"))


def test_chips_put_terms_in_and_take_them_out(browser: Browser, served: Served) -> None:
    served.ask("plain", "failing", "hermes-slip", "native-slip")
    browser.open(served.page)
    shown(browser, ["native-slip", "hermes-slip", "failing", "plain"])
    chip = browser.find('[data-chip="failed"]')
    chip.click()
    shown(browser, ["failing"])
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    shown(browser, ["native-slip", "hermes-slip", "failing", "plain"])
    browser.find('[data-chip="repaired"]').click()
    shown(browser, ["native-slip", "hermes-slip"])
    browser.find('[data-chip="repaired"]').click()
    browser.find('[data-chip="slow"]').click()
    browser.until(lambda: browser.find("#hidden").is_displayed())
    assert "4" in browser.text("#hidden h2")
    browser.find("#clear").click()
    shown(browser, ["native-slip", "hermes-slip", "failing", "plain"])


def test_keys_choose_open_and_go_back(browser: Browser, served: Served) -> None:
    served.ask("plain", "glm-4.5-air")
    browser.open(f"{served.page}?q=-model:nothing")
    shown(browser, ["glm-4.5-air", "plain"])
    browser.press("jj")
    plain = served.record("plain")["id"]
    browser.until(lambda: browser.find("tr.selected").get_attribute("data-id") == plain)
    assert f"at={plain}" in browser.driver.current_url
    browser.press(Keys.ENTER)
    browser.until(lambda: f"/records/{plain}" in browser.driver.current_url)
    browser.find("#exchange")
    browser.press("k")
    browser.until(lambda: f"/records/{served.record('glm-4.5-air')['id']}" in browser.driver.current_url)
    browser.find("#exchange")
    browser.press(Keys.ESCAPE)
    shown(browser, ["glm-4.5-air", "plain"])
    assert browser.find("#q").get_attribute("value") == "-model:nothing"
    browser.press("?")
    browser.until(lambda: browser.find("#help").is_displayed())
    browser.press(Keys.ESCAPE)
    browser.until(lambda: not browser.find("#help").is_displayed())


def test_at_most_500_rows_are_in_the_page(browser: Browser, tmp_path: Path) -> None:
    script = Script()
    script.texts |= {"many": "Hi.", "last": "Hi."}
    store = f"sqlite:///{tmp_path}/records.db"
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="meta", RECORD_DB=store) as proxy:
        _ask_many(proxy, 180)
        browser.open(f"{proxy.url}/dragoman/")
        browser.until(lambda: len(models(browser)) >= 180)
        _ask_many(proxy, 419)
        _ask_many(proxy, 1, "last")  # records are written later than they are answered; this one is written last
        browser.until(lambda: models(browser)[0] == "last", within=30)
        assert len(models(browser)) == 500
        order = browser.js("return [...document.querySelectorAll('#records tbody tr')].map((row) => row.dataset.id)")
        assert order == sorted(set(order), reverse=True)


def _ask_many(proxy: Proxy, count: int, model: str = "many") -> None:
    for _ in range(count):
        with Client(proxy.port, body=request_of(model, stream=False)) as client:
            client.rest()


def test_korean_by_the_link_and_everywhere_after_it(browser: Browser, served: Served) -> None:
    served.ask("glm-4.5-air")
    browser.open(served.page)
    shown(browser, ["glm-4.5-air"])
    browser.find("#language").click()
    browser.until(lambda: browser.js("return document.documentElement.lang") == "ko")
    shown(browser, ["glm-4.5-air"])
    assert browser.text("#records tbody .c-outcome") == "변환함"
    browser.find("a.open").click()
    browser.find("#exchange")
    assert browser.js("return document.documentElement.lang") == "ko"
    assert "판정" in browser.text(".verdict")
