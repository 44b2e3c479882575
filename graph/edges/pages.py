"""Edges in pages: of many entities at once at a moment, their history, and all versions of a range."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, literal_column, text
from sqlalchemy.orm import Session

from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.queries import edges_count_sql, edges_sql
from graph.edges.rows import EDGE_COLUMNS, edge_of_row
from graph.edges.rules import interval_of
from graph.ids import EntityId
from graph.instants import moment_resolve, moment_sql, moment_values
from graph.json_bounds import texts_storable
from graph.keyset import Keyset
from graph.paging import Page, PageRequest, page_of_read
from graph.tables import INSTANT

_ID: Final = literal_column("e.id", Uuid)
_EDGE_ID: Final = literal_column("e.edge_id", Uuid)
_VALID_FROM: Final = literal_column("lower(e.valid)", INSTANT)
_RECORDED_AT: Final = literal_column("lower(e.recorded)", INSTANT)
_EDGES: Final = Keyset("edges", {"edge_id": _EDGE_ID})
_HISTORY: Final = Keyset(
    "edge history", {"valid_from": _VALID_FROM, "recorded_at": _RECORDED_AT, "id": _ID}, is_descending=True
)
_VERSIONS: Final = Keyset("edge versions", {"edge_id": _EDGE_ID, "recorded_at": _RECORDED_AT})


def edges_pages(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    page: PageRequest,
    direction: Direction = Direction.ANY,
    relationships: Collection[str] | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[EntityId, Page[EdgeVersion]]:
    """Return one page of the edges of each entity at a moment; in the order of edge ids.

    Two statements, however many entities there are. A correction does not move an edge in the order.
    """
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
    return _pages(
        session,
        organization_id=organization_id,
        entity_ids=entity_ids,
        page=page,
        keyset=_EDGES,
        direction=direction,
        relationships=relationships,
        condition=moment_sql(moment),
        values=moment_values(moment),
    )


def edge_history_pages(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    page: PageRequest,
    relationships: Collection[str] | None = None,
) -> dict[EntityId, Page[EdgeVersion]]:
    """Return one page of every version of every edge each entity ever had, newest valid time first.

    Ended, corrected and retracted ones too; one statement, however many entities there are.
    """
    return _pages(
        session,
        organization_id=organization_id,
        entity_ids=entity_ids,
        page=page,
        keyset=_HISTORY,
        direction=Direction.ANY,
        relationships=relationships,
        condition="true",
        values={},
    )


def edge_versions_page(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    begins: datetime,
    ends: datetime,
    page: PageRequest,
    relationships: Collection[str] | None = None,
) -> Page[EdgeVersion]:
    """Return one page of the versions, believed or not, of these entities' edges touching [begins, ends).

    In the order of edge id and time of recording. For all below an entity take the ids from `below_during`.
    """
    valid = interval_of(begins, ends)
    among = " AND e.relationship = ANY (CAST(:relationships AS text[]))" if relationships is not None else ""
    condition = (
        " FROM entity_edges e WHERE e.organization_id = :organization_id"
        " AND (e.source_id = ANY (CAST(:ids AS uuid[])) OR e.target_id = ANY (CAST(:ids AS uuid[])))"
        f" AND e.valid && tstzrange(:begins, :ends){among}"
    )
    values: dict[str, Any] = {
        "organization_id": organization_id,
        "ids": list(entity_ids),
        "begins": valid.start,
        "ends": valid.end,
        "relationships": None if relationships is None else texts_storable(relationships),
    }
    seek = _VERSIONS.seek(page)
    statement = f"SELECT {EDGE_COLUMNS}{condition} AND {seek.condition} ORDER BY {seek.order} LIMIT :limit"
    rows = session.execute(text(statement), {**values, **seek.values, "limit": page.size + 1})
    count = text(f"SELECT count(*){condition}")
    return page_of_read(
        [edge_of_row(row) for row in rows],
        page,
        key=_VERSIONS.key,
        total=lambda: int(session.execute(count, values).scalar_one()),
    )


def _pages(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    page: PageRequest,
    keyset: Keyset,
    direction: Direction,
    relationships: Collection[str] | None,
    condition: str,
    values: Mapping[str, Any],
) -> dict[EntityId, Page[EdgeVersion]]:
    """Return one page of the edges of each entity. condition, values: of the table e, in SQL."""
    values = {
        "organization_id": organization_id,
        "ids": list(entity_ids),
        "relationships": None if relationships is None else texts_storable(relationships),
        **values,
    }
    seek = keyset.seek(page)
    statement = edges_sql(
        direction=direction,
        by_relationship=relationships is not None,
        condition=f"{condition} AND {seek.condition}",
        order=seek.order,
    )
    pages: dict[EntityId, list[EdgeVersion]] = {EntityId(item): [] for item in entity_ids}
    for row in session.execute(text(statement), {**values, **seek.values, "limit": page.size + 1}):
        pages[row.entity_id].append(edge_of_row(row))
    counts: dict[EntityId, int] = {}

    def total(entity_id: EntityId) -> int:
        if not counts:  # the first to ask counts for all, so that many cost what one does
            count = edges_count_sql(direction=direction, by_relationship=relationships is not None, condition=condition)
            counts.update(dict.fromkeys(pages, 0))
            counts.update({row.entity_id: row.edges for row in session.execute(text(count), values)})
        return counts[entity_id]

    return {
        entity_id: page_of_read(edges, page, key=keyset.key, total=partial(total, entity_id))
        for entity_id, edges in pages.items()
    }
