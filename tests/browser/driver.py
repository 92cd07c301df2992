"""A headless Chromium with an empty profile, and what a test asks of a page in it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from selenium.common.exceptions import NoAlertPresentException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.servers import PATIENCE

Found = TypeVar("Found")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WHOLE = "BROWSER_WHOLE" in os.environ
"""`make browser` tries all cases of a long list, `make test` some of them."""
CHROMEDRIVER = shutil.which("chromedriver")
MISSING = "no Chromium here: apt-get install chromium chromium-driver"

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en-US",
)
_SCHEMES_OF_THE_BROWSER = ("data:", "about:", "blob:", "chrome:", "devtools:")


def some(cases: Sequence[Found], every: int) -> Sequence[Found]:
    """All cases for `make browser`, else one of so many."""
    return cases if WHOLE else cases[::every]


class Browser:
    """One window."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Go there, and wait for the page's scripts: on a busy machine the driver returns before they have run."""
        self.driver.get(url)
        self.until(lambda: self.js("return document.readyState === 'complete'"))

    def js(self, script: str, *arguments: object) -> Any:
        """What a script of the test returns. It runs outside of the page's policy."""
        return self.driver.execute_script(script, *arguments)

    def awaited(self, script: str, *arguments: object) -> Any:
        """What an asynchronous script hands to its last argument."""
        return self.driver.execute_async_script(script, *arguments)

    def find(self, css: str) -> WebElement:
        """The first that is there, waited for."""
        return self.until(lambda: next(iter(self.all(css)), None), f"no {css}")

    def all(self, css: str) -> Sequence[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        """All text of an element, seen or not."""
        return str(self.js("return arguments[0].textContent", self.find(css)))

    def texts(self, css: str) -> list[str]:
        found = self.js("return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)", css)
        return [str(each) for each in found]

    def until(self, ask: Callable[[], Found | None], why: str = "it never came", within: float = PATIENCE) -> Found:
        """What `ask` returns, once that is something true."""
        end = time.monotonic() + within
        while True:
            try:
                if found := ask():
                    return found
            except StaleElementReferenceException:
                pass
            assert time.monotonic() < end, f"{why}; the page says {self.text('main')[:600]!r}"
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def point_at(self, element: WebElement) -> None:
        ActionChains(self.driver).move_to_element(element).perform()

    def dialog(self) -> str | None:
        """What an open `alert` says."""
        try:
            return str(self.driver.switch_to.alert.text)
        except NoAlertPresentException:
            return None

    def forget(self) -> None:
        """Forget what was asked and said until now."""
        self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        self.driver.get_log("browser")  # type: ignore[no-untyped-call]

    def asked(self) -> list[str]:
        """The addresses that were asked for since the last look, without those inside of the browser."""
        entries = [json.loads(each["message"])["message"] for each in self.driver.get_log("performance")]  # type: ignore[no-untyped-call]
        urls = [each["params"]["request"]["url"] for each in entries if each["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(_SCHEMES_OF_THE_BROWSER)]

    def complaints(self) -> list[str]:
        """Errors of the page's scripts and violations of its policy, since the last look."""
        return [str(each["message"]) for each in self.driver.get_log("browser") if each["level"] == "SEVERE"]  # type: ignore[no-untyped-call]

    def command(self, name: str, **values: object) -> Any:
        """A command of the protocol for developers."""
        return self.driver.execute_cdp_cmd(name, values)

    def looks(self, width: int, height: int = 900, dark: bool = False) -> None:
        """The size of the window, and which scheme its user prefers."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])


@contextmanager
def started_browser() -> Iterator[Browser]:
    """A browser of its own, ended again."""
    assert CHROMIUM is not None and CHROMEDRIVER is not None, MISSING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}", "--window-size=1280,900"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        options.set_capability("unhandledPromptBehavior", "ignore")
        driver = Chrome(options=options, service=Service(CHROMEDRIVER))
        driver.set_script_timeout(120)
        try:
            yield Browser(driver)
        finally:
            driver.quit()
