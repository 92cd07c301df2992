"""The page at `/`: what this is, the base URLs for clients, and where everything else is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from flask import Flask, Request, Response
from markupsafe import Markup, escape

from config import Config
from dialects import Dialect
from version import VERSION
from web.client_request import current_request

WHAT = "An OpenAI-compatible reverse proxy that turns the tool calls models write as text into proper tool calls."

_BASES: Mapping[str, str] = {"chat": "/v1", "responses": "/v1", "messages": "", "ollama": ""}
"""By dialect: what its clients want as the end of a base URL. The SDKs of Anthropic and Ollama add the rest."""
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE = Markup(
    "<!doctype html>\n<meta charset=utf-8>\n<title>Dragoman</title>\n"
    "<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}}"
    "dt{{font-weight:600}}:root{{color-scheme:light dark}}</style>\n"
    "<h1>Dragoman {version}</h1>\n<p>{what}</p>\n"
    "<h2>Base URLs</h2>\n<dl>{bases}</dl>\n<h2>Pages</h2>\n<ul>{pages}</ul>\n"
)


def add_front_page(app: Flask, config: Config, dialects: Sequence[Dialect]) -> None:
    """`GET /` and `HEAD /`: JSON, or HTML for a browser. It tells strangers no more than `/health` does."""
    bases = {dialect.name: _BASES[dialect.name] for dialect in dialects if dialect.name in _BASES}
    pages = {"health": "/health", "openapi": "/openapi.json"}
    if config.inspector:
        pages["inspector"] = "/dragoman/"

    @app.get("/")
    def front() -> Response:
        asked = current_request()
        root = _root(asked)
        urls = {name: f"{root}{end}" or "/" for name, end in bases.items()}
        if asked.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            response = Response(_html(urls, pages), content_type="text/html; charset=utf-8")
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["X-Content-Type-Options"] = "nosniff"
        else:
            told = {"name": "Dragoman", "version": VERSION, "what": WHAT, "base_urls": urls, **pages}
            response = Response(json.dumps(told, indent=2) + "\n", content_type="application/json")
        response.headers["Vary"] = "Accept"
        return response


def _root(asked: Request) -> str:
    """Where this client reaches us, as it says itself; empty if it says no host that could be one."""
    host = asked.environ.get("HTTP_HOST", "")
    return f"{asked.scheme}://{host}" if _HOST.fullmatch(host) else ""


def _html(urls: Mapping[str, str], pages: Mapping[str, str]) -> str:
    bases = Markup("").join(Markup("<dt>{}</dt><dd><code>{}</code></dd>").format(*each) for each in urls.items())
    links = Markup("").join(Markup('<li><a href="{}">{}</a></li>').format(at, at) for at in pages.values())
    return str(_PAGE.format(version=escape(VERSION), what=WHAT, bases=bases, pages=links))
