"""Export an organization's graph, of all times or as of one, as records that `argus import` reads back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select, text, true
from sqlalchemy.orm import Session

from domain.definitions.entity_types.queries import entity_type_list
from domain.definitions.profiles.queries import profile_names_get
from domain.exchange.fields import DETAIL_FIELDS
from domain.nodes.operations import KIND_SPECS
from domain.plant.entity_kind import details_get
from graph.entities.model import Entity
from graph.entities.rows import ENTITY_COLUMNS, entity_of_row
from graph.instants import Moment, instant_text, moment_resolve, moment_sql, moment_values
from graph.kinds import EntityKind
from graph.relationships.queries import relationship_list
from graph.tables import entities

PAGE_ROWS: Final = 2_000

_EDGES: Final = (
    "SELECT e.id, e.relationship, e.port, e.exclusive, e.metadata, lower(e.valid) AS begins, upper(e.valid) AS ends,"
    " s.id AS source_id, s.kind AS source_kind, s.external_id AS source, s.deleted_at IS NOT NULL AS source_gone,"
    " t.id AS target_id, t.kind AS target_kind, t.external_id AS target, t.deleted_at IS NOT NULL AS target_gone"
    " FROM entity_edges e"
    " JOIN entities s ON s.organization_id = e.organization_id AND s.id = e.source_id"
    " JOIN entities t ON t.organization_id = e.organization_id AND t.id = e.target_id"
    " WHERE e.organization_id = :organization_id AND {moment} AND e.id > :after ORDER BY e.id LIMIT :most"
)
_FIRST: Final = UUID(int=0)


def graph_export(session: Session, *, organization_id: int, as_of: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Yield the organization's own relationships, its types, its entities and its edges.

    as_of: only edges valid then, and only entities that were not deleted by then; None: of all times. Entities' fields
    are what they are now; edges have their whole validity as it is believed now. In pages, within one transaction,
    which should be of REPEATABLE READ. Raises BadInputError for a naive time.
    """
    moment = None
    if as_of is not None:
        moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=None)
    for relationship in relationship_list(session, organization_id=organization_id):
        if not relationship.built_in:
            yield {
                "record": "relationship",
                "name": relationship.name,
                "inverse": relationship.inverse,
                "sourceKinds": sorted(relationship.source_kinds),
                "targetKinds": sorted(relationship.target_kinds),
                "hierarchy": relationship.hierarchy,
                "exclusive": relationship.exclusive,
            }
    for item in entity_type_list(session, organization_id=organization_id, kind=None):
        yield {
            "record": "entityType",
            "kind": item.kind,
            "name": item.name,
            "description": item.description,
            "attributes": dict(item.attributes),
            "telemetrySchema": dict(item.telemetry_schema),
        }
    yield from _entities(session, organization_id, moment)
    yield from _edges(session, organization_id, moment)


def _entities(session: Session, organization_id: int, moment: Moment | None) -> Iterator[dict[str, Any]]:
    after = _FIRST
    while True:
        rows = session.execute(
            select(*ENTITY_COLUMNS)
            .where(
                entities.c.organization_id == organization_id,
                entities.c.id > after,
                true()
                if moment is None
                else or_(entities.c.deleted_at.is_(None), entities.c.deleted_at > moment.as_of),
            )
            .order_by(entities.c.id)
            .limit(PAGE_ROWS)
        ).all()
        page = [entity_of_row(row) for row in rows]
        details = _details(session, organization_id, page)
        for entity in page:
            yield _entity(entity, details.get(entity.id, {}))
        if len(page) < PAGE_ROWS:
            return
        after = page[-1].id


def _details(session: Session, organization_id: int, page: Sequence[Entity]) -> dict[UUID, dict[str, Any]]:
    result: dict[UUID, dict[str, Any]] = {}
    for kind in EntityKind:
        ids = [entity.id for entity in page if entity.kind is kind]
        for entity_id, details in details_get(
            session, organization_id=organization_id, spec=KIND_SPECS[kind], ids=ids
        ).items():
            fields = DETAIL_FIELDS[kind]
            result[entity_id] = {field: details[column] for column, field in fields.items() if field is not None}
    used = {details["profile"] for details in result.values() if details.get("profile") is not None}
    names = profile_names_get(session, organization_id=organization_id, ids=used)
    for details in result.values():
        if "profile" in details:
            # Of one that was deleted nothing is left to name.
            details["profile"] = names.get(details["profile"])
    return result


def _entity(entity: Entity, details: Mapping[str, Any]) -> dict[str, Any]:
    record = {
        "record": "entity",
        "id": str(entity.id),
        "kind": entity.kind,
        "name": entity.name,
        # A deleted one's name is free for others: it goes by its id alone.
        "externalId": entity.external_id if entity.deleted_at is None else None,
        "type": entity.type,
        "status": entity.status,
        "attributes": dict(entity.attributes),
        "location": entity.location,
        "deletedAt": None if entity.deleted_at is None else instant_text(entity.deleted_at),
        **{name: instant_text(value) if isinstance(value, datetime) else value for name, value in details.items()},
    }
    return {name: value for name, value in record.items() if value is not None}


def _edges(session: Session, organization_id: int, moment: Moment | None) -> Iterator[dict[str, Any]]:
    statement = text(_EDGES.format(moment="upper_inf(e.recorded)" if moment is None else moment_sql(moment)))
    values = {} if moment is None else moment_values(moment)
    after = _FIRST
    while True:
        rows = session.execute(
            statement,
            {"organization_id": organization_id, "after": after, "most": PAGE_ROWS, **values},
        ).all()
        for row in rows:
            record = {
                "record": "edge",
                "source": _ref(row.source_kind, None if row.source_gone else row.source, row.source_id),
                "relationship": row.relationship,
                "target": _ref(row.target_kind, None if row.target_gone else row.target, row.target_id),
                "port": row.port,
                "exclusive": row.exclusive if row.target_kind == EntityKind.DEVICE else None,
                "validFrom": instant_text(row.begins),
                "validUntil": None if row.ends is None else instant_text(row.ends),
                "metadata": row.metadata or None,
            }
            yield {name: value for name, value in record.items() if value is not None}
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id


def _ref(kind: str, external_id: str | None, entity_id: UUID) -> dict[str, str]:
    return {"kind": kind, **({"id": str(entity_id)} if external_id is None else {"externalId": external_id})}
