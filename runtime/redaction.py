"""Redaction of secrets in what is logged: tokens by their form, passwords of this process by their value."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote

REDACTED: Final = "[redacted]"
# A shorter value would be found in ordinary words.
SECRET_LENGTH_MIN: Final = 6

# Each keeps its first group, which says what was there.
_FORMS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Device tokens, API keys and the secrets of webhooks.
        r"(argus_(?:dev|key|whs)_)[A-Za-z0-9_-]+",
        # JSON Web Tokens: three parts in base64url, the first of which begins with `{"`.
        # In a path its parts may be taken for segments.
        r"()\beyJ[A-Za-z0-9_-]+[./]+[A-Za-z0-9_-]+[./]+[A-Za-z0-9_-]*",
        r"()\beyJ[A-Za-z0-9_-]+[./]+eyJ[A-Za-z0-9_-]*",
        r"((?i:\bbearer)\s+)[A-Za-z0-9._~+/=-]+",
        # The password within an address: scheme://user:password@host.
        r"(://[^/\s:@\"']*:)[^@/\s\"']+(?=@)",
        r"""((?i:\b(?:password|passwd|secret|authorization))\\?["']?\s*[=:]\s*\\?["']?)(?!\[redacted\])[^\s"',;}&\\]+""",
    )
)


# Letters, digits, `-`, `.`, `_`, `~` (RFC 3986), `/`, and the percent sign itself.
_ENCODED: Final = re.compile(r"%(2[5d-f]|3[0-9]|4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9a]|7e)", re.IGNORECASE)
_ENCODINGS_MAX: Final = 3


class Redactor:
    """Replaces secrets in text.

    secrets: values that must never be shown, wherever they occur. Those shorter than SECRET_LENGTH_MIN are left to
    the forms in which passwords are written.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        known = [value for value in secrets if len(value) >= SECRET_LENGTH_MIN]
        written = {*known, *(quote(value, safe="", errors="replace") for value in known)}
        values = sorted(written, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, values))) if values else None

    def redact(self, text: str) -> str:
        """Return the text without secrets."""
        text = self._redact(text)
        if "%" in text:
            # A secret in an address may be written with any of its characters percent-encoded.
            plain = _decoded(text)
            if plain != text and (redacted := self._redact(plain)) != plain:
                return redacted
        return text

    def _redact(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(REDACTED, text)
        for form in _FORMS:
            text = form.sub(rf"\1{REDACTED}", text)
        return text


def _decoded(text: str) -> str:
    """Return the text with what never needs percent-encoding decoded, and what was encoded more than once."""
    for _ in range(_ENCODINGS_MAX):
        before, text = text, _ENCODED.sub(lambda match: chr(int(match[1], 16)), text)
        if text == before:
            break
    return text
