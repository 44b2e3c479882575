"""The argument that was not given, where None is itself a value."""

from enum import Enum
from typing import Final


class Absent(Enum):
    """Its one member stands for an argument that was left out: what it would change stays as it is."""

    ABSENT = "ABSENT"


ABSENT: Final = Absent.ABSENT
