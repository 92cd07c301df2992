"""Every character of the raw text is in the page once and in order: all of tests/corpus, in a real browser."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answers import Answer, Json, ask, said
from tests.browser.driver import WHOLE, Browser, some
from tests.browser.exchanges import pieces_of
from tests.helpers import Case, corpus
from tests.servers import Proxy, Received, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long

CASES = some([case for case in corpus() if case.text], 12)
OPENED = 12
"""Exchanges whose own page is opened as well."""

FILL = """
const [ids, done] = arguments;
(async () => {
  const { RawPane } = await import("/dragoman/static/raw.js");
  const found = {};
  for (const id of ids) {
    const { text } = await (await fetch(`/dragoman/api/records/${id}`)).json();
    const choice = text.attempts.at(-1).replay.choices[0];
    const place = document.createElement("div");
    const more = document.createElement("button");
    document.body.append(place, more);
    new RawPane(place, more).fill(choice.spans, choice.pieces);
    while (!more.hidden) more.click();
    const parts = [...place.querySelectorAll(".s")];
    found[id] = { text: place.textContent, coloured: parts.every((each) => each.classList.length > 1) };
    place.remove();
    more.remove();
  }
  return found;
})().then(done, (error) => done({ error: String(error) }));
"""
"""Shows each record as the page does, to its end, and returns what is then in the page."""


class Backend:
    """Writes the text of a case in pieces of a few characters."""

    def __init__(self) -> None:
        self.text = ""
        self.size = 3

    def __call__(self, received: Received) -> Answer:
        return Answer(said(*pieces_of(self.text, self.size)))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, dict[str, Case]]]:
    """All cases, asked through the proxy; each by the id of its record."""
    script = Backend()
    folder: Path = tmp_path_factory.mktemp("records")
    store = f"sqlite:///{folder}/records.db"
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="full", RECORD_DB=store) as proxy:
        for number, case in enumerate(CASES):
            script.text, script.size = case.text, (1, 3, 16, 999)[number % 4]
            with proxy.client(request_of(case), headers=[("X-Request-Id", f"case-{number}")]) as client:
                client.rest()
        yield proxy, {f"case-{number}": case for number, case in enumerate(CASES)}


def request_of(case: Case) -> Json:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": dict(schema)}}
        for name, schema in case.tools.items()
    ]
    return ask(True, tools=tools, model="any-model")


def test_every_character_of_the_corpus_is_shown_once_and_in_order(
    browser: Browser, asked: tuple[Proxy, dict[str, Case]]
) -> None:
    proxy, cases = asked
    browser.open(f"{proxy.url}/dragoman/explain")
    names = list(cases)
    wrong: list[str] = []
    for start in range(0, len(names), 100):
        some = names[start : start + 100]
        found = browser.awaited(FILL, some)
        assert "error" not in found, found["error"]
        wrong += [f"{cases[name]}: {found[name]}" for name in some if found[name]["text"] != cases[name].text]
        wrong += [f"{cases[name]}: a part has no colour" for name in some if not found[name]["coloured"]]
    assert not wrong, f"{len(wrong)} of {len(names)}: {wrong[:3]}"


def test_so_it_is_in_the_page_of_an_exchange(browser: Browser, asked: tuple[Proxy, dict[str, Case]]) -> None:
    proxy, cases = asked
    for name in random.Random(17).sample(list(cases), OPENED if WHOLE else 4):
        browser.open(f"{proxy.url}/dragoman/records/{name}")
        assert browser.text("#raw") == cases[name].text, cases[name]
    assert not browser.complaints()
