"""model-compose: a workflow of two jobs; the first asks, the second sends back what the tool tells."""

import json
import os
import subprocess
import sys
from pathlib import Path

from loops import CHAT_TOOL, SECONDS, URL, play, weather

QUESTION = "What is the weather in 서울?"
HEADERS = {"Authorization": "Bearer none", "Content-Type": "application/json"}
ASKED = {"role": "user", "content": QUESTION}


def component(name, messages, output, model):
    body = {"model": model, "messages": messages, "tools": [CHAT_TOOL]}
    action = {"path": "/chat/completions", "method": "POST", "headers": HEADERS, "body": body, "output": output}
    return {"id": name, "type": "http-client", "base_url": f"{URL}/v1", "action": action}


def workflow(model):
    """Its file is YAML, of which JSON is a part."""
    call = {"role": "assistant", "content": "", "tool_calls": "${input.calls}"}
    result = {"role": "tool", "tool_call_id": "${input.calls[0].id}", "content": weather("서울")}
    message = "${response.choices[0].message."
    return {
        "controller": {"type": "http-server", "port": 0},
        "components": [
            component("ask", [ASKED], {"calls": message + "tool_calls}"}, model),
            component("tell", [ASKED, call, result], {"text": message + "content}"}, model),
        ],
        "workflows": [
            {
                "id": "loop",
                "jobs": [
                    {"id": "first", "component": "ask", "input": {}},
                    {
                        "id": "second",
                        "component": "tell",
                        "input": {"calls": "${jobs.first.output.calls}"},
                        "depends_on": ["first"],
                    },
                ],
            }
        ],
    }


def run(model):
    Path("model-compose.yml").write_text(json.dumps(workflow(model), ensure_ascii=False))
    command = Path(sys.executable).parent / "model-compose"
    done = subprocess.run(
        [command, "run", "loop", "--input", "{}"], env=os.environ, capture_output=True, text=True, timeout=2 * SECONDS
    )
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip())
    return done.stdout


play({"http-client": run}, cities=("서울",))
