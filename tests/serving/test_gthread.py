"""gthread workers: too few descriptors, and a quick stop in the middle of handing a connection over (defect C15)."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.servers import (
    COMMANDS,
    ROOT,
    Answer,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    frame,
    free_port,
    started,
    wait_until_listening,
)
from tests.serving import linux

pytestmark = pytest.mark.long

_SLOW_TO_HAND_OVER = f"""
import time

exec(compile(open({str(ROOT / "gunicorn.conf.py")!r}).read(), "gunicorn.conf.py", "exec"))
_usual = post_worker_init


def post_worker_init(worker):
    _usual(worker)
    start_thread = worker.tpool._adjust_thread_count  # runs under the lock of the pool

    def start_thread_slowly():
        start_thread()
        time.sleep(1.5)

    worker.tpool._adjust_thread_count = start_thread_slowly
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_c15_a_quick_stop_while_a_connection_is_handed_over(number: signal.Signals, tmp_path: Path) -> None:
    """gunicorn's handler of the signal waited for the lock that the code under it held."""
    config, port = tmp_path / "slow.py", free_port()
    config.write_text(_SLOW_TO_HAND_OVER)
    arguments = [*COMMANDS["gthread"][:-1], "--config", str(config), COMMANDS["gthread"][-1]]
    with ScriptedBackend() as backend:
        backend.answer = Answer([frame(chunk({"role": "assistant", "content": "Hello"})), threading.Event()])
        environ = {"BACKEND_URL": backend.url, "PROXY_PORT": str(port), "KEEPALIVE_SECONDS": "0"}
        with started(arguments, environ, port) as proxy:
            wait_until_listening(proxy)
            with proxy.client(ask()) as client:
                client.until(b"Hello")
                proxy.signal(number)
                assert broken_stream(client.rest()).errors[0]["code"] == "proxy_stopping"
                client.leave()
                proxy.wait(6)
                assert "Traceback" not in proxy.said(), proxy.said()


_NO_DESCRIPTOR_LEFT = """
import os, resource, socket
from types import SimpleNamespace
from serving.gthread import _wait_for_data

ours, theirs = socket.socketpair()
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    os.dup(0)
except OSError:
    conn = SimpleNamespace(sock=ours, data_ready=False)
    print(_wait_for_data(conn, 0.01))
    theirs.sendall(b"x")
    print(_wait_for_data(conn, 5), conn.data_ready)
    ours.close()
    print(_wait_for_data(SimpleNamespace(sock=ours, data_ready=False), 5))
"""


@linux
def test_c15_gthread_waits_for_the_first_byte_without_a_descriptor() -> None:
    """gunicorn's own way takes one, and closed the connection without an answer if there was none."""
    done = subprocess.run([sys.executable, "-c", _NO_DESCRIPTOR_LEFT], cwd=ROOT, capture_output=True, timeout=60)
    assert done.stdout.split() == [b"False", b"True", b"True", b"False"], done.stderr
