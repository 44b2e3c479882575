"""Read feature flags."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.definitions.feature_flags.model import KNOWN, FeatureFlag, FlagKind
from domain.definitions.feature_flags.tables import feature_flags
from graph.errors import NotFoundError


def flag_kind(name: str) -> FlagKind:
    """Return a flag the code knows. Raises NotFoundError."""
    for kind in KNOWN:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in KNOWN)
    raise NotFoundError(f"There is no feature flag {name[:80]!r}, only {names}.", path=("name",))


def feature_flags_list(session: Session, *, organization_id: int) -> list[FeatureFlag]:
    """Return all flags, those that were never set too, in the order the code knows them. One statement."""
    rows: dict[str, Any] = {
        row.name: row
        for row in session.execute(select(feature_flags).where(feature_flags.c.organization_id == organization_id))
    }
    return [_flag(kind, rows.get(kind.name)) for kind in KNOWN]


def feature_flag_get(session: Session, *, organization_id: int, name: str) -> FeatureFlag:
    """Return a flag. One statement. Raises NotFoundError for one the code does not know."""
    kind = flag_kind(name)
    row = session.execute(
        select(feature_flags).where(
            feature_flags.c.organization_id == organization_id, feature_flags.c.name == kind.name
        )
    ).one_or_none()
    return _flag(kind, row)


def _flag(kind: FlagKind, row: Any) -> FeatureFlag:
    if row is None:
        return FeatureFlag(kind, kind.default, None, None)
    return FeatureFlag(kind, row.value, row.updated_at.astimezone(UTC), row.updated_by)
