"""Which events open while they are shelved or in maintenance: nothing follows from those."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.rules.tables import maintenance_windows, shelves
from domain.telemetry.packed import instant_of, micros_of
from graph.ids import EntityId
from graph.walk.spans import BELOW, spans_above


def suppressed_of(session: Session, *, organization_id: int, opened: Sequence[tuple[UUID, UUID, int]]) -> list[bool]:
    """Tell of each (rule, entity, instant) whether it is suppressed. Two statements, more where something is below."""
    if not opened:
        return []
    first = instant_of(min(at for _, _, at in opened))
    last = instant_of(max(at for _, _, at in opened))
    shelved = [
        (row.rule_id, row.entity_id, micros_of(row.begins), micros_of(row.ends))
        for row in session.execute(
            select(shelves).where(
                shelves.c.organization_id == organization_id, shelves.c.ends > first, shelves.c.begins <= last
            )
        )
    ]
    maintained = [
        (row.under_id, micros_of(row.begins), micros_of(row.ends))
        for row in session.execute(
            select(maintenance_windows).where(
                maintenance_windows.c.organization_id == organization_id,
                maintenance_windows.c.ends > first,
                maintenance_windows.c.begins <= last,
            )
        )
    ]
    ids = {entity_id for _, entity_id, _ in opened}
    is_below = any(under_id is not None for under_id, _, _ in maintained)
    above = spans_above(session, organization_id=organization_id, ids=ids, hops=BELOW) if is_below else {}

    def is_under(entity_id: UUID, under_id: UUID | None, at: int) -> bool:
        spans = above.get(EntityId(entity_id), {}).get(EntityId(under_id), []) if under_id is not None else None
        return spans is None or any(begins <= at < ends for begins, ends in spans)

    return [
        any(
            rule in {None, rule_id} and entity in {None, entity_id} and begins <= at < ends
            for rule, entity, begins, ends in shelved
        )
        or any(begins <= at < ends and is_under(entity_id, under, at) for under, begins, ends in maintained)
        for rule_id, entity_id, at in opened
    ]
