"""Typed identifiers. All are UUIDv7, drawn at the edge and handed in."""

from collections.abc import Callable
from typing import NewType
from uuid import UUID

EntityId = NewType("EntityId", UUID)
EdgeId = NewType("EdgeId", UUID)
EdgeVersionId = NewType("EdgeVersionId", UUID)

# Draws the next identifier; the core is handed one, so that it holds no randomness of its own.
NewId = Callable[[], UUID]
