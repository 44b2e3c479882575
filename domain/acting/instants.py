"""Instants as they are told outside: RFC 3339, UTC."""

from __future__ import annotations

from datetime import datetime


def instant_text(instant: datetime) -> str:
    """Return an instant in UTC as text."""
    return instant.isoformat().replace("+00:00", "Z")
