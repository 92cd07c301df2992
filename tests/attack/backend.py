"""The backend of the attacks: `python -m tests.attack.backend --port N`.

A request with the header `X-Attack: NAME ARGUMENTS` is answered by the script of that name (`scripts.py`), in a process
of its own that has a lower priority: only the proxy can make the victim wait. All others get a short good answer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import socket
import sys
import threading
from contextlib import suppress

from tests.attack.scripts import BUFFERED, SCRIPTS, STREAMED, Connection, Left
from tests.servers import HOST

NICE = 10
"""What the hostile half gives way by."""
_ATTACK = re.compile(rb"\r\nx-attack: *([^\r\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


async def _honest(conn: socket.socket, hostile: socket.socket) -> None:
    """Short good answers, until a hostile request comes: then the connection belongs to the other process."""
    loop = asyncio.get_running_loop()
    conn.setblocking(False)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    with conn, suppress(OSError):
        while True:
            while b"\r\n\r\n" not in data:
                more = await loop.sock_recv(conn, 65536)
                if not more:
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            if _ATTACK.search(head):
                socket.send_fds(hostile, [data[:100_000]], [conn.fileno()])
                return
            length = _LENGTH.search(head)
            missing = int(length[1]) - len(body) if length else 0
            while missing > 0:
                more = await loop.sock_recv(conn, 65536)
                if not more:
                    return
                if len(body) < 100_000:  # the rest of a big one is thrown away: to keep it would cost the victim's time
                    body += more
                missing -= len(more)
            data = b""
            for piece in STREAMED if b'"stream": true' in body else BUFFERED:
                await loop.sock_sendall(conn, piece)


async def _serve(port: int, hostile: socket.socket) -> None:
    listener = socket.create_server((HOST, port), backlog=4096)
    listener.setblocking(False)
    tasks = set()
    while True:
        conn, _ = await asyncio.get_running_loop().sock_accept(listener)
        task = asyncio.create_task(_honest(conn, hostile))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def _play(conn: Connection) -> None:
    """Scripts on one connection, as long as they keep it; honest requests that come over it get their answer, too."""
    with conn.sock, suppress(Left, OSError):
        while True:
            head = conn.read_head()
            found = _ATTACK.search(head)
            if found is None:
                conn.read_body()
                for piece in STREAMED if b'"stream": true' in conn.body else BUFFERED:
                    conn.send(piece)
                continue
            name, *arguments = found[1].decode().split(" ")
            if not SCRIPTS[name](conn, *arguments):
                return


def _hostile(control: socket.socket) -> None:
    os.nice(NICE)
    while True:
        data, fds, _, _ = socket.recv_fds(control, 200_000, 1)
        if not fds:
            return
        sock = socket.socket(fileno=fds[0])
        sock.setblocking(True)
        threading.Thread(target=_play, args=(Connection(sock, data),), daemon=True).start()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    if os.fork() == 0:
        ours.close()
        _hostile(theirs)
        os._exit(0)
    theirs.close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the other process ends with our end of the pair
    asyncio.run(_serve(options.port, ours))
    return 0


if __name__ == "__main__":
    sys.exit(main())
