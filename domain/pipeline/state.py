"""Monitoring of the pipeline over all organizations."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.measured import Measured

_STATE = text(
    """
    SELECT name, labels, value FROM pipeline_state()
    UNION ALL SELECT name, labels, value FROM convergence_state() ORDER BY name, labels
    """
)


def pipeline_state(session: Session) -> list[Measured]:
    """Return the pipeline's state: backlog and its age, commits and leases of stages, dead letters, the last minute."""
    return [Measured(row.name, row.labels, float(row.value)) for row in session.execute(_STATE)]
