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
from graph.sql import any_of

_FORGET = text(
    """
    DELETE FROM derivation_faults f USING unnest(:entities, :begins, :ends) AS u (e, b, t)
    WHERE f.organization_id = :organization_id AND f.entity_id = u.e AND f.last_at >= u.b AND f.last_at < u.t
    """
)
_KEEP = text(
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


def faults_write(
    session: Session,
    *,
    organization_id: int,
    faults: Sequence[tuple[bytes, Fault]],
    again: Sequence[tuple[bytes, int, int]],
) -> None:
    """Store faults of entities (16 bytes each). Two statements at most.

    again: the times over which entities were recomputed: what was at fault there is void.
    """
    arrays_enable(session)
    if again:
        session.execute(
            _FORGET,
            {
                "organization_id": organization_id,
                "entities": uuid_array(b"".join(entity for entity, _, _ in again)),
                "begins": instant_array([begins for _, begins, _ in again]),
                "ends": instant_array([ends for _, _, ends in again]),
            },
        )
    last: dict[tuple[bytes, str], Fault] = {}
    for entity, fault in faults:
        known = last.get((entity, fault.metric))
        if known is None or known.last_us < fault.last_us:
            last[entity, fault.metric] = fault
    if last:
        session.execute(
            _KEEP,
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
