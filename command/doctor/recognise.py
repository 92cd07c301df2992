"""Which model server this is: by what it answers on paths that only it has, its headers and its models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from command.doctor.answer import Answer
from command.doctor.engines import ENGINES, Engine, Sign
from command.doctor.server import Server


@dataclass(frozen=True, slots=True)
class Recognised:
    """The engine, if it is one of the known ones."""

    engine: Engine | None = None
    version: str = ""
    by: str = ""
    """By what it was recognised."""
    template_takes_tools: bool | None = None
    """Whether the chat template mentions tools; None if the server does not show it."""

    @property
    def name(self) -> str:
        return f"{self.engine.name} {self.version}".strip() if self.engine is not None else "unknown"


class _Looks:
    """Asks for each path once."""

    def __init__(self, server: Server, listed: Answer, fingerprint: str) -> None:
        self._server = server
        self._paths: dict[str, Any] = {}
        self.listed = listed
        self.fingerprint = fingerprint

    def json(self, path: str) -> Mapping[str, Any]:
        if path not in self._paths:
            self._paths[path] = self._server.json(path)
        found = self._paths[path]
        return found if isinstance(found, dict) else {}


def recognise(server: Server, listed: Answer, owners: set[str], fingerprint: str = "") -> Recognised:
    """`listed` is the answer to /v1/models, `owners` those of the models in it, `fingerprint` that of an answer."""
    looks = _Looks(server, listed, fingerprint)
    for engine in ENGINES:
        for sign in engine.signs:
            if _fits(sign, looks, owners):
                return Recognised(engine, _version(engine, looks), _told(sign), _takes_tools(engine, looks))
    return Recognised()


def is_dragoman(server: Server) -> bool:
    """Whether this is a proxy of ours, which answers for whatever is behind it."""
    health = server.json("/health")
    return isinstance(health, dict) and isinstance(health.get("backend"), dict) and "version" in health


def _fits(sign: Sign, looks: _Looks, owners: set[str]) -> bool:
    match sign.kind:
        case "json":
            return sign.what in looks.json(sign.where)
        case "header":
            return looks.listed.headers.get(sign.where, "").lower().startswith(sign.what)
        case "owner":
            return sign.what in owners
        case "fingerprint":
            return re.match(sign.what, looks.fingerprint) is not None


def _told(sign: Sign) -> str:
    return {
        "json": sign.where,
        "header": f"its header {sign.where}",
        "owner": "the owner of its models",
        "fingerprint": "its system_fingerprint",
    }[sign.kind]


def _version(engine: Engine, looks: _Looks) -> str:
    for sign in engine.signs:
        if sign.version and isinstance(found := looks.json(sign.where).get(sign.version), str):
            return found
    return ""


def _takes_tools(engine: Engine, looks: _Looks) -> bool | None:
    """What llama-server's /props tell of the template."""
    if engine.name != "llama.cpp":
        return None
    template = looks.json("/props").get("chat_template")
    return None if not isinstance(template, str) else re.search(r"\btools\b", template) is not None
