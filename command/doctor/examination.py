"""One examination: the server is found, a proxy is started in front of it, and each probe is put to both."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

from command.doctor.answer import Answer
from command.doctor.judge import Judged, judge, remedies
from command.doctor.probe import Probe, Side
from command.doctor.probes import PROBES
from command.doctor.recognise import is_dragoman, recognise
from command.doctor.report import Report
from command.doctor.server import Server
from command.doctor.through import proxy
from command.given import settings
from command.subcommand import UNREACHABLE, CommandError
from command.terminal import progress
from config import Config
from setting_kinds import URL


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    url: str | None
    """The server; None is the backend of the settings."""
    model: str
    side: str
    """`direct`, `proxy` or `both`."""
    probes: Sequence[int] | None
    """Numbers; None is all."""
    tries: int
    timeout: float
    """Seconds of each wait."""
    most_tokens: int
    long_prompt: int


def examine(wishes: Wishes, told: Callable[[Judged], None]) -> Report:
    """`told` is given each probe when it has ended. Raises CommandError if the server does not answer."""
    began = time.monotonic()
    probes, config = _chosen(wishes), _config(wishes)
    with ExitStack() as stack:
        direct = stack.enter_context(closing(_server("direct", config.backend_url, config, wishes)))
        listed = direct.get("/v1/models")
        models = _models(listed)
        _must_answer(direct, listed)
        model = wishes.model or next((name for name in _texts(models, "id") if name), "")
        if not model:
            raise CommandError(f"{direct.url} lists no model; name one with --model")
        servers = [direct] if wishes.side != "proxy" else []
        if wishes.side != "direct":
            url = stack.enter_context(proxy(config))
            servers.append(stack.enter_context(closing(_server("proxy", url, None, wishes))))
        sides = [Side(each, direct, model, wishes.most_tokens, wishes.long_prompt) for each in servers]
        judged = _judged(probes, sides, wishes.tries, told)
        engine = recognise(direct, listed, set(_texts(models, "owned_by")), _fingerprint(sides))
    return Report(direct.url, model, engine, judged, remedies(judged, model, engine), time.monotonic() - began)


def _judged(probes: Sequence[Probe], sides: Sequence[Side], tries: int, told: Callable[[Judged], None]) -> list[Judged]:
    """One after the other: a server with one slot must not wait for itself."""
    found = []
    with progress(len(probes) * len(sides), "probing") as bar:
        for probe in probes:
            for side in sides:
                bar.update(0, f"{probe.title}, {side.server.name}")
                found.append(judge(probe, side, tries))
                bar.update(1)
                told(found[-1])
    return found


def _config(wishes: Wishes) -> Config:
    """The settings, with the server that was named."""
    config = settings()
    if wishes.url is None:
        return config
    try:
        url = str(URL.parse(wishes.url))
    except (KeyError, ValueError):
        raise CommandError(f"URL={wishes.url!r}: takes {URL.takes}") from None
    return config if url == config.backend_url else replace(config, backend_url=url, backend=None)


def _chosen(wishes: Wishes) -> list[Probe]:
    numbers = {probe.number for probe in PROBES} if wishes.probes is None else set(wishes.probes)
    found = [probe for probe in PROBES if probe.number in numbers]
    if len(found) < len(numbers):
        raise CommandError(f"--probe takes numbers from 1 to {len(PROBES)}")
    if wishes.tries < 1 or wishes.timeout <= 0 or wishes.most_tokens < 1 or wishes.long_prompt < 1:
        raise CommandError("--tries, --timeout, --max-tokens and --long-prompt take numbers above 0")
    return found


def _server(name: str, url: str, config: Config | None, wishes: Wishes) -> Server:
    return Server(name, url, config.backend_api_key if config is not None else None, wishes.timeout)


def _must_answer(server: Server, listed: Answer) -> None:
    """Raises CommandError if there is no server, or the wrong one."""
    if listed.status == 0:
        raise CommandError(f"{server.url} does not answer: {listed.error}", UNREACHABLE)
    if is_dragoman(server):
        raise CommandError(f"{server.url} is a Dragoman; give the URL of the server behind it")


def _models(listed: Answer) -> list[dict[str, Any]]:
    """The entries of a list of models."""
    found = _json(listed.body)
    entries = found.get("data") if isinstance(found, dict) else None
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _texts(models: Sequence[dict[str, Any]], name: str) -> list[str]:
    return [value for each in models if isinstance(value := each.get(name), str)]


def _fingerprint(sides: Sequence[Side]) -> str:
    """`system_fingerprint` of an answer, by which one server is known."""
    seen = next((answer for side in sides for answer in side.seen.values()), None)
    found = _json(seen.body) if seen is not None else None
    return str(found.get("system_fingerprint", "")) if isinstance(found, dict) else ""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
