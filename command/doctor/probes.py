"""All probes, in their order: each is one question to a server, and what it must answer."""

from __future__ import annotations

from command.doctor import basic_probes as basic
from command.doctor import call_probes as calls
from command.doctor import turn_probes as turns
from command.doctor.probe import Probe

PROBES = (
    Probe(1, "models", basic.models),
    Probe(2, "text", basic.plain),
    Probe(3, "stream", basic.stream),
    Probe(4, "call", calls.auto),
    Probe(5, "call, streamed", calls.auto_streamed),
    Probe(6, "required call", calls.required),
    Probe(7, "named call", calls.named),
    Probe(8, "no call allowed", calls.none),
    Probe(9, "two calls", calls.parallel),
    Probe(10, "no arguments", calls.no_arguments),
    Probe(11, "text in arguments", calls.text_argument),
    Probe(12, "nested arguments", calls.nested_arguments),
    Probe(13, "a tool's result", turns.result),
    Probe(14, "reasoning", turns.reasoning),
    Probe(15, "quoted markup", turns.quoted),
    Probe(16, "long prompt", basic.long_text),
    Probe(17, "errors", basic.errors),
    Probe(18, "usage of a stream", basic.stream_usage),
    Probe(19, "hanging up", basic.hang_up),
)
