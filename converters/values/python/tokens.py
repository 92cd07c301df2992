"""The tokens of a Python call as regexes, whole and as far as a piece may have brought them. It knows no state."""

from __future__ import annotations

import re

from converters.values.json.between import BLANKS

KEYWORD = re.compile(rf"([^\W\d]\w{{0,255}})[{BLANKS}]{{0,64}}=(?!=)")
HALF_KEYWORD = re.compile(rf"[^\W\d]\w{{0,255}}[{BLANKS}]{{0,64}}=?\Z")
TWO_WORDS = re.compile(r"[^\W\d]\w{0,255}[ \t]{1,64}[^\s,)\]}#=]")
"""What begins no literal: a word that something else follows."""
STRING = re.compile(r"([rRuU]?)('''|\"\"\"|'|\")")
HALF_STRING = re.compile(r"[rRuU]?(?:'{0,3}|\"{0,3})\Z")
BEGINS_VALUE = re.compile(r"[\"'\d\-+.\[{(\w]")
PLAIN = {"'": re.compile(r"[^\\']+"), '"': re.compile(r'[^\\"]+')}
CONTINUES = {quote: re.compile(rf"(?:[^\\{quote}]+|\\[^0-7xuU])+", re.DOTALL).match for quote in PLAIN}
"""What continues a string, except numeric escapes, as a piece may end inside one."""
JOINED = re.compile(r"[ \t\r]*\n\s*(?=[rRuU]?['\"])")
STRING_BODY = {
    quotes: re.compile(rf"[^\\{quotes[0]}]*(?:(?:\\.{more})[^\\{quotes[0]}]*)*", re.DOTALL)
    for quotes, more in (("'", ""), ('"', ""), ("'''", "|'{1,2}(?=[^'])"), ('"""', '|"{1,2}(?=[^"])'))
}
"""The inside of a string, up to the quotes that end it."""
NEUTRAL = re.compile(r"[^()\[\]{}'\",#]+")
