"""Text -> the letters that matter when messages are compared.

Blanks, line breaks, quotes, backslashes, control characters and colours differ between a message, a log of it and a
copy out of a terminal; none of them tells two messages apart. ASCII letters are lowered. Deleting all blanks makes a
message that a terminal has broken in the middle of a word equal to the whole one.
"""

import re

_QUOTES = "'\"`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u2032\u2033\uff40\uff07\uff02"
_BLANKS = "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_INVISIBLE = "\\\u200b\u200c\u200d\u2060\ufeff"
_DELETED = (*map(ord, _QUOTES + _BLANKS + _INVISIBLE), *range(33), *range(127, 161))
_TABLE: dict[int, int | None] = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_TABLE |= dict.fromkeys(_DELETED)
_LOWER = bytes(code + 32 if 65 <= code <= 90 else code for code in range(256))
_DELETED_ASCII = bytes(code for code in _DELETED if code < 128)
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


def strip_colours(text: str) -> str:
    """Return ``text`` without the escape sequences of terminals."""
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def fold(text: str) -> str:
    """Return ``text`` without colours, blanks and quotes, in lower case; it never grows."""
    text = strip_colours(text)
    if text.isascii():  # ten times as fast
        return text.encode().translate(_LOWER, _DELETED_ASCII).decode()
    return text.translate(_TABLE)


def measure_fold(text: str, folded: int) -> int:
    """Return how many characters at the beginning of ``text``, which has no colours, fold into ``folded``."""
    for place, char in enumerate(text):
        folded -= _TABLE.get(ord(char), 0) is not None
        if folded < 0:
            return place
    return len(text)
