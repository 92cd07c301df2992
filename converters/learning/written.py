"""What a model writes in a turn, cut out of renderings: whole turns with their ends, and the text of calls alone.

A turn is what stands behind the prompt. The text of calls is what is inserted into a message that has text, or else the
turn without what also ends turns that hold text alone. The shorter one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from converters.learning.conversations import SAY, Call, Conversation, History, NotRendered, Render, Turn
from converters.learning.tokens import Tokens
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, TURN_HEADERS
from converters.text.scanner import folded

_ENDS = sorted(map(folded, END_TOKENS), key=len, reverse=True)
_KNOWN = re.compile(
    "|".join(
        map(re.escape, sorted({*END_TOKENS, *(c for tag in REASONING_TAGS for c in tag.closes)}, key=len, reverse=True))
    )
)
"""What is known to end a turn, or a part of one."""
_APPENDED = 80
"""Characters from which on what two conversations end in is more than the end of a turn."""
_HEADER = 80
"""Longest token that ends a turn, and longest header of one, in characters."""
_LONGEST = 8192
"""Longest turn that is looked at, in characters."""


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
            bare = self._optional(Conversation(tuple(before), declared, ends_with_user=True))
            whole = self._without_appended(whole, bare)
            common = self.tokens.prefix(prompt, whole)
            begun = prompt.removeprefix(bare) if bare and prompt.startswith(bare) else ""
            common = whole[: self._behind_header(whole, len(common), begun)]
        said = _without_result(whole[len(common) :]) if turn.calls else whole[len(common) :]
        if len(said) > _LONGEST:
            raise NotRendered(f"a turn has more than {_LONGEST} characters")
        return common, said

    def _behind_header(self, whole: str, place: int, begun: str) -> int:
        """Where the model's words begin: behind what the prompt begins its turn with, near a place."""
        begun = begun[:_HEADER]
        starts = range(max(place - len(begun), 0), place + 1)
        return max((start + len(self.tokens.prefix(begun, whole[start:])) for start in starts), default=place)

    def _without_appended(self, whole: str, bare: str) -> str:
        """A rendering without what the template appends to every conversation, such as its tools.

        `bare` is the conversation without the model's last turn.
        """
        appended = self.tokens.suffix(bare, whole)
        if len(appended) < _APPENDED:
            return whole
        end = self.plain_end().rstrip()
        whole = whole.removesuffix(appended)
        return whole + end if end and appended.startswith(end) else whole

    def plain_end(self) -> str:
        """What stands behind the text of a turn without calls; empty if that cannot be told."""
        for tools in (None, Conversation().tools):  # without tools nothing else may be appended
            text = self._optional(Conversation((Turn(content=SAY),), tools))
            if SAY in text:
                return text.rpartition(SAY)[2]
        return ""

    def header(self) -> str:
        """What a prompt begins the model's turn with; empty if that cannot be told."""
        bare = self._optional(Conversation(ends_with_user=True))
        prompt = self._optional(Conversation(prompt=True))
        return prompt.removeprefix(bare) if bare and prompt.startswith(bare) else ""

    def ends(self) -> list[str]:
        """The tokens behind the text of a turn without calls that the table does not have."""
        end = _KNOWN.sub("\n", self.plain_end())
        headers = [place for header in TURN_HEADERS if (place := end.find(header.opens)) >= 0]
        end = end[: min(headers, default=len(end))].strip()
        found = [token for token in self.tokens.split(end) if not token.isspace()]
        if all(map(self.tokens.is_markup, found)):
            return found
        is_token = 2 < len(end) < _HEADER and not re.search(r"\s", end) and re.fullmatch(r"\W.*\W", end)
        return [end] if is_token else [token for token in found if self.tokens.is_markup(token)]

    def _optional(self, conversation: Conversation) -> str:
        """A rendering; empty if the template does not render it."""
        try:
            return self.rendered(conversation)
        except NotRendered:
            return ""

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
        inserted = written[behind : behind + more] if more <= _LONGEST else ""
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
        words = set(self.ends())
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


def _without_result(text: str) -> str:
    """A turn without the opener of a result that some templates write behind it: that is the prompt for the tool."""
    end = text.rstrip()
    opener = next((each for each in RESULTS if end.endswith(each)), "")
    return end.removesuffix(opener) if opener else text
