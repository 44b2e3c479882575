"""Which way an edge is followed."""

from enum import StrEnum


class Direction(StrEnum):
    """OUT follows an edge from its source to its target, IN the other way, ANY both."""

    OUT = "OUT"
    IN = "IN"
    ANY = "ANY"

    @property
    def reverse(self) -> "Direction":
        """The direction that leads back."""
        return {Direction.OUT: Direction.IN, Direction.IN: Direction.OUT}.get(self, self)
