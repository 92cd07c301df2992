"""Proxies of many settings before one hostile backend, and the judge of what they answer (defect C6)."""

from __future__ import annotations

import json
import logging
import random
import re
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from config import Config
from tests.hostile import Raw
from tests.hostile_forms import in_form
from tests.hostile_watch import Watch, watching
from tests.servers import Answer, Proxy, Received, ScriptedBackend, running_proxy
from tests.telemetry.scraped import Samples
from tests.templates.answers import MADE_UP
from tests.templates.learning import props, template_text

SLOWEST = 5.0
"""Seconds that no input may take, on a busy machine either."""
OVER_A_CONNECTION = 100
"""Of so many inputs, one goes to a proxy over a real connection."""
LOOKED_AT = 200
"""Inputs from one look at the metrics, and at the records, to the next."""
_DATABASE = {"RECORD": "full", "RECORD_DB": "sqlite:///{folder}/records.sqlite", "STATE_FILE": "{folder}/state.sqlite"}
SETTINGS: Sequence[Mapping[str, str]] = (
    {"RECORD": "full"},
    {"HEAL": "off", "TOOL_CALL_STREAMING": "whole", "RECORD": "off", "CHAT_TEMPLATES": "off", "LOG_LEVEL": "DEBUG"},
    {"REASONING_FIELD": "both", "REASONING_PREFILLED": "true", **_DATABASE},
    {"REASONING_FIELD": "none", "STRIP_END_TOKENS": "false", "RAW": "on"},
    {"HEAL": "retry", "HEAL_ATTEMPTS": "3", "LOG_LEVEL": "DEBUG", **_DATABASE},
    {"HEAL": "retry", "HEAL_ATTEMPTS": "1", "TOOL_PROMPTING": "prompt", "CONSTRAIN": "auto", "BACKEND": "llamacpp"},
    {"TOOL_PROMPTING": "prompt", "CHAT_TEMPLATES": "{templates}", "RECORD": "full", "REASONING_FIELD": "content"},
    {"TOOL_PROMPTING": "native", "RAW": "off", "ADAPT": "off", "REASONING_FIELD": "reasoning", "BACKEND": "vllm"},
    {"FORWARD": "responses,messages", "MODEL_SYNTAX": "m=hermes,*=glm45", "KEEPALIVE_SECONDS": "0"},
    {"PROXY_API_KEYS": "a:key1,b:key2", "INSPECTOR_KEY": "see", "RECORD": "full", "REASONING_PREFILLED": "false"},
    {"ENABLE_TOOL_CALL_CONVERSION": "false", "RECORD": "full"},
)
_IDS = {
    "@response@": re.compile(rb"\bresp_[0-9a-f]{40}\b"),
    "@item@": re.compile(rb"\b(?:msg|fc|rs|ctc|item)_[0-9a-f]{40}\w*"),
    "@call@": re.compile(rb"\bcall_?\w{5,40}\b"),
    "@record@": re.compile(rb"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
}
"""What ids of ours look like in answers, by what stands for them in requests."""


class HostileBackend(ScriptedBackend):
    """Each model has a template: none, a made-up one, or none that can be read."""

    def __init__(self, templates: Sequence[Answer]) -> None:
        self._templates = templates
        self._dice = random.Random(7)
        super().__init__()

    @property
    def template_answer(self) -> Answer:  # type: ignore[override]
        return self._dice.choice(self._templates)


@dataclass
class Station:
    """One proxy, and the ids that it has given out."""

    settings: Mapping[str, str]
    app: Flask
    client: FlaskClient
    ids: dict[str, deque[str]] = field(default_factory=lambda: {name: deque(maxlen=30) for name in _IDS})

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [("Authorization", "Bearer key1"), ("X-Api-Key", "see")] if "PROXY_API_KEYS" in self.settings else []

    def filled(self, text: str, dice: random.Random) -> str:
        """A text with ids where `@…@` stands for one."""
        for name, known in self.ids.items():
            while name in text:
                text = text.replace(name, dice.choice(known) if known else "none", 1)
        return text

    def learn(self, body: bytes, asked: Raw) -> None:
        """Take the ids of an answer."""
        for name, pattern in _IDS.items():
            known = self.ids[name]
            for found in pattern.findall(body)[:5]:
                if (told := found.decode()) not in known:
                    known.append(told)
        if asked.asking.method == "DELETE":
            self.ids["@response@"].clear()  # for what is gone, but young, another process is waited for


@dataclass
class Hall:
    """Sends requests to one of the proxies, and judges what comes."""

    backend: HostileBackend
    stations: Sequence[Station]
    proxy: Proxy
    watch: Watch
    tried: int = 0
    by_face: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    longest: float = 0.0
    made: list[Raw] = field(default_factory=list)
    """What came from Hypothesis, for mixes of it."""
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def check(self, raw: Raw) -> None:
        """AssertionError for anything but an answer in form; it quotes what was asked."""
        self.watch.listen()
        self.tried += 1
        self.by_face[raw.asking.error_face] += 1
        self.backend.answer = self._script(raw)
        station = self.dice.choice(self.stations)
        direct = self.tried % OVER_A_CONNECTION == 0 and not raw.asking.target.startswith("/dragoman/")
        station = self.stations[0] if direct else station
        logging.getLogger("dragoman").setLevel(station.settings.get("LOG_LEVEL", "WARNING"))
        target = station.filled(raw.asking.target, self.dice)
        request = station.filled(raw.request.decode("utf-8", "surrogatepass"), self.dice).encode(
            "utf-8", "surrogatepass"
        )
        try:
            began = time.process_time()  # of the proxy, too, which runs in this process
            body, status, kind = (self._over_a_connection if direct else self._in_process)(
                station, raw, target, request
            )
            self._judge(station, raw, body, status, kind, time.process_time() - began)
        except Exception as failure:  # noqa: BLE001 - whatever comes out of a stream that is read
            told = (isinstance(failure, AssertionError) and str(failure)) or traceback.format_exc()
            asked = f"{raw.asking.method} {target} {raw.asking.headers} {request[:3000]!r}"
            answered = f"{raw.refusals} {raw.status} {raw.answer[:3000]!r}"
            raise AssertionError(
                f"{told}\nsettings {dict(station.settings)}\nasked {asked}\nthe backend said {answered}"
            ) from None

    def _script(self, raw: Raw) -> Answer | Callable[[Received], Answer]:
        kind = "text/event-stream" if raw.as_stream else "application/json"
        last = Answer([raw.answer] if raw.answer else [], raw.status, [("Content-Type", kind)], "length")
        if not raw.refusals:
            return last
        first = [
            Answer([each.body], each.status, [("Content-Type", "application/json")], "length") for each in raw.refusals
        ]

        def answer(_: Received) -> Answer:
            return first.pop(0) if first else last

        return answer

    def _in_process(self, station: Station, raw: Raw, target: str, request: bytes) -> tuple[bytes, int, str]:
        headers = [*station.headers, *raw.asking.headers]
        reply = station.client.open(
            target, method=raw.asking.method, data=request or None, content_type="application/json", headers=headers
        )
        body = reply.get_data()
        reply.close()
        return body, reply.status_code, reply.content_type or ""

    def _over_a_connection(self, station: Station, raw: Raw, target: str, request: bytes) -> tuple[bytes, int, str]:
        headers = list(raw.asking.headers)
        with self.proxy.client(request, target, method=raw.asking.method, headers=headers) as client:
            return client.rest(), client.status, client.header("content-type") or ""

    def _judge(self, station: Station, raw: Raw, body: bytes, status: int, kind: str, took: float) -> None:
        self.longest = max(self.longest, took)
        self.statuses[raw.asking.error_face, status] += 1
        if self.tried % 1000 == 0:
            self.backend.forget()
        wrong = self.watch.look()
        assert not wrong, wrong
        assert took < SLOWEST, f"it took {took:.1f} s"
        if not _forwarded(station, raw):
            try:
                in_form(status, kind, body, raw)
            except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
                raise AssertionError(
                    f"not in form: {_place_of(error)}: {error!r}: {status} {kind} {body[:500]!r} … {body[-300:]!r}"
                ) from error
        station.learn(body, raw)
        if self.tried % LOOKED_AT == 0:
            self._look_around(station)

    def _look_around(self, station: Station) -> None:
        """The metrics can be read, and no record was lost to what stands in it."""
        with station.client.get("/metrics", headers=station.headers) as told:
            assert told.status_code == 200, told.get_data()[:300]
            assert Samples(told.get_data(as_text=True)).families
        recorder = station.app.extensions["records"]
        assert recorder is None or not recorder.lost.get("store"), f"records are lost: {recorder.lost}"


def _place_of(error: BaseException) -> str:
    """Where it was raised, and the line of source that stands there."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.name}, line {last.lineno}: {last.line}"


def _forwarded(station: Station, raw: Raw) -> bool:
    """Whether the answer is the backend's own."""
    if station.settings.get("ENABLE_TOOL_CALL_CONVERSION") == "false":
        return not raw.asking.target.startswith("/dragoman/")
    return raw.asking.error_face in station.settings.get("FORWARD", "").split(",")


@contextmanager
def hall() -> Iterator[Hall]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        watch = stack.enter_context(watching())
        backend = HostileBackend(_templates())
        stack.enter_context(backend)
        templates = folder / "templates"
        templates.mkdir()
        for path in sorted(MADE_UP.glob("*.jinja"))[:3]:
            (templates / path.name).write_bytes(path.read_bytes())
        (templates / "m.jinja").write_bytes((MADE_UP / "object_list.jinja").read_bytes())
        base = {
            "BACKEND_URL": backend.url,
            "PROXY_HOST": "127.0.0.1",
            "REQUEST_TIMEOUT": "20",
            "FIRST_BYTE_TIMEOUT": "20",
        }
        proxy = stack.enter_context(running_proxy(backend, RECORD="full"))
        stations = []
        for settings in SETTINGS:
            told = {name: value.format(folder=folder, templates=templates) for name, value in settings.items()}
            app = create_app(Config.from_environment({**base, **told}))
            if app.extensions["records"] is not None:
                stack.callback(app.extensions["records"].close)
            stations.append(Station(settings, app, app.test_client()))
        yield Hall(backend, stations, proxy, watch)


def _templates() -> Sequence[Answer]:
    names = ("object_list", "elements_plain", "named_group")
    return (
        Answer([b"{}"], 404),
        *(props(template_text(name)) for name in names),
        props("{% if %}"),
        Answer([json.dumps({"chat_template": "\ud800{{ messages }}", "eos_token": "\ud800"}).encode()]),
        Answer([b'{"chat_template": {"a": NaN}, "bos_token": [' + b"9" * 5000 + b"]}"]),
    )
