"""Attack strings as model text, tool names, model names, headers and filters: nothing is executed, nothing asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.answers import Answer, completion, json_answer, tool
from tests.browser.driver import Browser, some
from tests.browser.exchanges import slowly
from tests.servers import Proxy, Received, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long

RUN = "window.attacked=1;alert(1)"
ATTACKS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f'"><svg onload="{RUN}">',
    f"' autofocus onfocus='{RUN}' x='",
    f"</textarea></title></style><script>{RUN}</script>",
    f"</pre><details open ontoggle='{RUN}'>",
    f"javascript:{RUN}//",
    f"<a href='javascript:{RUN}'>x</a>",
    "<iframe src='//evil.example/frame'></iframe>",
    "<link rel=stylesheet href='//evil.example/style.css'>",
    "<style>@import url(//evil.example/style.css); * {{ background: url(//evil.example/a.png) }}</style>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<form action='//evil.example/'><button>x</button></form>",
    "<object data='//evil.example/x'></object><embed src='//evil.example/y'>",
    f"<!--<script>{RUN}//--><script>{RUN}</script>",
    f"{{{{ {RUN} }}}} {{% raw %}} ${{{RUN}}} #{{{RUN}}}",
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;script&#62;",
    f"\u2028\u2029\x00\x08\x1b[31m\ufeff\u202e<script>{RUN}</script>",
    "<![CDATA[<script>x</script>]]><math><mi xlink:href='//evil.example/'>",
    "constructor __proto__ toString",
]

SOME = some(ATTACKS, 4)
INJECTED = (
    "main script:not([type='application/json']), main style, iframe, object, embed, base, [onerror], [onload], "
    "[onfocus], [ontoggle]"
)
"""What no page holds."""


class Attacker:
    """A backend whose every text is an attack."""

    def __init__(self) -> None:
        self.attack = ""
        self.kind = 0
        """0: a stream with text; 1: an error; 2: a buffered answer with a native call."""

    def __call__(self, received: Received) -> Answer:
        attack = self.attack
        if self.kind == 0:
            call = f'<tool_call>\n{{"name": "f", "arguments": {{"x": {json.dumps(attack)}}}}}\n</tool_call>'
            return slowly(f"<think>{attack}</think>{attack}\n{call}", 11, 0)
        if self.kind == 1:
            return json_answer({"error": {"message": attack, "type": attack, "code": attack}}, 400)
        calls = [{"id": attack, "type": "function", "function": {"name": attack, "arguments": json.dumps(attack)}}]
        return json_answer(completion(attack, attack, tool_calls=calls, reasoning_content=attack))


@pytest.fixture(scope="module")
def attacked() -> Iterator[Proxy]:
    script = Attacker()
    with ScriptedBackend(script) as backend, running_proxy(backend, RECORD="full") as proxy:
        for attack in SOME:
            for kind in range(3):
                script.attack, script.kind = attack, kind
                body = {
                    "model": attack,
                    "stream": kind == 0,
                    "messages": [
                        {"role": attack, "content": attack},
                        {"role": "user", "content": [{"type": "text", "text": attack}]},
                    ],
                    "tools": [tool("f", x="string"), tool(attack, **{attack: "string"})],
                    "tool_choice": "auto",
                    "user": attack,
                }
                name = attack.encode().decode("latin-1").replace("\0", "")
                safe = "".join(letter for letter in name if letter.isprintable())
                headers = [("User-Agent", safe), ("X-Request-Id", safe), ("Referer", safe), ("X-Title", safe)]
                with proxy.client(body, headers=headers) as client:
                    client.rest()
        yield proxy


def assert_harmless(browser: Browser, proxy: Proxy, where: str) -> None:
    assert browser.dialog() is None, where
    assert browser.js("return window.attacked") is None, where
    away = [url for url in browser.asked() if not url.startswith(f"{proxy.url}/dragoman/")]
    assert not away, f"{where}: {away}"
    # an inline script or a foreign address that the policy stopped would be told of here
    refused = [each for each in browser.complaints() if "400" not in each and "404" not in each]
    assert not refused, f"{where}: {refused}"
    assert not browser.all(INJECTED), where


def test_the_list_shows_attacks_as_text(browser: Browser, attacked: Proxy) -> None:
    browser.open(f"{attacked.url}/dragoman/")
    browser.until(lambda: len(browser.all("#records tbody tr")) == 3 * len(SOME))
    assert any("<script>" in text for text in browser.texts("#records .c-model"))
    assert_harmless(browser, attacked, "list")


def test_every_exchange_shows_attacks_as_text(browser: Browser, attacked: Proxy) -> None:
    with attacked.get("/dragoman/api/records?limit=500") as client:
        records = client.json()["records"]
    assert len(records) == 3 * len(SOME)
    for record in records:
        browser.open(f"{attacked.url}/dragoman/records/{record['id']}")
        browser.js("for (const fold of document.querySelectorAll('details')) fold.open = true")
        browser.js("for (const fold of document.querySelectorAll('details')) fold.open = true")
        browser.find("#decisions li")
        assert_harmless(browser, attacked, record["model"])


@pytest.mark.parametrize(
    "page", ["", "overview", "explain", "records/nothing", "records/%3Cscript%3Ealert(1)%3C%2Fscript%3E"]
)
def test_attacks_in_addresses(browser: Browser, attacked: Proxy, page: str) -> None:
    for attack in SOME:
        text = quote(attack.replace("\0", ""), safe="")
        browser.open(f"{attacked.url}/dragoman/{page}?q={text}&lang={text}&at={text}&attempt={text}")
        assert_harmless(browser, attacked, f"{page} {attack}")


def test_the_overview_shows_attacks_as_text(browser: Browser, attacked: Proxy) -> None:
    browser.open(f"{attacked.url}/dragoman/overview")
    assert any("<script>" in text for text in browser.texts("#by-model td"))
    assert_harmless(browser, attacked, "overview")


def test_pasted_attacks_are_text(browser: Browser, attacked: Proxy) -> None:
    browser.open(f"{attacked.url}/dragoman/explain")
    for attack in SOME:
        text = f'{attack}<tool_call>{{"name": "f", "arguments": {{"x": {json.dumps(attack)}}}}}</tool_call>'
        tools = json.dumps([tool("f", x="string"), tool(attack)])
        for name, value in (("text", text), ("tools", tools), ("model", attack)):
            browser.js("document.getElementById(arguments[0]).value = arguments[1]", f"paste-{name}", value)
        pasted = browser.js("return document.getElementById('paste-text').value")
        browser.find("#paste button.primary").click()
        browser.until(lambda pasted=pasted: browser.text("#raw") == pasted)  # type: ignore[misc]
        assert_harmless(browser, attacked, attack)
