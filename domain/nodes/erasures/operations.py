"""Erase entities for good: begun by a change, done by jobs page by page, and finished by another change.

What the change does is seen at once: the entity is deleted, without its names, and its edges were never true, so that
what was derived of others through them is recomputed without it. Then its rows are deleted, however many they are; and
what has to stay, such as who changed it and when, bears a pseudonym in its place. `migrations/functions/erasures.sql`
says table by table what goes and what stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from graph.change import GraphChange, change_record
from graph.edges.operations import edges_cut
from graph.edges.queries import edges_touching_after
from graph.entities.queries import entities_get
from graph.errors import BadInputError, ConflictError, NotFoundError
from graph.ids import EntityId
from graph.tables import entities, erasures
from graph.texts import text_nfc

ERASED: Final = "[erased]"
PAGE_ROWS: Final = 10_000

_READINGS = text(
    "SELECT count(*) FROM telemetry_raw WHERE organization_id = :organization_id AND device_id = :entity_id"
)
# All that it was ever called.
_NAMES = text(
    """
    SELECT DISTINCT n.name FROM changes c
    CROSS JOIN LATERAL (VALUES (c.before ->> 'name'), (c.after ->> 'name'), (c.before ->> 'externalId'),
        (c.after ->> 'externalId')) AS n (name)
    WHERE c.organization_id = :organization_id AND c.subject_id = :entity_id AND n.name <> ''
    """
)
_PAGE = text("SELECT erasure_page(:id, :most)")
_FINISH = text("SELECT erasure_finish(:id)")
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that is under way. id: the pseudonym of what is erased; entity_id: what is."""

    organization_id: int
    id: UUID
    entity_id: UUID


def readings_count(session: Session, *, organization_id: int, entity_id: UUID) -> int:
    """Return how many readings of a device the raw log has."""
    values = {"organization_id": organization_id, "entity_id": entity_id}
    return int(session.execute(_READINGS, values).scalar_one())


def entity_erase(session: Session, *, change: GraphChange, entity_id: UUID, name: str, readings: int) -> Erasure:
    """Begin to erase an entity, deleted or not. readings: how many it had, for the audit trail.

    Raises NotFoundError, BadInputError where `name` is not its name, ConflictError where it is being erased.
    """
    organization_id = change.organization_id
    entity = entities_get(session, organization_id=organization_id, ids=[entity_id]).get(EntityId(entity_id))
    if entity is None:
        raise NotFoundError(f"There is no entity {entity_id}.", path=("id",))
    under_way = select(erasures.c.id).where(
        erasures.c.organization_id == organization_id, erasures.c.entity_id == entity_id
    )
    if session.scalar(under_way) is not None:
        raise ConflictError(f"{entity_id} is being erased.", path=("id",))
    if text_nfc(name) != entity.name:
        raise BadInputError("This is not the entity's name. Nothing was erased.", path=("name",))
    edges = edges_touching_after(session, organization_id=organization_id, entity_id=entity_id, instant=_BEGINNING)
    edges_cut(session, change=change, cuts=[(edge, None) for edge in edges])
    names = session.scalars(_NAMES, {"organization_id": organization_id, "entity_id": entity_id})
    called = {*names, entity.name, *([] if entity.external_id is None else [entity.external_id])}
    session.execute(
        update(entities)
        .where(entities.c.organization_id == organization_id, entities.c.id == entity_id)
        .values(
            name=ERASED,
            external_id=None,
            attributes={},
            geometry=None,
            bounds=None,
            deleted_at=entity.deleted_at or change.recorded,
            updated_at=change.recorded,
        )
    )
    erasure = Erasure(organization_id, change.new_id(), entity_id)
    session.execute(
        insert(erasures),
        {
            "organization_id": organization_id,
            "id": erasure.id,
            "kind": entity.kind,
            "requested_at": change.recorded,
            "entity_id": entity_id,
            # The longest first: one may be a part of another.
            "names": sorted(called, key=lambda item: (-len(item), item)),
        },
    )
    change_record(
        session,
        change=change,
        action="erased",
        subject_type="entity",
        subject_id=erasure.id,
        before=None,
        after={"id": str(erasure.id), "kind": entity.kind, "readings": readings},
    )
    return erasure


def erasures_under_way(session: Session) -> list[Erasure]:
    """Return the erasures of all organizations that are not finished, oldest first. The role is argus_pipeline."""
    rows = session.execute(
        select(erasures.c.organization_id, erasures.c.id, erasures.c.entity_id)
        .where(erasures.c.entity_id.is_not(None))
        .order_by(erasures.c.requested_at, erasures.c.id)
    )
    return [Erasure(row.organization_id, row.id, row.entity_id) for row in rows]


def erasure_page(session: Session, *, erasure: Erasure, most: int = PAGE_ROWS) -> bool:
    """Do a page of an erasure: at most so many rows. Return whether another is to be done before it is finished."""
    return bool(session.execute(_PAGE, {"id": erasure.id, "most": most}).scalar_one())


def erasure_finish(session: Session, *, erasure: Erasure) -> bool:
    """Delete what is left of an entity, within a change. Return False where readings of it wait for the stages."""
    return bool(session.execute(_FINISH, {"id": erasure.id}).scalar_one())
