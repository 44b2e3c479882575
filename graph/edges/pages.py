"""Edges in pages: of many entities at once at a moment, their history, and all versions of a range."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.queries import edges_count_sql, edges_sql
from graph.edges.rows import EDGE_COLUMNS, edge_of_row
from graph.edges.rules import interval_of
from graph.errors import BadInputError
from graph.ids import EntityId
from graph.instants import instant_utc, moment_resolve, moment_sql, moment_values
from graph.paging import CursorKey, Page, PageRequest


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list of an entity's edges. condition, after: of the table e; order: of output columns."""

    condition: str
    values: Mapping[str, Any]
    after: str
    after_values: Callable[[CursorKey], Mapping[str, Any]]
    order: str
    key: Callable[[EdgeVersion], CursorKey]


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
    listing = _Listing(
        condition=moment_sql(moment),
        values=moment_values(moment),
        after="e.edge_id > CAST(:after_id AS uuid)",
        after_values=lambda key: {"after_id": _uuid(key, 0, 1)},
        order="edge_id",
        key=_edge_key,
    )
    return _pages(session, organization_id, entity_ids, page, direction, relationships, listing)


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
    return _pages(session, organization_id, entity_ids, page, Direction.ANY, relationships, _HISTORY)


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
        "relationships": None if relationships is None else list(relationships),
    }
    after = ""
    if page.after is not None:
        after = " AND (e.edge_id, lower(e.recorded)) > (CAST(:after_id AS uuid), CAST(:after_at AS timestamptz))"
        values |= {"after_id": _uuid(page.after, 0, 2), "after_at": _instant(page.after, 1, 2)}
    statement = f"SELECT {EDGE_COLUMNS}{condition}{after} ORDER BY e.edge_id, lower(e.recorded) LIMIT :limit"
    rows = session.execute(text(statement), {**values, "limit": page.first + 1})
    count = text(f"SELECT count(*){condition}")
    return _page(
        [edge_of_row(row) for row in rows],
        page,
        key=_version_key,
        total=lambda: int(session.execute(count, values).scalar_one()),
    )


def _edge_key(edge: EdgeVersion) -> CursorKey:
    return (str(edge.edge_id),)


def _version_key(edge: EdgeVersion) -> CursorKey:
    return (str(edge.edge_id), edge.recorded_at.isoformat())


def _history_key(edge: EdgeVersion) -> CursorKey:
    return (edge.valid_from.isoformat(), edge.recorded_at.isoformat(), str(edge.id))


def _history_after(key: CursorKey) -> Mapping[str, Any]:
    return {
        "after_valid": _instant(key, 0, 3),
        "after_recorded": _instant(key, 1, 3),
        "after_id": _uuid(key, 2, 3),
    }


_HISTORY = _Listing(
    condition="true",
    values={},
    after="(lower(e.valid), lower(e.recorded), e.id) < (CAST(:after_valid AS timestamptz),"
    " CAST(:after_recorded AS timestamptz), CAST(:after_id AS uuid))",
    after_values=_history_after,
    order="valid_from DESC, recorded_at DESC, id DESC",
    key=_history_key,
)


def _pages(  # noqa: PLR0917  (private, and each caller names them)
    session: Session,
    organization_id: int,
    entity_ids: Sequence[UUID],
    page: PageRequest,
    direction: Direction,
    relationships: Collection[str] | None,
    listing: _Listing,
) -> dict[EntityId, Page[EdgeVersion]]:
    values: dict[str, Any] = {
        "organization_id": organization_id,
        "ids": list(entity_ids),
        "relationships": None if relationships is None else list(relationships),
        **listing.values,
    }
    after = {} if page.after is None else listing.after_values(page.after)
    statement = edges_sql(
        direction=direction,
        by_relationship=relationships is not None,
        condition=f"{listing.condition} AND {listing.after}" if after else listing.condition,
        order=listing.order,
    )
    pages: dict[EntityId, list[EdgeVersion]] = {EntityId(item): [] for item in entity_ids}
    for row in session.execute(text(statement), {**values, **after, "limit": page.first + 1}):
        pages[row.entity_id].append(edge_of_row(row))
    counts: dict[EntityId, int] = {}

    def total(entity_id: EntityId) -> int:
        if not counts:  # the first to ask counts for all, so that many cost what one does
            count = edges_count_sql(
                direction=direction, by_relationship=relationships is not None, condition=listing.condition
            )
            counts.update(dict.fromkeys(pages, 0))
            counts.update({row.entity_id: row.edges for row in session.execute(text(count), values)})
        return counts[entity_id]

    return {
        entity_id: _page(edges, page, key=listing.key, total=partial(total, entity_id))
        for entity_id, edges in pages.items()
    }


def _page(
    edges: Sequence[EdgeVersion],
    page: PageRequest,
    *,
    key: Callable[[EdgeVersion], CursorKey],
    total: Callable[[], int],
) -> Page[EdgeVersion]:
    """Make a page of at most one row more than was asked for."""
    items = edges[: page.first]
    return Page(items, [key(edge) for edge in items], len(edges) > page.first, page.after is not None, total)


def _uuid(key: CursorKey, place: int, length: int) -> UUID:
    try:
        return UUID(_part(key, place, length))
    except ValueError:
        raise BadInputError("This cursor does not belong to this list.", path=("after",)) from None


def _instant(key: CursorKey, place: int, length: int) -> datetime:
    try:
        return instant_utc(datetime.fromisoformat(_part(key, place, length)), path="after")
    except ValueError:
        raise BadInputError("This cursor does not belong to this list.", path=("after",)) from None


def _part(key: CursorKey, place: int, length: int) -> str:
    part = key[place] if len(key) == length else None
    return part if isinstance(part, str) else ""
