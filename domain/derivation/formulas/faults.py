"""Derivation faults: why a derived metric has no point where all its inputs have one; the last of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, text_array, uuid_array
from domain.derivation.formulas.derive import Fault
from domain.derivation.formulas.tables import derivation_faults
from domain.derivation.invalidation.spans import EntitySpan, spans_columns
from graph.sql import any_of

_FORGET = text(
    """
    DELETE FROM derivation_faults f USING unnest(:entities, :begins, :ends) AS u (e, b, t)
    WHERE f.organization_id = :organization_id AND f.entity_id = u.e AND f.last_at >= u.b AND f.last_at < u.t
    """
)
_STORE = text(
    """
    INSERT INTO derivation_faults AS f (organization_id, entity_id, metric, last_at, message)
    SELECT :organization_id, u.e, u.m, u.t, u.w FROM unnest(:entities, :metrics, :last, :messages) AS u (e, m, t, w)
    ON CONFLICT (organization_id, entity_id, metric)
        DO UPDATE SET last_at = excluded.last_at, message = excluded.message
        WHERE f.last_at <= excluded.last_at
    """
)


@dataclass(frozen=True, slots=True)
class DerivationFault:
    """The last instant (UTC) at which a derived metric has no point although its inputs have, and why."""

    entity_id: UUID
    metric: str
    last_at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class EntityFault:
    """A fault of an entity (16 bytes)."""

    entity: bytes
    fault: Fault


def faults_write(
    session: Session, *, organization_id: int, faults: Sequence[EntityFault], recomputed: Sequence[EntitySpan]
) -> None:
    """Store faults of entities. Two statements at most.

    recomputed: spans over which entities were recomputed: earlier faults there are void.
    """
    arrays_enable(session)
    if recomputed:
        session.execute(_FORGET, {"organization_id": organization_id, **spans_columns(recomputed)})
    last: dict[tuple[bytes, str], Fault] = {}
    for item in faults:
        known = last.get((item.entity, item.fault.metric))
        if known is None or known.last_us < item.fault.last_us:
            last[item.entity, item.fault.metric] = item.fault
    if last:
        session.execute(
            _STORE,
            {
                "organization_id": organization_id,
                "entities": uuid_array(b"".join(entity for entity, _ in last)),
                "metrics": text_array(metric.encode() for _, metric in last),
                "last": instant_array([fault.last_us for fault in last.values()]),
                "messages": text_array(fault.message.encode() for fault in last.values()),
            },
        )


def faults_of(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[DerivationFault]]:
    """Return the faults of each entity that has any, by metric. One statement."""
    rows = session.execute(
        select(derivation_faults)
        .where(
            derivation_faults.c.organization_id == organization_id, any_of(derivation_faults.c.entity_id, entity_ids)
        )
        .order_by(derivation_faults.c.entity_id, derivation_faults.c.metric)
    )
    faults: dict[UUID, list[DerivationFault]] = {}
    for row in rows:
        fault = DerivationFault(row.entity_id, row.metric, row.last_at.astimezone(UTC), row.message)
        faults.setdefault(row.entity_id, []).append(fault)
    return faults
