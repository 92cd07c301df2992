"""What a probe is, and what it finds. Faults of the protocol are one thing, what the model chose not to do another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from command.doctor.answer import Answer
from command.doctor.server import Server

State = Literal["pass", "fail", "warn", "skip"]

FAULTS: Mapping[str, str] = {
    "no_models": "the list of models cannot be read, or lacks the model",
    "refused": "the server refuses the request",
    "unreadable": "the answer cannot be read by clients",
    "no_usage": "the answer says nothing of tokens (`usage`)",
    "no_stream_usage": "a stream has no usage, although `stream_options.include_usage` asks for it",
    "not_incremental": "a stream comes in one piece",
    "no_done": "a stream ends without `[DONE]`",
    "no_finish": "there is no finish reason",
    "wrong_finish": "the finish reason of an answer with calls is not `tool_calls`",
    "raw_markup": "a call is passed on as text, in the model's own markup",
    "unknown_markup": "what looks like a call is passed on as text",
    "empty_answer": "the answer is empty: neither text nor a call",
    "bad_call": "a call lacks what clients need: an id, a name or an index",
    "bad_arguments": "the arguments of a call are not the JSON of an object",
    "undeclared": "a tool is called that was not declared",
    "streamed_differs": "a streamed answer is another than the buffered one",
    "required_ignored": '`tool_choice: "required"` is ignored',
    "named_ignored": "a `tool_choice` that names a function is ignored",
    "none_ignored": '`tool_choice: "none"` is ignored',
    "same_ids": "two calls of one answer have the same id or index",
    "needs_parallel": "several calls come only with `parallel_tool_calls: true`",
    "changed_text": "text in arguments is changed on its way",
    "mistyped": "the arguments do not have the types of the schema",
    "history_refused": "a conversation with a tool's result is refused",
    "reasoning_in_text": "reasoning stands in the content, with its tags",
    "call_in_reasoning": "a call is lost in the reasoning",
    "quoted_called": "quoted markup is run as a call",
    "prompt_cut": "the beginning of a long prompt is lost, or the prompt is refused",
    "error_form": "an error is not told with a 4xx status and an `error` object",
    "goes_on": "the server goes on after the client has left",
}
"""Every fault that a probe can find, in words. What a setting can do about it is in engines.py."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one try of a probe found."""

    state: State
    said: str
    """What was seen, in one line."""
    fault: str = ""
    """A key of FAULTS, if it failed."""
    chose: bool = False
    """The model chose not to do what was asked. No setting of the server changes that."""
    row: str | None = None
    """The syntax of markup that came as text."""

    @property
    def kind(self) -> tuple[str, str, bool]:
        """What tries must agree in."""
        return self.state, self.fault, self.chose


def passed(said: str) -> Finding:
    return Finding("pass", said)


def failed(fault: str, said: str, row: str | None = None) -> Finding:
    assert fault in FAULTS, fault
    return Finding("fail", said, fault, row=row)


def warned(said: str, fault: str = "") -> Finding:
    return Finding("warn", said, fault)


def skipped(said: str) -> Finding:
    return Finding("skip", said)


def chose(said: str) -> Finding:
    """The model did something else than what was asked, in a way that is well-formed."""
    return Finding("warn", f"the model chose not to: {said}", chose=True)


REFUSAL = "the refusal of tools"
"""The name of an answer that is remembered."""


@dataclass
class Side:
    """A server and what probes need to ask it."""

    server: Server
    behind: Server
    """The backend itself, which tells what it is doing."""
    model: str
    most_tokens: int
    long_prompt: int
    """Tokens of the long prompt, roughly."""
    seen: dict[str, Answer] = field(default_factory=dict)
    """Answers that a later probe compares with."""

    def ask(self, text: str, **more: Any) -> Answer:
        """The answer to one question of a user."""
        return self.converse([{"role": "user", "content": text}], **more)

    def converse(self, messages: list[dict[str, Any]], **more: Any) -> Answer:
        return self.server.chat(self.body(messages, **more))

    def body(self, messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": self.most_tokens,
            **more,
        }


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to a server."""

    number: int
    title: str
    run: Callable[[Side], Finding]
