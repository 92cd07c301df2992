"""`make clients`: the real programs, each in a loop with a tool that really runs, through the proxy.

The model behind the proxy writes its calls as text, in the syntaxes of four models. A client passes if its tool ran,
the model was told the result, and the last answer holds it without markup. Environments, logs and results stay in
build/clients. The results become the table of docs/CLIENTS.md.

    python -m tests.clients [NAME ...]
"""

from __future__ import annotations

import argparse
import signal
import sys
import time

from tests.clients import page
from tests.clients.environments import Failed, install
from tests.clients.model import answer
from tests.clients.play import Result, play
from tests.clients.table import CLIENTS, Client
from tests.real.programs import leave
from tests.servers import ScriptedBackend, proxy_process


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=(__doc__ or "").partition("\n")[0])
    names = [client.name for client in CLIENTS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(names)}; all if none is named")
    chosen = parser.parse_args().names or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"there is no client {', '.join(unknown)}; there are {', '.join(names)}")
    signal.signal(signal.SIGTERM, leave)
    began = time.monotonic()
    results: list[Result] = []
    try:
        with ScriptedBackend(answer) as backend, proxy_process("app", backend, RECORD="full") as proxy:
            for client in CLIENTS:
                if client.name in chosen:
                    results.append(_try(client, proxy.url, backend))
                    page.write(results)
    except KeyboardInterrupt:
        return 130
    bad = [result.client for result in results if not result.good]
    print(f"\n{len(results) - len(bad)} of {len(results)} clients ok, {time.monotonic() - began:.0f} s in all")
    if bad:
        print(f"failed: {', '.join(bad)}; what they said is in build/clients/logs")
    return 1 if bad else 0


def _try(client: Client, proxy: str, backend: ScriptedBackend) -> Result:
    began = time.monotonic()
    result = Result(client.name)
    print(f"{client.name:14} ...", flush=True)
    try:
        result.version = install(client)
        print(f"{client.name:14} {result.version}, installed after {time.monotonic() - began:.0f} s", flush=True)
        for loop in play(client, proxy, backend):
            result.loops.append(loop)
            if loop.complaint:
                print(f"    {loop.way}, {loop.model}: {loop.complaint}", flush=True)
        if not result.loops:
            result.trouble = "it played no loop"
    except Failed as failure:
        result.trouble = str(failure)
    if result.trouble:
        print(f"    {result.trouble}", flush=True)
    outcome = "ok" if result.good else "FAILED"
    seconds = time.monotonic() - began
    print(f"{client.name:14} {outcome}, {result.passed} of {len(result.loops)} loops, {seconds:.0f} s", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
