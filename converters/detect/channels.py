"""Reads the header of a message on a channel: who writes it, to whom, and what it is.

Pure matching at one position. Held: a header that is not complete, which is a few tokens with a few words between them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from converters.syntaxes.channels import (
    CHANNEL,
    CHANNELS,
    CONSTRAIN,
    MESSAGE,
    OTHERS,
    OWN_ROLE,
    RECIPIENT,
    RECIPIENTS,
    START,
    TOOL_ROLES,
    Lane,
)
from converters.text.scanner import BLANK, FEW_BLANKS

_WORD = r"[\w.:/@=\u2013\u2014-]{1,272}"
_WORDS = rf"(?:{FEW_BLANKS}{_WORD}(?:{BLANK}{{1,64}}{_WORD}){{0,4}})?{FEW_BLANKS}"
_TOKENS = (START, CHANNEL, CONSTRAIN)
_HEADER = re.compile(rf"{_WORDS}(?:(?:{'|'.join(map(re.escape, _TOKENS))}){_WORDS}){{0,8}}")
_ROLE = re.compile(rf"{re.escape(START)}{FEW_BLANKS}([\w.:/@=-]{{0,272}})")
_TO = re.compile(rf"{RECIPIENT}((?:(?!{BLANK})[^<])+)")
_ON = re.compile("|".join(CHANNELS))


class MessageHeader(NamedTuple):
    """The header of a message of the model itself."""

    raw: str
    end: int
    recipient: str
    """A tool, or whom else the message is for; empty if nobody is named."""
    lane: Lane | None
    """What the message is; None if it is for a tool."""
    known: bool
    """It names a recipient, or a channel that there is."""


def other_speaker(text: str, pos: int, *, whole: bool) -> str | bool:
    """The role that a start token names if it is not the model's own. True: more text must come. False: none."""
    role = _ROLE.match(text, pos)
    if role is None:
        return False
    name = role[1]
    if role.end() == len(text) and not whole:
        return True
    if not name or name.startswith((OWN_ROLE, RECIPIENT)) or OWN_ROLE.startswith(name):
        return False
    return name


def is_speaker(role: str) -> bool:
    """Whether a word names a speaker for sure, and is not the first one of a text."""
    return role in OTHERS or role in TOOL_ROLES or "." in role.strip(".")


def is_result(role: str) -> bool:
    """Whether a speaker is a tool."""
    return role not in OTHERS


def message_header(text: str, pos: int, *, whole: bool) -> MessageHeader | bool:
    """The header at a position. True: more text must come. False: it is none."""
    match = _HEADER.match(text, pos)
    if match is None:
        return False
    end = match.end()
    if text.startswith(MESSAGE, end):
        return _header(text[pos : end + len(MESSAGE)], end + len(MESSAGE))
    rest = text[end : end + len(CONSTRAIN)]
    return not whole and any(token.startswith(rest) for token in (*_TOKENS, MESSAGE)) and end + len(rest) == len(text)


def may_become_header(text: str, pos: int) -> bool:
    """Whether a text ends inside a header, and not in a sentence about its tokens."""
    named = text.startswith(START, pos) or not text[pos + len(CHANNEL) : pos + len(CHANNEL) + 1].isspace()
    return named and message_header(text, pos, whole=False) is True


def _header(raw: str, end: int) -> MessageHeader:
    named = _TO.findall(raw)
    recipients = [each for each in named if each != OWN_ROLE] or named
    if recipients:
        recipient = recipients[-1]
        return MessageHeader(raw, end, recipient, RECIPIENTS.get(recipient), known=True)
    channels = [_ON.findall(part) for part in raw.split(CHANNEL)[1:] or [raw]]
    channel = next((found[-1] for found in reversed(channels) if found), "")
    return MessageHeader(raw, end, "", CHANNELS.get(channel, "text"), known=bool(channel) or raw.startswith(START))


def begun_header(text: str, pos: int) -> int:
    """Where a header that goes on as none ends: behind its start token and the model's role, if it has them."""
    end = pos + len(START) if text.startswith(START, pos) else pos
    return end + len(OWN_ROLE) if text.startswith(OWN_ROLE, end) else end
