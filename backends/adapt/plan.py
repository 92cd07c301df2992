"""What is sent to a backend for one request of a client: the request itself, or what refusals make of it.

A Plan belongs to one exchange. What helped is remembered for the backend and the model once the answer was good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from backends.adapt import bodies
from backends.adapt.asked_again import asked_again
from backends.adapt.constrained import constrained
from backends.adapt.facts import Facts, Request, facts_of
from backends.adapt.prompted import demanded_tools
from backends.adapt.refusals import concerns_form, reasons_for
from backends.adapt.silent import at_once, may_lose
from backends.adapt.table import BY_NAME, applied
from backends.adapt.told import may_ask, told_at_once
from backends.learned import Learned
from backends.protocol import WrongAnswer
from converters.syntaxes import Syntax
from errors import ErrorInfo

AS_SENT = "as_sent"
"""What is remembered, in the place of an adaptation, of a backend that refuses what the model's chat template asks for:
it has another template, or puts histories in order itself."""


@dataclass(frozen=True, slots=True)
class AdaptSettings:
    """What the configuration says of requests."""

    adapt: bool = True
    """Off: a refusal goes to the client, and nothing is changed but what the two below ask for."""
    prompting: Literal["auto", "native", "prompt"] = "auto"
    """Where the tools stand: in the prompt if they are refused, never, or always."""
    raw: Literal["auto", "on", "off"] = "auto"
    """Whether the server's own parser of calls is turned off: if it is missing, always, or never."""
    preset: str | None = None
    constrain: bool = False
    """Whether a demanded call of prompted tools gets a grammar, where the preset is a server that takes one."""


class Planner:
    """Makes the plans of one backend. Shared by all threads."""

    def __init__(self, settings: AdaptSettings, learned: Learned) -> None:
        self._settings = settings
        self._learned = learned
        self._never = _forbidden(settings)

    def plan(
        self,
        raw: bytes,
        fields: Mapping[str, Any] | None,
        model: str,
        syntax: Syntax | None,
        history: Mapping[str, str] | None = None,
    ) -> Plan:
        """The plan for the request `raw`; `fields` is what it says, if it was read whole.

        `syntax` is the row of the model, if it is known, `history` what its chat template makes of histories.
        """
        facts = facts_of(model, self._settings.preset, syntax, history)
        return Plan(raw, fields, facts, self._settings, self._never, self._learned)


class Plan:
    """A RequestPlan."""

    def __init__(
        self,
        raw: bytes,
        fields: Mapping[str, Any] | None,
        facts: Facts,
        settings: AdaptSettings,
        never: frozenset[str],
        learned: Learned,
    ) -> None:
        """`never` are the adaptations that the settings forbid."""
        self._raw = raw
        self._facts = facts
        self._settings = settings
        self._learned = learned
        self._never = never
        known = learned.recall(facts.model) if settings.adapt else frozenset()
        self._known = known - {AS_SENT}
        if AS_SENT in known:
            self._facts = replace(facts, history={})
        self._received: Request | None = None  # what `raw` says, once something is to be changed
        self._request: Request | None = None  # the same, with what was asked again
        self._reasons: dict[str, str] = {}  # why an adaptation that this exchange found was asked for
        self._effective: tuple[str, ...] = ()
        self._constrains = settings.constrain
        self.body = raw
        self._told: frozenset[str] = frozenset()  # what the model's chat template asks for
        self._names = frozenset(self._known - self._never | self._from_the_start(fields))
        if self._names:
            self._write()

    @property
    def codes(self) -> frozenset[str]:
        """What the attempt at hand changes, as the record tells it."""
        return frozenset(name if name == "prompted" else f"adapted:{name}" for name in self._effective)

    def refused(self, error: ErrorInfo) -> bool:
        """Whether another request may be accepted; `body` is it then."""
        if not self._settings.adapt or (request := self._read()) is None:
            return False
        before = self.body
        found = reasons_for(error, request, self._names, self._never)
        if "constrained" in self._effective and not found:
            self._constrains = False
        elif found:
            self._reasons |= found
            self._names |= frozenset(found)
        elif self._known and concerns_form(error, request):
            # what was learned may be wrong by now: begin with the client's own request
            self._learned.forget(self._facts.model)
            self._names -= self._known
            self._known = frozenset()
        elif self._told and concerns_form(error, request):
            # the backend has another template, or changes requests itself: begin with the client's own
            self._names -= self._told
            self._told, self._facts = frozenset(), replace(self._facts, history={})
            self._reasons[AS_SENT] = f"status {error.status}, to what the chat template asks for"
        self._write()
        return self.body != before

    def ask_again(self, wrong: WrongAnswer) -> None:
        """Make `body` the same request with a wrong answer, and what is wrong with it, behind its messages."""
        request = self._read()
        if request is None:
            return
        self._request = asked_again(request, wrong)
        if self._settings.adapt:
            self._names |= frozenset(at_once(self._request, self._facts)) - self._never
        self._write()

    def succeeded(self) -> None:
        """Learn what the answer has shown: that the backend takes the request with these adaptations."""
        new = {name: why for name, why in self._reasons.items() if name in self._effective and BY_NAME[name].learned}
        if AS_SENT in self._reasons:
            new[AS_SENT] = self._reasons[AS_SENT]
        if new:
            self._learned.learn(self._facts.model, new)

    def release(self) -> None:
        """Forget the request: the answer has begun, and nothing will be sent again."""
        self.body = self._raw = b""
        self._request = self._received = None

    def _from_the_start(self, fields: Mapping[str, Any] | None) -> frozenset[str]:
        """The adaptations that need no refusal."""
        names: set[str] = set()
        if self._settings.prompting == "prompt":
            names.add("prompted")
        if self._settings.raw == "on":
            names.add("raw")
        if self._settings.adapt:
            if fields is None and may_lose(self._raw, self._facts):
                fields = self._read()
            if fields:
                if may_ask(self._facts.history):
                    self._told = frozenset(told_at_once(dict(fields), self._facts.history)) - self._never
                names.update(name for name in at_once(dict(fields), self._facts) if name not in self._never)
        return frozenset(names)

    def _read(self) -> Request | None:
        if self._request is None:
            self._request = self._received = bodies.read(self._raw)
        return self._request

    def _write(self) -> None:
        request = self._read()
        if request is None or self._received is None:
            return
        written, self._effective = applied(request, self._names, self._facts)
        if self._constrains and "prompted" in self._effective:
            demanded = demanded_tools(request)
            bound = constrained(written, demanded, self._facts.syntax, self._settings.preset)
            if bound is not written:
                written, self._effective = bound, (*self._effective, "constrained")
        self.body = bodies.rewritten(self._raw, self._received, written)


def _forbidden(settings: AdaptSettings) -> frozenset[str]:
    """The adaptations that no refusal may ask for."""
    never = {"native": {"prompted"}}.get(settings.prompting, set()) | {"off": {"raw"}}.get(settings.raw, set())
    return frozenset(never)
