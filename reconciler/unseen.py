"""Letters that nobody sees, or that a terminal obeys: a mark stands for each where a text is shown. Pure."""

from __future__ import annotations

import re
import unicodedata

UNSHOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for what is not shown."""
BREAKS = {ord(one): " " for one in "\t\n\r"}
"""What `str.translate` puts a text on one line with."""
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
"""What Python takes for printable and nobody sees: fillers, blanks, and choices of a letter's shape.

The rest of what nobody sees, or a terminal obeys, is not printable: controls, what turns the direction of
text, joiners, tags, ends of lines and paragraphs, odd blanks, and what is private, half a pair or unassigned.
"""
_NON_JOINER, _JOINER = "\N{ZERO WIDTH NON-JOINER}", "\N{ZERO WIDTH JOINER}"
_STYLES = "\ufe0e\ufe0f"
"""Ask for a symbol as text, or as an emoji."""
_CURSIVE = ("ADLAM ", "ARABIC ", "MANDAIC ", "MONGOLIAN ", "NKO ", "SYRIAC ")
"""How the names of letters begin that join with their neighbours, and of the marks on them."""
_VIRAMA = 9
"""The combining class of the sign that takes the vowel from a letter."""


def marked(text: str) -> str:
    """The text, as long as it was; ends of lines and tabs stay."""
    if not (text.isprintable() and _BLANK.search(text) is None):
        shown: list[str] = []
        for one, after in zip(text, f"{text[1:]}\n", strict=True):
            before = shown[-1] if shown else "\n"
            shown.append(one if _is_seen(one) or _shapes(before, one, after) else UNSHOWN)
        return "".join(shown)
    return text


def _is_seen(one: str) -> bool:
    return one in "\t\n" or (one.isprintable() and _BLANK.match(one) is None)


def _shapes(before: str, one: str, after: str) -> bool:
    """Whether a letter that nobody sees is needed to write what stands around it.

    Persian, the scripts of India and emoji are not written without joiners. So these stay where they have
    an effect: after a virama or between letters that would join, as RFC 5892 (appendix A) lets them into
    names of hosts, and inside of an emoji. Anywhere else, all that they do is to make two texts look alike.
    Other choices of a shape do not stay: without them a letter is the same letter, and there are enough of
    them to hide a text in.
    """
    if one in _STYLES:
        return _is_symbol(before)
    if one not in (_NON_JOINER, _JOINER):
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if one == _NON_JOINER:
        return _is_cursive(before) and _is_cursive(after)
    return (_is_symbol(before) or before in _STYLES) and _is_symbol(after)


def _is_symbol(one: str) -> bool:
    """Whether it is a symbol, as most emoji are, or the colour of a skin."""
    if not _is_seen(one) or one == UNSHOWN:
        return False
    return unicodedata.category(one) == "So" or "\U0001f3fb" <= one <= "\U0001f3ff"


def _is_cursive(one: str) -> bool:
    """Whether it is a letter of a script in which letters join, or a mark on one."""
    return unicodedata.category(one)[0] in "LM" and unicodedata.name(one, "").startswith(_CURSIVE)
