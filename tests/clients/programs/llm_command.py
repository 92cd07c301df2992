"""The command `llm`, with a tool in a file of Python, whole and streamed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from loops import QUESTION, SECONDS, URL, play

FUNCTIONS = """
import os

def get_weather(city: str) -> str:
    "The weather."
    return f"{city}={os.environ['CLIENTS_SECRET']}"
"""
HOME = Path("llm-home").resolve()


def configure():
    """Its file of models is YAML, of which JSON is a part."""
    HOME.mkdir()
    models = [
        {"model_id": model, "model_name": model, "api_base": f"{URL}/v1", "supports_tools": True}
        for model in os.environ["CLIENTS_MODELS"].split(",")
    ]
    (HOME / "extra-openai-models.yaml").write_text(json.dumps(models))


def command(*options):
    def run(model):
        done = subprocess.run(
            [sys.executable, "-m", "llm", "-m", model, "--functions", FUNCTIONS, *options, QUESTION],
            env={**os.environ, "LLM_USER_PATH": str(HOME), "OPENAI_API_KEY": "none"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    return run


configure()
play({"whole": command("--no-stream"), "streamed": command()})
