"""Serve on PROXY_HOST:PROXY_PORT, as `python app.py` does. `dragoman --help` lists the settings.

Exit status: 0 when it was stopped, 1 if a setting is wrong or the port is taken.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none: settings are environment variables."""


def run(options: argparse.Namespace) -> int:
    from app import run as serve

    return serve()
