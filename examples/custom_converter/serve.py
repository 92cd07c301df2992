"""Serves Dragoman with the converter beside this file: `python examples/custom_converter/serve.py`.

The settings are those of `python app.py`. For gunicorn there is `make_app`; README.md has the command.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Dragoman runs from its checkout

from flask import Flask
from my_model import MyModelConverter

from app import create_app, load_config
from converters import converter_factory
from serving import serve

converter_factory.register_converter(MyModelConverter())


def make_app() -> Flask:
    """What gunicorn serves."""
    from app import app

    return app


if __name__ == "__main__":
    config = load_config()
    sys.exit(serve(create_app(config), config))
