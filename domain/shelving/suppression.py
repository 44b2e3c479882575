"""From which events nothing follows: those shelved when something became of them, and those opened in maintenance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, select
from sqlalchemy.orm import Session

from domain.rules.tables import events
from domain.shelving.tables import maintenance_windows, shelves
from domain.telemetry.links import among
from domain.telemetry.packed import instant_of, micros_of
from graph.ids import EntityId
from graph.walk.spans import BELOW, spans_above


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an event of a rule at an entity. recorded_us: when it was found, by the wall's clock."""

    rule_id: UUID
    entity_id: UUID
    recorded_us: int


def shelved_of(session: Session, *, organization_id: int, told: Sequence[Told]) -> list[bool]:
    """Tell of each whether it was shelved then. One statement."""
    if not told:
        return []
    times = [each.recorded_us for each in told]
    rows = session.execute(_touching(shelves, organization_id, min(times), max(times))).all()
    spans = [(row.rule_id, row.entity_id, micros_of(row.begins), micros_of(row.ends)) for row in rows]
    return [
        any(
            rule_id in {None, each.rule_id}
            and entity_id in {None, each.entity_id}
            and begins <= each.recorded_us < ends
            for rule_id, entity_id, begins, ends in spans
        )
        for each in told
    ]


def maintained_of(session: Session, *, organization_id: int, opened: Sequence[tuple[UUID, int]]) -> list[bool]:
    """Tell of each (entity, event time, microseconds) whether it is in maintenance.

    One statement; where a window is about what is below something, one more for each level above the entities.
    """
    if not opened:
        return []
    times = [at for _, at in opened]
    rows = session.execute(_touching(maintenance_windows, organization_id, min(times), max(times))).all()
    spans = [(row.under_id, micros_of(row.begins), micros_of(row.ends)) for row in rows]
    above = {}
    if any(under_id is not None for under_id, _, _ in spans):
        ids = {entity_id for entity_id, _ in opened}
        above = spans_above(session, organization_id=organization_id, ids=ids, hops=BELOW)

    def is_under(entity_id: UUID, under_id: UUID | None, at: int) -> bool:
        if under_id is None:
            return True
        within = above.get(EntityId(entity_id), {}).get(EntityId(under_id), [])
        return any(begins <= at < ends for begins, ends in within)

    return [
        any(begins <= at < ends and is_under(entity_id, under_id, at) for under_id, begins, ends in spans)
        for entity_id, at in opened
    ]


def events_maintained(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Tell of each of these events whether it opened in maintenance. Statements: one, and those of `maintained_of`."""
    rows = session.execute(
        select(events.c.id, events.c.entity_id, events.c.opened_at).where(
            events.c.organization_id == organization_id, among(events.c.id, ids)
        )
    ).all()
    opened = [(row.entity_id, micros_of(row.opened_at)) for row in rows]
    found = maintained_of(session, organization_id=organization_id, opened=opened)
    return {row.id: is_maintained for row, is_maintained in zip(rows, found, strict=True)}


def _touching(table: Table, organization_id: int, first_us: int, last_us: int) -> Select[Any]:
    return select(table).where(
        table.c.organization_id == organization_id,
        table.c.ends > instant_of(first_us),
        table.c.begins <= instant_of(last_us),
    )
