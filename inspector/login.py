"""Login and logout of browsers. A key comes in the body of a form only, never in a URL; the cookie does not hold it."""

from __future__ import annotations

import re

from flask import Blueprint, Request, Response, g, redirect, render_template

from config import Config
from errors import NotFound, ProxyError, RecordsUnavailable, TooMany, Unauthorised
from inspector.attempts import Attempts, address_of
from inspector.bodies import form_of
from inspector.sessions import COOKIE, LASTS, Sessions
from records.stores import StoreError
from records.threads import away_from_streams
from web.client_request import current_request
from web.keys import is_given

PATH = "/dragoman/login"
HOME = "/dragoman/"
_COOKIE_PATH = "/dragoman"
_OWN_PATH = re.compile(r"/dragoman(?:/(?!/)[\w.~!$&'()*+,;=:@%/?-]*)?", re.ASCII)
_LONGEST = 2000
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_WRONG = "That is none of the keys."
_OFTEN = "Too many wrong keys from this address. Wait a few seconds."


def add_login(room: Blueprint, config: Config, sessions: Sessions) -> None:
    """The routes. Who asks, and from which page, has been checked (inspector/access.py)."""
    attempts = Attempts()

    @room.post("/login")
    def login() -> Response:
        asked = current_request()
        if not (config.inspector_key or config.proxy_api_keys):
            raise NotFound("No keys are set, so nobody needs to log in.")
        address = address_of(asked)
        if not attempts.take(address):
            return _refused(asked, TooMany(_OFTEN))
        found = _whose(config, form_of().get("key", "").strip())
        if found is None:
            return _refused(asked, Unauthorised(_WRONG))
        attempts.succeeded(address)
        cookie = away_from_streams(lambda: sessions.begin(*found))
        if wants_page(asked):
            answer = _to(_own_path(form_of().get("next", "")))
        else:
            session = sessions.read(cookie)
            token = session.csrf_token if session is not None else ""
            answer = Response(f'{{"csrf_token": "{token}"}}', content_type="application/json")
        answer.set_cookie(
            COOKIE, cookie, LASTS, path=_COOKIE_PATH, secure=_is_https(asked), httponly=True, samesite="Strict"
        )
        return answer

    @room.get("/login")
    def logged_in() -> Response:
        return _to(HOME)

    @room.post("/logout")
    def logout() -> Response:
        session = g.get("session")
        if session is not None:
            try:
                away_from_streams(lambda: sessions.end(session))
            except StoreError as error:
                raise RecordsUnavailable(f"The logout cannot be noted now: {error}") from None
        asked = current_request()
        answer = _to(HOME) if wants_page(asked) else Response("{}", content_type="application/json")
        answer.delete_cookie(COOKIE, path=_COOKIE_PATH, secure=_is_https(asked), httponly=True, samesite="Strict")
        return answer


def login_page(asked: Request, status: int = 401, problem: str = "") -> Response:
    """The form. What was asked for is where a login leads to."""
    path = asked.full_path.rstrip("?")
    page = render_template(
        "login.html", problem=problem, next=form_of().get("next", "") if problem else _own_path(path)
    )
    answer = Response(page, status, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Vary"] = "Accept, Cookie"
    return answer


def wants_page(asked: Request) -> bool:
    """Whether a browser asks for a page."""
    return asked.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _refused(asked: Request, error: ProxyError) -> Response:
    if wants_page(asked):
        return login_page(asked, error.status, error.message)
    raise error


def _whose(config: Config, key: str) -> tuple[str | None, str] | None:
    """(the name of the key, the key); None as name for INSPECTOR_KEY. None if it is none of ours.

    Every key is compared, whichever fits, so that time tells nothing.
    """
    given = [key.encode(errors="replace")]
    fits = [(each.name, each.key) for each in config.proxy_api_keys if is_given(each.key, given)]
    if config.inspector_key is not None and is_given(config.inspector_key, given):
        return None, config.inspector_key
    return fits[0] if fits else None


def _own_path(path: str) -> str:
    """A path of the inspector; its first page in place of any other."""
    fits = len(path) <= _LONGEST and _OWN_PATH.fullmatch(path) and not path.startswith((PATH, "/dragoman/logout"))
    return path if fits else HOME


def _to(path: str) -> Response:
    answer = redirect(path, 303)
    assert isinstance(answer, Response)
    return answer


def _is_https(asked: Request) -> bool:
    """Whether the browser spoke TLS, to us or to a server in front."""
    told = asked.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return asked.is_secure or told == "https"
