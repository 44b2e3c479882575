"""Pages of what belongs to entities, read for many entities at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from domain.nodes.names import NameKind
from gql.base.batched import ManyResolver
from gql.base.connections import Connection, Rows, rows_of, wants_total
from gql.base.context import Info
from gql.base.converters import to_object
from gql.base.loaders import load_many
from graph.direction import Direction
from graph.entities.model import Entity as EntityRow
from graph.entities.queries import entities_get
from graph.errors import BadInputError
from graph.kinds import EntityKind
from graph.paging import FIRST_MAX, Page, PageRequest
from graph.texts import text_nfc
from graph.walk.queries import related_pages

if TYPE_CHECKING:
    from gql.base.entities import Entity


async def pages_load(
    info: Info, work: Callable[..., Mapping[Any, Page[Any]]], ids: Sequence[UUID], page: PageRequest, **arguments: Any
) -> list[Rows[Any]]:
    """Return for each of these entities one page of what `work` lists for it, batched with that of other entities."""
    count = wants_total(info)

    def read(session: Session, *, organization_id: int, ids: Sequence[UUID], **arguments: Any) -> dict[Any, Rows[Any]]:
        pages = work(session, organization_id=organization_id, entity_ids=ids, page=page, **arguments)
        return {key: rows_of(of_one, count=count) for key, of_one in pages.items()}

    # The pages functions answer for every entity asked for.
    return await load_many(  # type: ignore[return-value]
        info.context, read, ids, work_key=(work, page, count), is_short=True, **arguments
    )


async def page_load(
    info: Info, work: Callable[..., Mapping[Any, Page[Any]]], entity_id: UUID, page: PageRequest, **arguments: Any
) -> Rows[Any]:
    """Return `pages_load` of one entity."""
    [rows] = await pages_load(info, work, [entity_id], page, **arguments)
    return rows


async def related_connections(
    info: Info,
    entities: Sequence[Entity],
    relationships: Sequence[str],
    page: PageRequest,
    *,
    direction: Direction,
    kinds: Sequence[EntityKind] | None = None,
    types: Sequence[str] | None = None,
    depth: int = 1,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Connection[Any]]:
    """Return for each entity one page of the entities related to it."""
    pages = await pages_load(
        info, related_pages, [entity.row.id for entity in entities], page,
        relationships=tuple(relationships), direction=direction, kinds=names_of(kinds), types=names_of(types),
        depth=depth, as_of=as_of, known_at=known_at,
    )  # fmt: skip
    if types is not None and page.is_whole and not all(rows.items for rows in pages):
        info.context.unmatched_add_all(NameKind.TYPE, types, "types")
    return [Connection(rows=rows, show=to_object) for rows in await entities_loaded(info, pages)]


def connections_over(
    relationships: Sequence[str], direction: Direction, kinds: Sequence[EntityKind] | None = None
) -> ManyResolver:
    """Return the batched resolver of a connection of related entities; see `related_connections`."""

    async def resolve(
        entities: Sequence[Entity],
        info: Info,
        *,
        page: PageRequest,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> list[Connection[Any]]:
        return await related_connections(
            info, entities, relationships, page, direction=direction, kinds=kinds, as_of=as_of, known_at=known_at
        )

    return resolve


def lists_over(
    relationships: Sequence[str], direction: Direction, kinds: Sequence[EntityKind] | None = None
) -> ManyResolver:
    """Return the batched resolver of a list of all that an entity leads to in one hop, which is short by nature.

    A list that is not short is an error.
    """

    async def resolve(
        entities: Sequence[Entity], info: Info, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> list[Any]:
        connections = await related_connections(
            info, entities, relationships, PageRequest(FIRST_MAX),
            direction=direction, kinds=kinds, as_of=as_of, known_at=known_at,
        )  # fmt: skip
        too_many = BadInputError(f"There are more than {FIRST_MAX}; page through `related` instead.")
        return [
            too_many if connection.rows.has_next else list(map(to_object, connection.rows.items))
            for connection in connections
        ]

    return resolve


async def entities_loaded(info: Info, pages: Sequence[Rows[UUID]]) -> list[Rows[EntityRow]]:
    """Return pages of entities for pages of their ids."""
    ids = [item for rows in pages for item in rows.items]
    entities = iter(await load_many(info.context, entities_get, ids, is_short=True))
    # None is missing: an entity is never removed.
    return [rows.of([row for _, row in zip(rows.items, entities, strict=False) if row is not None]) for rows in pages]


def names_of(values: Sequence[Any] | None) -> tuple[Any, ...] | None:
    """Return names in their composed form, other values as they are: arguments of a batch loader, which are hashed."""
    return None if values is None else tuple(text_nfc(value) if type(value) is str else value for value in values)
