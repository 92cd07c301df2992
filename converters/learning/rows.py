"""A row of the table from what a template renders: the samples of its shape, with holes.

Tried in this order: JSON with name and arguments, a name before JSON, Gemma's JSON, Python, and tags for each argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from converters.learning.conversations import FIRST, KEYS, SECOND, VALUES, Call, Conversation, NotRendered
from converters.learning.cores import FINDERS, Core, json_object
from converters.learning.parameters import Cut, NotDerived, Parameters, lead_token, parameters
from converters.learning.units import Around, addressed, around_one, around_two, counted
from converters.learning.written import Written
from converters.syntaxes import Syntax
from converters.text.samples import SampleError
from converters.text.templates import first_token

ONE = Call(FIRST, {KEYS[0]: VALUES[0]})
TWO = Call(FIRST, {KEYS[0]: VALUES[0], KEYS[1]: VALUES[1]})
OTHER = Call(SECOND, {KEYS[1]: VALUES[1]})
NUMBER = Call(FIRST, {KEYS[0]: 7})
BARE = Call(FIRST, {})
_BLANKS = re.compile(r"\s*")
_SIGNS = re.compile(r"[^\w\s]+\Z")


class RowMaker:
    """Derives one row from the calls of one template."""

    def __init__(self, written: Written, name: str, source: str) -> None:
        self._written = written
        self._name = name
        self._source = source

    def row(self) -> Syntax:
        """Raises NotDerived with the reason, and NotRendered."""
        fields = self._fields()
        try:
            return self._made(fields)
        except SampleError as error:
            prefill = self._prefill()
            if not prefill or fields["group"] or not fields["call"].startswith("{name}"):
                raise NotDerived(f"the grammar cannot take it: {error}") from None
        try:
            return self._made(fields | {"call": prefill + fields["call"], "prefilled_call": prefill})
        except SampleError as error:
            raise NotDerived(f"the grammar cannot take it: {error}") from None

    def _made(self, fields: dict[str, Any]) -> Syntax:
        return Syntax(name=self._name, source=self._source, **fields)

    def _prefill(self) -> str:
        """The markup that the prompt ends in, which the model may write itself before another call."""
        try:
            prompt = self._written.rendered(Conversation(prompt=True))
        except NotRendered:
            return ""
        found = _SIGNS.search(prompt)
        return found.group() if found else ""

    def _fields(self) -> dict[str, Any]:
        text = self._written.calls([TWO])
        core = json_object(text, TWO)
        if core is not None:
            return self._assembled(core, text, json_object, [ONE, OTHER], mask=False)
        masked = self._masked(text, [TWO])
        for finder in FINDERS:
            core = finder(masked, TWO)
            if core is not None:
                return self._assembled(core, masked, finder, [ONE, OTHER], mask=True)
        return self._tagged(masked)

    def _masked(self, text: str, calls: list[Call]) -> str:
        """A text with holes for the names and ids of its calls."""
        for index, call in enumerate(calls):
            for call_id in (self._written.history.call_id(call, index), f"functions.{call.name}:{index}"):
                text = text.replace(call_id, "{id}")
            text = text.replace(call.name, "{name}")
        return text

    def _two(self, calls: list[Call], *, mask: bool) -> str | None:
        """The text of two calls; None if the template does not render them in one turn."""
        try:
            text = self._written.calls(calls)
        except NotRendered:
            return None
        return self._masked(text, calls) if mask else text

    def _assembled(
        self, core: Core, text: str, finder: Callable[..., Core | None], calls: list[Call], *, mask: bool
    ) -> dict[str, Any]:
        before, behind = text[: core.start], text[core.end :]
        around = around_one(before, behind)
        two = self._two(calls, mask=mask)
        if two is not None:
            first = finder(two, calls[0])
            second = finder(two, calls[1], first.end) if first is not None else None
            if first is not None and second is not None:
                before, middle, behind = two[: first.start], two[first.end : second.start], two[second.end :]
                around = around_two(
                    *counted(before, middle), behind, self._written.tokens, lead_token(text) if mask else ""
                )
                sample, other = counted(first.sample, second.sample)
                if mask and sample == other:
                    return self._finished(around, sample, dict(core.fields))
        return self._finished(around, core.sample, dict(core.fields))

    def _finished(self, around: Around, core: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of the row, which say whether its calls have a marker."""
        shape = fields["shape"]
        if "{name}" in around.head and not around.group:
            around = addressed(around)
        call, group = around.head + core + around.foot, around.group
        if not group and shape == "pythonic":
            call, group = core, f"{around.head}{{calls}}{around.foot}"
        fields |= {"call": call, "group": group, "between": around.between, "grouped": around.grouped}
        opener = first_token(group.partition("{calls}")[0] + call if group else call)
        if shape in ("json_object", "pythonic") and opener in ("", "[", "{"):
            fields["whole_message"] = True
        elif not self._is_markup(opener):
            fields["declared_only"] = True
        if group and shape not in ("json_object", "pythonic") and not self._is_markup(first_token(call)):
            fields["needs_group"] = True
        return fields

    @staticmethod
    def _is_markup(opener: str) -> bool:
        """Whether what begins a call cannot be a word of prose."""
        return re.search(r"[^\w\s:.,!?'\"()`*-]", opener) is not None

    # -- tags for each argument ----------------------------------------------------------------------------------------

    def _tagged(self, masked: str) -> dict[str, Any]:
        cut = Cut.of(masked, (KEYS[0], KEYS[1]), (VALUES[0], VALUES[1]))
        bare = self._behind_name(BARE)
        number = self._behind_name(NUMBER)
        if number is not None:
            number = number.partition(KEYS[0])[2]
            number = number[: number.index("7")] if "7" in number else None
        lead = lead_token(masked)
        tags = parameters(cut, bare, number, self._written.tokens, lead)
        also = self._marked_up(tags)
        core = self._tagged_core(masked, TWO, tags)
        fields: dict[str, Any] = {"shape": "elements" if tags.keyed else "tagged", "parameter": tags.sample}
        if tags.string_types:
            fields["string_types"] = tags.string_types
        if also:
            fields["also_parameter"] = (also,)
        if lead:
            fields["lead_token"] = lead

        def find(text: str, call: Call, pos: int = 0) -> Core | None:
            return self._tagged_core(text, call, tags, pos)

        if core is None:
            raise NotDerived("the arguments of a call have no end of their own")
        found = self._assembled(core, masked, find, [ONE, OTHER], mask=True)
        return found | fields

    def _marked_up(self, tags: Parameters) -> str:
        """How an argument is written whose value holds markup, if it is written differently; else empty."""
        value = "zqva\n<zqx>&zqva"
        opener, to_value = tags.sample.partition("{value}")[0].split("{key}")
        text = self._behind_name(Call(FIRST, {KEYS[0]: value})) or ""
        _, _, text = text.partition(opener + KEYS[0])
        before, found, behind = text.partition(value)
        end = behind.find(tags.closer)
        if not found or before == to_value or not before.startswith(to_value) or end < 0:
            return ""
        closer = tags.sample.partition("{value}")[2]
        return f"{opener}{{key}}{before}{{value}}{behind[:end]}{closer}"

    def _behind_name(self, call: Call) -> str | None:
        """What stands behind the name of a call; None if it is not rendered."""
        try:
            text = self._masked(self._written.calls([call]), [call])
        except NotRendered:
            return None
        return text.rpartition("{name}")[2] if "{name}" in text else text.rpartition("{id}")[2]

    @staticmethod
    def _tagged_core(text: str, call: Call, tags: Parameters, pos: int = 0) -> Core | None:
        keys, values = list(call.arguments), list(map(str, call.arguments.values()))
        key = text.find(keys[0], pos)
        named = max(text.rfind("{name}", pos, key), text.rfind("{id}", pos, key))
        value = text.find(values[-1], key)
        if key < 0 or named < 0 or value < 0:
            return None
        closer = tags.closer.replace("{key}", keys[-1])
        end = text.find(closer, value)
        if end < 0:
            return None
        behind = _BLANKS.match(text, end + len(closer))
        assert behind
        end = behind.end() if tags.sample != tags.sample.rstrip() else end + len(closer)
        header = text[named : key - len(tags.sample.partition("{key}")[0])]
        return Core(named, end, f"{header}{{parameters}}", {"shape": "tagged"})
