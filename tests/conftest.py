"""What all tests share: the workers, the count of cases, and a scripted backend with one proxy before it for a file."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator

import pytest

from tests import cases
from tests.servers import Proxy, ScriptedBackend, running_proxy


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n auto`: more than there are processors, as many tests wait for a server; most of the long ones do."""
    return (os.cpu_count() or 1) + (1 if config.option.markexpr == "not long" else 2)


def pytest_configure() -> None:
    """Programs that tests start heed signals also where the tests' own process ignores them, as behind `nohup` or `&`.

    What is ignored is inherited, what is caught is not.
    """
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)  # Windows has but the first
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda caught, frame: None)


WAITING = {"test_attack.py", "test_faults.py", "test_load.py", "test_openapi.py", "test_serving.py", "test_targets.py"}
"""Files whose tests wait more than they work."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait come first, while others work; at the end nobody waits for them alone."""
    items.sort(key=lambda item: item.path.name not in WAITING)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    before = cases.tried
    try:
        yield
    finally:
        item.user_properties.append(("cases", max(cases.tried - before, 1)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases were tried: a loop over cases is one test to pytest."""
    reports = [each for how in ("passed", "failed") for each in terminalreporter.getreports(how)]
    count = sum(number for each in reports for name, number in each.user_properties if name == "cases")
    terminalreporter.write_line(f"{count} cases tried")


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as running:
        yield running
