"""What stands around the objects of shape A, made ready from a row."""

from __future__ import annotations

import json

from converters.shapes.machine import Opener
from converters.syntaxes import Syntax
from converters.text.scanner import Lookahead, Markers, folded
from converters.text.templates import Pattern, first_token, loosened, spellings, tokens

FENCE = "```"
_FENCES = "⟦\n```json¦\n```¦⟧"
SURPLUS = ("}", "]", ",", ";")
"""What models write behind an object, too many or between two, and what closes nothing."""


def string_of(text: str) -> str:
    """The string that a JSON text spells; empty for anything else."""
    return str(json.loads(text)) if text.startswith('"') else ""


class JsonObjectMarkers:
    """The markers of a row. Every row may write one object, several, or an array of them."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        groups = [group.partition("{calls}") for group in (syntax.group, *syntax.also_group)]
        samples = [call.partition("{object}") for call in (syntax.call, *syntax.also_call)]
        heads = [(opens + head).rstrip("[\n ") for opens, _, _ in groups for head, _, _ in samples]
        feet = [tokens((foot + closes).lstrip("]\n")) for _, _, closes in groups for _, _, foot in samples]
        self.closes_twice = any(len(foot) > 1 for foot in feet)
        self.closers = [folded(closer) for foot in feet for closer in foot]
        self.entries = [
            Opener(opener, Pattern(loosened(f"{head}{_FENCES}⟦\n[¦⟧\n"), then=["{"]), explicit=True)
            for head in heads
            for opener in spellings(first_token(head) or "{", "")
        ]
        self.empty_groups = {
            first_token(head): Pattern(loosened(f"{head}\n⟦[\n]\n¦⟧" + "\n".join(foot)))
            for head, foot in zip(heads, feet, strict=True)
            if head and foot and foot[0] != ">"  # that is one tag
        }
        self.leftovers = frozenset(map(folded, self.closers))
        self.any_closer = Markers(self.closers)
        self.behind_closer = Lookahead(self.closers)
        self.after_object = Lookahead([*self.closers, "{", *SURPLUS])
        self.after_fenced = Lookahead([*self.closers, "{", *SURPLUS, FENCE])
