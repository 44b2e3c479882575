"""Stays: who was in the area of which space, from when to when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from domain.derivation.stays.model import Stay as StayRow
from gql.base.connections import Connection, Rows
from gql.base.context import Info
from gql.base.entities import Entity, clock, to_entity
from gql.base.loaders import load
from gql.base.related import page_load
from gql.base.scalars import DateTime
from graph.entities.queries import entities_get
from graph.paging import Page, PageRequest


@strawberry.type
class Stay:
    """A time, [entered, left), in which something was in the area of a space, as its fixes now say.

    Both are event times. Stays are computed when asked for, so late fixes and corrected links change them.

    Attributes:
        metric: Name of the derived metric that says so; its formula is inArea(...).
        entered: First fix inside. Null: it lies more than 7 days before the range asked for.
        left: First fix outside. Null: it is still inside, or was for more than 7 days after the range.
        lost: True where no fix says that it left: none came for longer than the metric's maxAge. `left` is then the
            last fix inside plus maxAge.
    """

    row: strawberry.Private[StayRow]
    metric: str
    entered: DateTime | None
    left: DateTime | None
    lost: bool

    @strawberry.field
    async def entity(self, info: Info) -> Entity | None:
        """The entity that was in the area."""
        row = await load(info.context, entities_get, self.row.entity_id)
        return None if row is None else to_entity(row)

    @strawberry.field
    async def space(self, info: Info) -> Entity | None:
        """The space whose area it is; null where no space has the external id that the formula names."""
        row = None if self.row.space_id is None else await load(info.context, entities_get, self.row.space_id)
        return None if row is None else to_entity(row)


StayConnection = Connection[Stay]


async def stay_connection(
    info: Info,
    work: Callable[..., Mapping[UUID, Page[StayRow]]],
    entity_id: UUID,
    page: PageRequest,
    *,
    from_: datetime | None,
    to: datetime | None,
) -> StayConnection:
    """Return one page of the stays that `work` lists for an entity."""
    rows: Rows[Any] = await page_load(info, work, entity_id, page, from_=from_, to=to, now=clock(info))
    return StayConnection(rows=rows, show=_to_stay)


def _to_stay(row: StayRow) -> Stay:
    return Stay(
        row=row,
        metric=row.metric,
        entered=None if row.entered is None else DateTime(row.entered),
        left=None if row.left is None else DateTime(row.left),
        lost=row.is_lost,
    )
