"""Redaction of secrets in what is logged: tokens by their form, passwords of this process by their value."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

REDACTED: Final = "[redacted]"
# A shorter value would be found in ordinary words.
SECRET_LENGTH_MIN: Final = 6

# Each keeps its first group, which tells what was there.
_FORMS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Device tokens (domain/plant/devices/tokens.py).
        r"(argus_dev_)[A-Za-z0-9_-]+",
        # JSON Web Tokens: three parts in base64url, the first of which begins with `{"`.
        r"()\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
        r"((?i:\bbearer)\s+)[A-Za-z0-9._~+/=-]+",
        # The password within an address: scheme://user:password@host.
        r"(://[^/\s:@\"']*:)[^@/\s\"']+(?=@)",
        r"""((?i:\b(?:password|passwd|secret|authorization))\\?["']?\s*[=:]\s*\\?["']?)(?!\[redacted\])[^\s"',;}&\\]+""",
    )
)


class Redactor:
    """Replaces secrets in text.

    secrets: values that must never be shown, wherever they stand. Those shorter than SECRET_LENGTH_MIN are left to
    the forms in which passwords are written.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        values = sorted({value for value in secrets if len(value) >= SECRET_LENGTH_MIN}, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, values))) if values else None

    def redact(self, text: str) -> str:
        """Return the text without secrets."""
        if self._values is not None:
            text = self._values.sub(REDACTED, text)
        for form in _FORMS:
            text = form.sub(rf"\1{REDACTED}", text)
        return text
