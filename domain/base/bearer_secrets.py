"""Secrets that their bearer sends, as text: device tokens and API keys. Only their hash is stored."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

SECRET_BYTES: Final = 32


def secret_text(prefix: str, secret: bytes) -> str:
    """Return the text for SECRET_BYTES random bytes. Raises ValueError for another number of them."""
    if len(secret) != SECRET_BYTES:
        message = f"A secret is made of {SECRET_BYTES} random bytes, not {len(secret)}."
        raise ValueError(message)
    return prefix + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def secret_hash(text: str) -> bytes:
    """Return what is stored of a secret. It is random and long, so a plain hash is enough."""
    return hashlib.sha256(text.encode()).digest()
