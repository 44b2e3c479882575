"""The names of feature flags, in one place."""

from __future__ import annotations

from typing import Final

DERIVE_SHADOW: Final = "derive.shadow"
