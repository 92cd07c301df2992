"""The HTML pages under `/dragoman/`: the list, one exchange, the overview, the paste box.

Who may see them has been checked before (inspector/access.py). What a model wrote stands in a page as a block of JSON
only, from which the page's own script makes text; nothing of it is ever markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, url_for

from errors import RequestError
from inspector.difference import Line, difference
from inspector.filters import plain, query_of
from inspector.overview_page import edge, overview_values, span
from inspector.timeline import time_line
from inspector.told import amount, clock, seconds
from inspector.words import LANGUAGES, language_of, words_of
from records.recorder import Recorder
from records.stores import StoreError
from records.threads import away_from_streams
from records.views import shown
from version import VERSION
from web.client_request import current_request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy of every page: nothing from elsewhere, and no script or style inside the page."""


def add_pages(room: Blueprint, recorder: Recorder | None) -> None:
    """The pages. Without a recorder they say so."""
    room.app_context_processor(lambda: {"word": _word, "reader_language": lambda: language_of(current_request())})

    @room.get("/")
    def live_list() -> Response:
        return _page(recorder, "list.html", "list")

    @room.get("/records/<name>")
    def exchange(name: str) -> Response:
        if recorder is None:
            return _page(recorder, "gone.html", "exchange", 404)
        try:
            told = away_from_streams(lambda: _found(recorder, name))
        except StoreError as error:
            return _page(recorder, "unavailable.html", "exchange", 503, reason=str(error))
        if told is None:
            return _page(recorder, "gone.html", "exchange", 404)
        return _page(recorder, "exchange.html", "exchange", **_exchange(told, recorder.full))

    @room.get("/explain")
    def paste_box() -> Response:
        return _page(recorder, "explain.html", "explain")

    @room.get("/overview")
    def overview_page() -> Response:
        if recorder is None:
            return _page(recorder, "overview.html", "overview")
        args = {"q": current_request().args.get("q", "")}
        try:
            query = query_of(args, g.viewer.key_name)
            told = asdict(away_from_streams(lambda: recorder.store.overview(query)))
        except RequestError as error:
            return _page(recorder, "overview.html", "overview", wrong=error.message)
        except StoreError as error:
            return _page(recorder, "unavailable.html", "overview", 503, reason=str(error))
        return _page(recorder, "overview.html", "overview", span=span, edge=edge, **overview_values(told))


def _word(name: str) -> str:
    """A word in the language of the reader, for templates that take nothing else (login.html)."""
    return words_of(language_of(current_request()))[name]


def _page(recorder: Recorder | None, template: str, name: str, status: int = 200, **values: Any) -> Response:
    """A page in the language of its reader, without keys."""
    html = render_template(template, **_frame(name, recorder), **values).encode(errors="replace")
    response = Response(html if recorder is None else recorder.redact(html), status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Content-Language"] = language_of(current_request())
    return response


def _frame(name: str, recorder: Recorder | None) -> dict[str, Any]:
    """What every page takes."""
    asked = current_request()
    language = language_of(asked)
    words = words_of(language)
    other = next(each for each in LANGUAGES if each != language)
    chosen = asked.args.get("lang") in LANGUAGES
    in_language: dict[str, Any] = {"lang": language} if chosen else {}

    def link(endpoint: str, **args: Any) -> str:
        """The address of a page, in the language that was chosen."""
        return url_for(f"inspector.{endpoint}", **args, **in_language)

    def t(word: str, **values: object) -> str:
        return words[word].format(**values) if values else words[word]

    return {
        "page": name,
        "language": language,
        "other": other,
        "chosen": language if chosen else "",
        "words": words,
        "t": t,
        "link": link,
        "query": asked.args.get("q", ""),
        "here_in": f"{asked.path}?{urlencode({**asked.args.to_dict(), 'lang': other})}",
        "root": url_for("inspector.live_list"),
        "base_url": asked.host_url.rstrip("/"),
        "viewer": g.viewer,
        "csrf_token": getattr(g.viewer, "csrf_token", None) or "",
        "record_mode": "off" if recorder is None else "full" if recorder.full else "meta",
        "version": VERSION,
        "seconds": seconds,
        "clock": clock,
        "amount": amount,
    }


# -- one exchange ------------------------------------------------------------------------------------------------------


def _found(recorder: Recorder, name: str) -> dict[str, Any] | None:
    """One record as `records.views` shows it, if it is there and may be seen."""
    record = recorder.store.get(plain(name), g.viewer.key_name)
    return None if record is None else shown(record, recorder.store.texts(record.id))


def _exchange(told: Mapping[str, Any], full: bool) -> dict[str, Any]:
    """What the page of one exchange takes."""
    record, text = told["record"], told["text"]
    attempts: Sequence[Mapping[str, Any]] = text["attempts"] if text is not None else ()
    number = _chosen("attempt", len(attempts), _last_answer(attempts))
    attempt = attempts[number] if attempts else None
    replay = attempt["replay"] if attempt is not None else None
    choices: Sequence[Mapping[str, Any]] = replay["choices"] if replay is not None else ()
    place = _chosen("choice", len(choices), 0)
    choice = choices[place] if choices else None
    if choice is not None and replay is not None and replay["error"] and not choice["spans"]:
        choice = None  # the backend refused, and there is no answer to show
    sent = [piece["at_us"] for piece in text["client_pieces"]] if text is not None else []
    return {
        "record": record,
        "verdict": told.get("verdict"),
        "verdict_here": _verdict_here(told.get("verdict")),
        "text": text,
        "kept": full,
        "attempts": attempts,
        "attempt_number": number,
        "attempt": attempt,
        "replay": replay,
        "choices": choices,
        "choice_number": place,
        "line": time_line(record, attempt, choice, sent),
        "changed": _changed(text, attempt),
        "data": _data(told, attempt, choice),
    }


def _verdict_here(verdict: Mapping[str, str] | None) -> str:
    """The verdict in the language of the page, without its numbers; empty where the verdict itself is in it."""
    language = language_of(current_request())
    if verdict is None or language == LANGUAGES[0]:
        return ""
    words = words_of(language)
    return words.get(f"verdict.{verdict['code']}", words.get(f"code.{verdict['code']}", ""))


def _last_answer(attempts: Sequence[Mapping[str, Any]]) -> int:
    return max((number for number, each in enumerate(attempts) if each["replay"] is not None), default=0)


def _chosen(name: str, count: int, default: int) -> int:
    """A number of the query string that says which of several is looked at."""
    text = current_request().args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and int(text) < count else default


def _changed(text: Mapping[str, Any] | None, attempt: Mapping[str, Any] | None) -> list[Line] | None:
    """How the request was changed before it was sent; None if it is not known, empty if it was not."""
    if text is None or attempt is None or text["request"] is None or attempt["request"] is None:
        return None
    if attempt["request_unchanged"]:
        return []
    return difference(text["request"]["text"], attempt["request"]["text"])


def _data(
    told: Mapping[str, Any], attempt: Mapping[str, Any] | None, choice: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What the script of the page makes text of."""
    text = told["text"] or {}
    return {
        "record": {name: told["record"][name] for name in ("id", "request_id", "state", "received_us")},
        "codes": told["record"]["codes"],
        "choice": choice,
        "request": text.get("request"),
        "client": text.get("client"),
        "response": attempt["response"] if attempt is not None else None,
    }
