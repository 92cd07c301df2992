"""One browser for all tests of a process. Without Chromium each of these tests is skipped, and says what is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.driver import CHROMEDRIVER, CHROMIUM, MISSING, Browser, started_browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None or CHROMEDRIVER is None:
        pytest.skip(MISSING)
    with started_browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The browser at a usual size, with what it asked and said before forgotten."""
    chromium.open("about:blank")
    chromium.looks(1280)
    chromium.forget()
    return chromium
