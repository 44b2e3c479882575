"""Bind transactions to an organization, for row-level security."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_SET = text("SELECT set_config('argus.organization_id', :organization_id, true)")


def organization_set(session: Session, *, organization_id: int) -> None:
    """Bind the current transaction of `session` to one organization, until it ends."""
    session.execute(_SET, {"organization_id": str(organization_id)})
