"""Writes docs/REQUESTS.md from the tables in backends/adapt/: `python docs/make_requests.py`. A test compares them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a file, Python looks in its own folder only
    sys.path.insert(0, str(ROOT))

from backends.adapt.losses import LOSSES, Losses  # noqa: E402
from backends.adapt.table import ADAPTATIONS  # noqa: E402
from backends.adapt.words import REFUSALS  # noqa: E402

PAGE = ROOT / "docs" / "REQUESTS.md"

INTRO = """\
# Requests

This page is generated from `backends/adapt/` by `python docs/make_requests.py`.

It lists what Dragoman can change in a request for a backend, when it does so, and what is lost by it.
A request that the backend takes goes out byte for byte as it came.
There are two reasons to change one.

1. **The backend refuses it.** An error that names a cause below selects one or several *adaptations*, and the request \
is sent again with them, before the client has been told anything. The client sees the answer, not the refusal. A \
refusal that nobody knows goes to the client as it is, and so does one about keys, limits or the length of the context.
2. **A template would lose something without a word.** For some families of models it is known that the chat template \
drops a part of a history or prints it wrong. If a request has such a part, the adaptation that saves it is applied to \
the first attempt. Where the model's own chat template is known (`CHAT_TEMPLATES`, or a llama-server or vLLM that \
tells it), it was rendered with made-up histories, so what it loses and what it refuses are known before the first \
attempt, whatever the model is called. Should the backend refuse that, the client's own request follows, and \
`as_sent` is remembered in the place of an adaptation.

At most four requests reach the backend for one of a client. What the backend refuses of them last is what the client \
gets.

Adaptations change only the members of the request that they are about: all other bytes stay, with the digits of \
numbers, the order of keys and fields that nobody knows. The same conversation is changed to the same bytes turn after \
turn, so that a prompt cache still fits; only a late system message, which moves to the front, changes what stands \
before it.

Words of a refusal count only if the server said them. Everything that the request itself contains is taken out of the \
error first, so that a client that writes "does not support tools" into a message, and gets it quoted back, changes \
nothing.

## How to see it

| place | what it says |
|---|---|
| `x-dragoman-codes`, or the last comment of a stream | `adapted:<name>` for each adaptation of the \
request that was answered; `prompted` where the tools stood in the prompt; `asked_again` \
where an answer was asked for again |
| the log, at `INFO` | the same codes, in the line of the request |
| the record of the exchange | each attempt, with its status and its adaptations |
| `GET /dragoman/api/backends` | what was learned of each backend and model, and why; `DELETE` forgets it |

What helped is remembered for the backend and the model, if it is a fact of them and not of one history: the next \
request starts with it. It is forgotten after `LEARN_HOURS`, and when the backend refuses the changed form.

## How to switch it off

| setting | what it does |
|---|---|
| `ADAPT=off` | no request is changed, neither at once nor after a refusal |
| `TOOL_PROMPTING=native` | tools are never written into the prompt; `prompt` always does so |
| `RAW=off` | tools are never sent with `tool_choice: "none"`; `on` always does so |
| `HEAL=repair` or `off` | no answer is asked for again; only `retry` does so |
| `BACKEND=openai` | nothing counts as lost without a word |

"""

ADAPTED = """\
## Adaptations

In the order in which they are applied. *Remembered*: whether the next request for the same model starts with it. *At \
once*: whether it can be applied before a refusal.

"""

LOST = """\
## What templates lose without a word

Each row is a regular expression that is searched in the model's name in lower case, with `-` for `_`, `:` and spaces. \
Apart from these, `developer` becomes `system` at once for every model but gpt-oss: of 61 templates 30 lose it. \
`functions` become `tools` at once, as most servers do not know them, and with `BACKEND=ollama` so does \
`max_completion_tokens` become `max_tokens`, and thinking that `think` or `chat_template_kwargs` turns off is \
turned off by `reasoning_effort` too.

"""

REFUSED = """\
## Refusals that are known

`a > b` means: `b` if `a` is on already or would change nothing. `a + b` means both. Fields that a server does not \
know are taken out if the answer stays what was asked for: they are the `without_…` of the table above. The words \
themselves are in `backends/adapt/words/`, with more than one way of saying each.

"""

LOSES = {
    "text_beside_call": "the assistant's text beside a call",
    "late_system": "a system message behind the first message",
    "null": '`content: null` beside a call is printed as "None"',
    "parts": "a content that is a list of texts",
    "tools": "declared tools, so that `prompted` is asked for where others get `raw`",
}


def page() -> str:
    """The text of docs/REQUESTS.md."""
    parts = [INTRO, ADAPTED, *_adaptations(), "\n", LOST, *_losses(), "\n", REFUSED, *_refusals()]
    return "".join(parts)


def _adaptations() -> Iterator[str]:
    yield _row("adaptation", "what it does", "what is lost", "remembered", "at once") + "|---|---|---|---|---|\n"
    for each in ADAPTATIONS:
        yield _row(f"`{each.name}`", each.does, each.loses, _yes(each.learned), _yes(each.at_once))


def _losses() -> Iterator[str]:
    yield _row("models", "what is lost") + "|---|---|\n"
    for each in LOSSES:
        yield _row(f"`{each.models}`", "; ".join(_lost(each)))


def _lost(losses: Losses) -> Iterator[str]:
    for name, what in LOSES.items():
        if getattr(losses, name):
            yield what


def _refusals() -> Iterator[str]:
    yield _row("whose words", "what they ask for", "source") + "|---|---|---|\n"
    for each in REFUSALS:
        yield _row(each.engine, f"`{each.asks}`", each.source)


def _yes(value: bool) -> str:
    return "yes" if value else "–"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
