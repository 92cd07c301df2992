"""Under gevent, as gunicorn serves us: the same waits, in one thread, and TLS whatever was imported before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.scripted import CHUNKED, World, chunk
from tests.servers import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="requirements.txt asks for gevent elsewhere")

_AS_GUNICORN_DOES = """
import runpy
runpy.run_path("gunicorn.conf.py")
from gevent import monkey
monkey.patch_all()
"""
_WATCHING = """
import os, time, gevent
from backends.net.watchers import IN, GeventWatcher, new_watcher
one, other = os.pipe(), os.pipe()
watcher = new_watcher({one[0]: IN, other[0]: IN})
assert isinstance(watcher, GeventWatcher)
start = time.monotonic()
assert not watcher.wait(0.1) and 0.09 < time.monotonic() - start < 1
gevent.spawn_later(0.1, os.write, other[1], b"x")
assert watcher.wait(5) == {other[0]: IN} and time.monotonic() - start < 2
assert watcher.wait(0.05) == {other[0]: IN}  # nobody has read it
os.read(other[0], 1)
assert not watcher.wait(0.05)
os.write(one[1], b"x")
before = time.process_time()
gevent.sleep(0.3)  # nobody waits for what is there: the loop must not spin
assert time.process_time() - before < 0.1
assert watcher.wait(5) == {one[0]: IN}
watcher.close()
"""
_ASKING = """
import gevent, sys
from backends import Backend, Timeouts
backend = Backend(sys.argv[1], Timeouts(3, 3, 3), verify=sys.argv[2])
def ask():
    exchange = backend.open("GET", "/v1/models", [], b"")
    status, body = exchange.wait_head(None).status, exchange.read_all()
    exchange.close()
    return status, body
asking = [gevent.spawn(ask) for _ in range(2)]
gevent.joinall(asking, raise_error=True)
print([each.value for each in asking])
"""


def _run(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", _AS_GUNICORN_DOES + program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def test_the_loop_is_told_once_and_does_not_spin() -> None:
    _run(_WATCHING)


def test_tls(world: World, certificate: Path, tls: object) -> None:
    script = [lambda peer: (peer.answer(CHUNKED + chunk(b"one") + chunk(b"")), peer.wait_closed())] * 2
    server = world.serve(*script, tls=tls)  # type: ignore[arg-type]
    said = _run(_ASKING, server.url, str(certificate))
    assert said.count("200") == 2 and said.count("b'one'") == 2
