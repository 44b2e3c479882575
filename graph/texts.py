"""Clean text from outside that must be stored and cannot be refused.

What a caller can mend (names, attributes, arguments) is refused instead, by `graph.json_bounds.text_check`.
"""

from __future__ import annotations

from typing import Final

# U+FFFD, as Unicode has it for what could not be decoded.
_REPLACEMENT: Final = "�"
_CUT: Final = "..."
_UNSTORABLE: Final = dict.fromkeys([0, *range(0xD800, 0xE000)], _REPLACEMENT)


def text_clean(value: str, *, max_chars: int) -> str:
    """Return the text as PostgreSQL can store it: without NUL and lone surrogates, and no longer than `max_chars`.

    Each character that cannot be stored becomes U+FFFD; a text that is cut ends in three dots.

    >>> text_clean(chr(0), max_chars=10) == chr(0xFFFD)
    True
    >>> text_clean("0123456789", max_chars=5)
    '01...'
    """
    cut = value if len(value) <= max_chars else value[: max_chars - len(_CUT)] + _CUT
    return cut.translate(_UNSTORABLE)
