"""Clean text from outside that must be stored and cannot be refused; bring names into one form.

What a caller can mend (names, attributes, arguments) is refused instead, by `graph.json_bounds.text_check`.
"""

from __future__ import annotations

from typing import Any, Final
from unicodedata import normalize

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


def text_nfc(value: str) -> str:
    """Return a text in the form NFC of Unicode, in which texts that look alike are the same.

    Names, external ids and names of metrics are stored and looked up so: what one system writes as one character,
    another writes as a letter and an accent.

    >>> text_nfc("Ku" + chr(0x308) + "che") == "K" + chr(0xFC) + "che"
    True
    """
    return value if value.isascii() else normalize("NFC", value)


def json_nfc(value: Any) -> Any:
    """Return checked JSON with its texts, and the names of its members, in NFC. Of definitions, never of attributes.

    Of two members that become the same, the later counts.
    """
    if isinstance(value, str):
        return text_nfc(value)
    if isinstance(value, dict):
        return {text_nfc(name): json_nfc(item) for name, item in value.items()}
    return [json_nfc(item) for item in value] if isinstance(value, list | tuple) else value
