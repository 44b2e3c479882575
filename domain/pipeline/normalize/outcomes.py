"""What becomes of a reading, as arrays and the database have it."""

from __future__ import annotations

from typing import Final

STORED: Final = 0
DUPLICATE: Final = 1
DEAD: Final = 2
