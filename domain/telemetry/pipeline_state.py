"""How the pipeline stands over all organizations, in numbers that name none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_STATE = text(
    """
    SELECT name, labels, value FROM pipeline_state()
    UNION ALL SELECT name, labels, value FROM convergence_state() ORDER BY name, labels
    """
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One number, under a name and labels as Prometheus has them; a name that ends in _total only rises."""

    name: str
    labels: Mapping[str, str]
    value: float


def pipeline_state(session: Session) -> list[Measured]:
    """Return the numbers: what waits and since when, commits and leases of stages, dead letters, the last minute."""
    return [Measured(row.name, row.labels, float(row.value)) for row in session.execute(_STATE)]
