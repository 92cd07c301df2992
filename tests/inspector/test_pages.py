"""The pages of the inspector without a browser: status, policy, escaping, languages, empty states, files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter

from werkzeug.test import TestResponse

from inspector.pages import POLICY
from inspector.words import LANGUAGES, all_codes, words_of
from tests.answers import TOOLS, ask, said
from tests.cases import in_one_test
from tests.records.recorded import Recorded, Said, bearer, recorded

__all__ = ["recorded"]

Make = Callable[..., Recorded]
GLM = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
PAGES = ("/dragoman/", "/dragoman/overview", "/dragoman/explain")
ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "inspector" / "static"
TEMPLATES = ROOT / "inspector" / "templates"


def page(proxy: Recorded, path: str, key: str = "", **headers: str) -> TestResponse:
    return proxy.client.get(path, headers={**bearer(key), **headers}, buffered=True)


def last_page(proxy: Recorded, **headers: str) -> TestResponse:
    return page(proxy, f"/dragoman/records/{proxy.listed('limit=1')[0]['id']}", **headers)


# -- every page --------------------------------------------------------------------------------------------------------


@in_one_test("path", [*PAGES, "/dragoman/records/nothing", "/dragoman"])
@in_one_test("record", ["off", "meta", "full"])
def test_every_page_is_there_and_has_the_policy(recorded: Make, path: str, record: str) -> None:
    response = page(recorded(RECORD=record), path)
    assert response.status_code == (404 if "nothing" in path else 200)
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == POLICY
    assert "'unsafe" not in POLICY and POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@in_one_test("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_a_script_a_style_or_an_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag, tag
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe|Markup", text)
    assert not re.search(r"https?:|//[a-z]", text)


@in_one_test("path", sorted(STATIC.iterdir()), ids=lambda path: path.name)
def test_no_file_makes_markup_of_text_or_asks_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.srcdoc", text)
    assert not re.search(r"@import|@font-face|url\((?!#)", text)
    assert re.findall(r"https?://[^\s\"]+", text) in ([], ["http://www.w3.org/2000/svg"])


def test_files_are_served_and_nothing_beside_them(recorded: Make) -> None:
    proxy = recorded()
    for path in STATIC.iterdir():
        response = page(proxy, f"/dragoman/static/{path.name}")
        assert response.status_code == 200 and response.get_data() == path.read_bytes()
    for name, kind in (("icon.svg", "image/svg+xml"), ("list.js", "text/javascript"), ("base.css", "text/css")):
        response = page(proxy, f"/dragoman/static/{name}")
        assert response.content_type.startswith(kind)
    for name in ("nothing.js", "../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "", "../words/en.json"):
        assert page(proxy, f"/dragoman/static/{name}").status_code in (400, 404), name


# -- one exchange ------------------------------------------------------------------------------------------------------

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def test_what_others_wrote_is_no_markup(recorded: Make) -> None:
    proxy = recorded()
    text = f"{ATTACK}<tool_call>{json.dumps({'name': 'get_weather', 'arguments': {'city': ATTACK}})}</tool_call>"
    proxy.ask(ask(tools=TOOLS, model=ATTACK, user=ATTACK), Said(said(text)))
    html = last_page(proxy).get_data(as_text=True)
    assert "<script>alert" not in html and "<img" not in html
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in html
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert "".join(span["raw"] for span in json.loads(data)["choice"]["spans"]) == text


def test_a_filter_is_no_markup_either(recorded: Make) -> None:
    for path in PAGES:
        response = recorded().client.get(path, query_string={"q": ATTACK, "lang": ATTACK, "at": ATTACK})
        assert response.status_code == 200 and "<script>alert" not in response.get_data(as_text=True)


def test_a_record_without_text_says_why(recorded: Make) -> None:
    proxy = recorded(RECORD="meta")
    proxy.ask(ask(tools=TOOLS, model="glm-4.5"), Said(said(GLM)))
    html = last_page(proxy).get_data(as_text=True)
    assert "RECORD=full" in html and "Seoul" not in html
    small = recorded(RECORD="full", RECORD_BYTES="1")
    small.ask(ask(tools=TOOLS, model="glm-4.5"), Said(said(GLM)))
    html = last_page(small).get_data(as_text=True)
    assert "no longer kept" in html and "Seoul" not in html


def test_a_record_without_an_answer_says_why(recorded: Make) -> None:
    proxy = recorded()
    proxy.ask({"input": "Hi"}, Said([b"{}"], content_type="application/json"), path="/v1/embeddings")
    assert '<p class="notice">This was forwarded as it is; there is no model text in it.</p>' in last_page(proxy).text
    proxy.ask({"model": "m", "messages": "Hi"})  # refused here
    assert '<p class="notice">The exchange failed; there is no model text in it.</p>' in last_page(proxy).text


def test_a_page_shows_a_key_its_own_records_only(recorded: Make) -> None:
    proxy = recorded(PROXY_API_KEYS="alice:sk-of-alice,bob:sk-of-bob", INSPECTOR_KEY="sk-of-the-owner")
    proxy.ask(ask(model="of-alice"), Said(said("Hi.")), key="sk-of-alice")
    name = proxy.listed(key="sk-of-alice")[0]["id"]
    path = f"/dragoman/records/{name}"
    assert page(proxy, path, "sk-of-alice").status_code == 200
    assert page(proxy, path, "sk-of-bob").status_code == 404
    owner = page(proxy, path, "sk-of-the-owner").get_data(as_text=True)
    assert 'id="again"' in owner and 'id="again"' not in page(proxy, path, "sk-of-alice").get_data(as_text=True)


def test_no_key_is_in_a_page(recorded: Make) -> None:
    proxy = recorded(BACKEND_API_KEY="sk-of-the-backend-0123456789")
    proxy.ask(ask(model="m"), Said(said("My key is sk-of-the-", "backend-0123456789.")))
    assert "sk-of-the-backend-0123456789" not in last_page(proxy).get_data(as_text=True)


def test_attempts_and_choices_are_chosen_in_the_url(recorded: Make) -> None:
    proxy = recorded()
    proxy.ask(ask(tools=TOOLS, model="glm-4.5"), Said(said(GLM)))
    path = f"/dragoman/records/{proxy.listed()[0]['id']}"
    for query in ("attempt=0&choice=0", "attempt=9&choice=9", "attempt=-1", "attempt=x&choice=²", "attempt=99999999"):
        response = page(proxy, f"{path}?{query}")
        assert response.status_code == 200 and "get_weather" in response.get_data(as_text=True)


# -- languages ---------------------------------------------------------------------------------------------------------


def language_of(response: TestResponse) -> str:
    (found,) = re.findall(r'<html lang="(\w+)"', response.get_data(as_text=True))
    assert response.headers["Content-Language"] == found
    return str(found)


@in_one_test(
    ("query", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("", "ko", "ko"),
        ("", "de,fr;q=0.5", "en"),
        ("", "en-GB,ko;q=0.5", "en"),
        ("lang=ko", "en", "ko"),
        ("lang=en", "ko", "en"),
        ("lang=xx", "ko", "ko"),
    ],
)
@in_one_test("path", PAGES)
def test_the_language_is_that_of_the_reader(
    recorded: Make, path: str, query: str, accepted: str, language: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    assert language_of(page(recorded(), f"{path}?{query}", **headers)) == language


def test_a_language_that_was_chosen_stays(recorded: Make) -> None:
    html = page(recorded(), "/dragoman/?lang=ko&q=model:x").get_data(as_text=True)
    assert 'href="/dragoman/overview?lang=ko"' in html
    assert 'href="/dragoman/?lang=en&amp;q=model%3Ax"' in html or 'href="/dragoman/?q=model%3Ax&amp;lang=en"' in html


def test_both_languages_have_the_same_words() -> None:
    tables = {each: words_of(each) for each in LANGUAGES}
    english, korean = tables["en"], tables["ko"]
    own = {name for name in korean if name.startswith("verdict.")}  # in English a verdict comes with its numbers
    assert set(korean) - own == set(english)
    assert {f"code.{code}" for code in all_codes()} <= set(korean)
    for name, text in english.items():
        assert (text.strip() != "") == (korean[name].strip() != ""), name
        if not name.startswith("code."):
            assert _places(text) == _places(korean[name]), name
    same = {name for name in english if english[name] == korean[name] and re.search("[A-Za-z]{3}", english[name])}
    assert same <= {"filter.placeholder", "empty.model", "fact.face"}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_word_that_is_used_is_there() -> None:
    words = words_of("en")
    for path in [*TEMPLATES.glob("*.html"), *STATIC.glob("*.js")]:
        for name in re.findall(r"\bt\(\"([\w.# ]+)\"\s*[,)]", path.read_text(encoding="utf-8")):
            assert name in words, f"{path.name}: {name}"
    tones = (STATIC / "tones.js").read_text(encoding="utf-8")
    for code in re.findall(r'"(\w+_\w+|quoted|declaration)"', tones):
        assert code in set(all_codes()), code


def test_every_verdict_has_a_sentence_in_korean() -> None:
    korean = words_of("ko")
    text = (ROOT / "records" / "verdict.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Verdict\(\s*"(\w+)"', text)) | set(re.findall(r'code, text = "(\w+)"', text))
    codes |= set(re.findall(r'^    "(\w+)": \(', text, re.MULTILINE))
    assert len(codes) > 30
    for code in codes:
        assert f"verdict.{code}" in korean or f"code.{code}" in korean, code
