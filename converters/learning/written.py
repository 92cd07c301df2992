"""What a model writes in a turn, cut out of renderings: whole turns with their ends, and the text of calls alone.

A turn is what stands behind the prompt. The text of calls is what is inserted into a message that has text, or else the
turn without what also ends turns that hold text alone. The shorter one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from converters.learning.conversations import SAY, Call, Conversation, History, NotRendered, Render, Turn
from converters.learning.tokens import Tokens
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS
from converters.text.scanner import folded

_ENDS = sorted(map(folded, END_TOKENS), key=len, reverse=True)
_APPENDED = 80
"""Characters from which on what two conversations end in is more than the end of a turn."""
_HEADER = 80
"""Longest header of a turn, in characters."""


class Written:
    """Turns of one template, whose history looks one way."""

    def __init__(self, render: Render, history: History, tokens: Tokens) -> None:
        self.render = render
        self.history = history
        self.tokens = tokens

    def rendered(self, conversation: Conversation) -> str:
        """Raises NotRendered."""
        return self.render(conversation.variables(self.history))

    def turn(self, turn: Turn, before: Sequence[Turn] = (), tools: Conversation | None = None) -> tuple[str, str]:
        """(the prompt, what the model writes behind it in this turn, with its end). Raises NotRendered."""
        declared = (tools or Conversation()).tools
        prompt = self.rendered(Conversation(tuple(before), declared, prompt=True))
        whole = self.rendered(Conversation((*before, turn), declared))
        common = prompt
        if not whole.startswith(prompt):
            whole = self._without_appended(whole, Conversation(tuple(before), declared, ends_with_user=True))
            common = self.tokens.prefix(prompt, whole)
            common += _begun(prompt, whole[len(common) :])
        return common, _without_result(whole[len(common) :]) if turn.calls else whole[len(common) :]

    def _without_appended(self, whole: str, before: Conversation) -> str:
        """A rendering without what the template appends to every conversation, such as another instruction."""
        try:
            appended = self.tokens.suffix(self.rendered(before), whole)
        except NotRendered:
            return whole
        return whole.removesuffix(appended) if len(appended) >= _APPENDED else whole

    def plain_end(self) -> str:
        """What stands behind the text of a turn without calls; empty if that cannot be told."""
        try:
            _, written = self.turn(Turn(content=SAY))
        except NotRendered:
            return ""
        return written.partition(SAY)[2]

    def calls(self, calls: Sequence[Call]) -> str:
        """The text of calls, without blanks around it. Raises NotRendered."""
        found = [text for text in (self._inserted(calls), self._cut(calls)) if text]
        found = [text for text in found if all(self.shows(text, call, place) for place, call in enumerate(calls))]
        if not found:
            raise NotRendered("the calls of a history are not printed")
        return min(found, key=len)

    def shows(self, text: str, call: Call, place: int) -> bool:
        """Whether a text names a call and its arguments."""
        named = call.name in text
        return named and all(key in text for key in call.arguments)

    def _inserted(self, calls: Sequence[Call]) -> str:
        """What calls insert into a message with text; empty if that cannot be told."""
        try:
            without = self.rendered(Conversation((Turn(content=SAY),)))
            written = self.rendered(Conversation((Turn(tuple(calls), content=SAY),)))
        except NotRendered:
            return ""
        behind = without.rfind(SAY) + len(SAY)
        more = len(written) - len(without)
        if behind < len(SAY) or more <= 0 or written[:behind] != without[:behind]:
            return ""
        inserted = written[behind : behind + more]
        return _without_result(inserted).strip() if written[behind + more :] == without[behind:] else ""

    def _cut(self, calls: Sequence[Call]) -> str:
        _, text = self.turn(Turn(tuple(calls)))
        return self._without_tags(self.without_end(text))

    def without_end(self, text: str) -> str:
        """A turn without the tokens that end it."""
        plain = self.plain_end()
        text = text.rstrip()
        if plain.strip() and text.endswith(plain.strip()):
            return text.removesuffix(plain.strip()).rstrip()
        words = {token for token in self.tokens.split(plain) if self.tokens.is_markup(token)}
        while end := next((end for end in _ENDS if folded(text).endswith(end)), ""):
            text = text[: -len(end)].rstrip()
        while end := next((end for end in words if text.endswith(end) and text.count(end) == 1), ""):
            text = text[: -len(end)].rstrip()
        return text

    def _without_tags(self, text: str) -> str:
        """A turn without the reasoning that it begins with, which is empty."""
        text = text.strip()
        for tag in REASONING_TAGS:
            behind = text.removeprefix(tag.opens).lstrip()
            empty = any(behind.startswith(closer) for closer in tag.closes)
            if text.startswith(tag.opens) and (tag.reasoning or empty):
                text = behind
            for closer in tag.closes if empty or text.startswith(tag.closes) else ():
                text = text.removeprefix(closer).lstrip()
        return text


def _begun(prompt: str, text: str) -> str:
    """What a text begins with that the prompt ends in: the header of the model's turn."""
    longest = min(len(prompt), len(text), _HEADER)
    return next((text[:size] for size in range(longest, 0, -1) if prompt.endswith(text[:size])), "")


def _without_result(text: str) -> str:
    """A turn without the opener of a result that some templates write behind it: that is the prompt for the tool."""
    end = text.rstrip()
    opener = next((each for each in RESULTS if end.endswith(each)), "")
    return end.removesuffix(opener) if opener else text
