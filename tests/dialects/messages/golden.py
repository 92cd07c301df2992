"""Scripts of events, and the files that hold what the Messages face makes of them, byte for byte.

python -m tests.dialects.messages.golden      writes tests/dialects/golden/messages anew; review the difference
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Reasoning, Removed, Text
from dialects.messages import Messages
from dialects.messages.request import MessagesOptions
from dialects.protocol import ParsedRequest
from errors import Interrupted, Unreadable
from reply import Extension, Failure, Finish, Reply, ReplyEvent, ReplyHead, Step, Usage
from tests.dialects.messages.reading import asking
from turns import Turns
from wire.json_values import spelled

FOLDER = Path(__file__).parent.parent / "golden" / "messages"
OUTCOME = "outcome=translated syntax=glm45"
HEAD = ReplyHead("chatcmpl-1", 1700000000, "served-name", None)
USAGE = Usage(
    {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29, "prompt_tokens_details": {"cached_tokens": 15}}
)


def _call(index: int, name: str, call_id: str, *deltas: str) -> list[ReplyEvent]:
    """A call whose arguments come in these pieces."""
    pieces = [ArgumentsDelta(index, delta) for delta in deltas]
    return [CallStart(index, name, call_id), *pieces, CallEnd(index)]


SCRIPTS: Mapping[str, Sequence[ReplyEvent]] = {
    "text": [HEAD, Text("Well, "), Text('so "it" is.\n서울 😀'), Finish("stop"), USAGE],
    "nothing": [HEAD, Text(""), Finish("stop"), USAGE],
    "everything": [
        HEAD,
        Reasoning("I must "),
        Reasoning("look."),
        Text("Let me look."),
        Removed("<tool_call>", "marker"),
        *_call(0, "get_weather", "abc123XYZ", '{"city": "서', '울", "days"', ": 3}"),
        *_call(1, "now", "functions.now:1", "{}"),
        Text("That was all."),
        Reasoning("Was it?"),
        Finish("tool_calls"),
        USAGE,
    ],
    "max_tokens": [HEAD, Text("So it"), Finish("length")],
    "filtered": [HEAD, Text("So it"), Finish("content_filter"), USAGE],
    "refusal": [HEAD, Extension({"refusal": "I will "}), Extension({"refusal": "not."}), Finish("stop"), USAGE],
    "stop_sequence": [HEAD, Text("So"), Extension({"stop_reason": "END"}, of="choice"), Finish("stop"), USAGE],
    "several_choices_of_which_one_counts": [HEAD, Text("one"), Finish("stop"), USAGE],
    "failure": [HEAD, Text("So "), Failure(Interrupted("The backend broke off.").info)],
    "unreadable_call": [
        HEAD,
        CallStart(0, "f", "abc123XYZ"),
        ArgumentsDelta(0, '{"a": "/ho'),
        Failure(Unreadable().info),
    ],
}


def request() -> ParsedRequest:
    """A request whose answer has an id that is known."""
    dialect = Messages()
    parsed = dialect.parse_request(b"".join(spelled(asking(), Turns())))
    return replace(parsed, options=MessagesOptions("msg_golden", frozenset({"END"})))


def streamed(name: str) -> bytes:
    """The stream of a script, each event in a step of its own."""
    writer = Messages().stream_writer(request())
    steps = [Step(None, [(0, event)]) for event in SCRIPTS[name]]
    if name.startswith("several"):
        steps.insert(2, Step(None, [(1, HEAD), (1, Text("other")), (1, Finish("length"))]))
    return b"".join(map(writer.write, steps)) + writer.end(OUTCOME)


def buffered(name: str) -> bytes | None:
    """The whole message; None for a script that no whole reply can have."""
    events = SCRIPTS[name]
    if any(isinstance(event, Failure) for event in events):
        return None
    return Messages().write_whole(Reply(None, [(0, event) for event in events]), request())


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SCRIPTS:
        (FOLDER / f"{name}.sse").write_bytes(streamed(name))
        whole = buffered(name)
        if whole is not None:
            (FOLDER / f"{name}.json").write_bytes(whole)


if __name__ == "__main__":
    main()
