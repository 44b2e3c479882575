"""Edge versions as rows of `entity_edges`: read, written once, closed; never changed otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, delete, func, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from graph.change import Audit, GraphChange
from graph.edges.errors import OverlapError
from graph.edges.model import EdgeVersion
from graph.edges.rules import Interval, Place
from graph.errors import ConflictError
from graph.ids import EdgeId, EdgeVersionId, EntityId
from graph.instants import utc_of
from graph.kinds import EntityKind
from graph.sql import any_of, rows_insert
from graph.tables import entity_edges

# What `edge_of_row` needs, of the table under the name e.
EDGE_COLUMNS: Final = (
    "e.id, e.edge_id, e.relationship, e.source_id, e.source_kind, e.target_id, e.target_kind, e.port,"
    " e.exclusive, e.metadata, lower(e.valid) AS valid_from, upper(e.valid) AS valid_until,"
    " lower(e.recorded) AS recorded_at, upper(e.recorded) AS retracted_at"
)


def edge_of_row(row: Row[Any]) -> EdgeVersion:
    """Return the version that a row of EDGE_COLUMNS holds."""
    return EdgeVersion(
        EdgeVersionId(row.id),
        EdgeId(row.edge_id),
        row.relationship,
        EntityId(row.source_id),
        EntityKind(row.source_kind),
        EntityId(row.target_id),
        EntityKind(row.target_kind),
        row.port,
        row.exclusive,
        row.metadata,
        row.valid_from.astimezone(UTC),
        utc_of(row.valid_until),
        row.recorded_at.astimezone(UTC),
        utc_of(row.retracted_at),
    )


def range_of(valid: Interval) -> Range[datetime]:
    """Return the interval as PostgreSQL's half-open range."""
    return Range(valid.start, valid.end, bounds="[)")


def versions_insert(
    session: Session, *, change: GraphChange, versions: Sequence[tuple[EdgeVersion, Place | None]]
) -> None:
    """Write versions, each with its place, that are believed from the change on.

    The callers have looked for conflicts; if the database knows better, its refusal becomes an
    OverlapError or a ConflictError, and the transaction can only be rolled back.
    """
    if not versions:
        return
    rows = [
        {
            "organization_id": change.organization_id,
            "id": version.id,
            "edge_id": version.edge_id,
            "relationship": version.relationship,
            "source_id": version.source_id,
            "source_kind": version.source_kind,
            "target_id": version.target_id,
            "target_kind": version.target_kind,
            "port": version.port,
            "exclusive": version.exclusive,
            "metadata": dict(version.metadata),
            "valid": range_of(version.valid),
            "recorded": Range(change.recorded, None, bounds="[)"),
            "place": None if place is None else place.key,
        }
        for version, place in versions
    ]
    try:
        rows_insert(session, entity_edges, rows)
    except IntegrityError as fault:
        constraint = getattr(getattr(fault.orig, "diag", None), "constraint_name", None)
        if constraint == "ex_entity_edges_believed":
            raise OverlapError("The same edge exists for a part of that time.", path=("validFrom",)) from fault
        if constraint in {"ex_entity_edges_exclusive", "ex_entity_edges_shared"}:
            raise ConflictError("Another edge holds that place for a part of that time.") from fault
        raise


def versions_close(session: Session, *, change: GraphChange, versions: Sequence[EdgeVersion]) -> None:
    """Close versions: they are no longer believed. Those that this very change wrote are deleted: they never were."""
    written_now = [version.id for version in versions if version.recorded_at == change.recorded]
    earlier = [version.id for version in versions if version.recorded_at != change.recorded]
    of_organization = entity_edges.c.organization_id == change.organization_id
    if written_now:
        session.execute(delete(entity_edges).where(of_organization, any_of(entity_edges.c.id, written_now)))
    if earlier:
        closed = func.tstzrange(func.lower(entity_edges.c.recorded), change.recorded, "[)")
        session.execute(
            update(entity_edges).where(of_organization, any_of(entity_edges.c.id, earlier)).values(recorded=closed)
        )


def edge_audit(action: str, *, before: EdgeVersion | None, after: EdgeVersion | None) -> Audit:
    """Return the audit entry of an edge; one of the two is given."""
    either = after or before
    assert either is not None  # noqa: S101  (an edge that neither was nor is has no change)
    return Audit(
        action=action,
        subject_type="edge",
        subject_id=either.edge_id,
        before=None if before is None else edge_state(before),
        after=None if after is None else edge_state(after),
    )


def edge_state(version: EdgeVersion) -> dict[str, Any]:
    """Return a version as the audit trail shows it: JSON, in the contract's names."""
    until = version.valid_until
    return {
        "id": str(version.id),
        "relationship": version.relationship,
        "sourceId": str(version.source_id),
        "targetId": str(version.target_id),
        "port": version.port,
        "exclusive": version.exclusive,
        "metadata": dict(version.metadata),
        "validFrom": version.valid_from.isoformat(),
        "validUntil": None if until is None else until.isoformat(),
    }
