"""What a model writes in a turn, cut out of renderings: whole turns with their ends, and the text of calls alone.

A turn is what stands behind the prompt. The text of calls is what is inserted into a message that has text, or else the
turn without what also ends turns that hold text alone. The shorter one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from converters.learning.conversations import SAY, Call, Conversation, History, NotRendered, Render, Turn
from converters.learning.tokens import Tokens
from converters.syntaxes import END_TOKENS, REASONING_TAGS
from converters.text.scanner import folded

_CLOSERS = frozenset(closer for tag in REASONING_TAGS for closer in tag.closes)


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
        if whole.startswith(prompt):
            return prompt, whole[len(prompt) :]
        common = self.tokens.prefix(prompt, whole)
        return common, whole[len(common) :]

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
        return written[behind : behind + more].strip() if written[behind + more :] == without[behind:] else ""

    def _cut(self, calls: Sequence[Call]) -> str:
        _, text = self.turn(Turn(tuple(calls)))
        return self._without_tags(self.without_end(text))

    def without_end(self, text: str) -> str:
        """A turn without the tokens that end it."""
        plain = self.plain_end()
        text = text.rstrip()
        if plain.strip() and text.endswith(plain.strip()):
            return text.removesuffix(plain.strip()).rstrip()
        ends = {folded(token) for token in (*END_TOKENS, *self.tokens.split(plain)) if self.tokens.is_markup(token)}
        while end := next((end for end in ends if folded(text).endswith(end)), ""):
            text = text[: -len(end)].rstrip()
        return text

    def _without_tags(self, text: str) -> str:
        """A turn without the reasoning that it begins with, which is empty."""
        text = text.strip()
        for tag in REASONING_TAGS:
            if tag.reasoning and text.startswith(tag.opens):
                text = text.removeprefix(tag.opens).lstrip()
        for closer in sorted(_CLOSERS - {*END_TOKENS}, key=len, reverse=True):
            text = text.removeprefix(closer).lstrip()
        return text
