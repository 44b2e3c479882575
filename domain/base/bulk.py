"""Results of changes of everything that fits a filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from graph.errors import ArgusError

# Refusals that are returned at most.
ERRORS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What a change of many did. matched: what fits; changed: of it, what became other, or would in a dry run.

    errors: why others were refused, each with the path (`filter`, id), ERRORS_MAX at most.
    """

    matched: int
    changed: int
    errors: Sequence[ArgusError] = ()
