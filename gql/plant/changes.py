"""The audit trail: who changed what, when, from what to what, and why."""

from __future__ import annotations

from uuid import UUID

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.queries import nodes_get
from gql.access.principal import VIEWERS
from gql.base.connections import Connection, Rows, paged, rows_of, wants_total
from gql.base.context import Info
from gql.base.converters import converts, to_object
from gql.base.entities import Node
from gql.base.ids import uuid_named, uuids_of
from gql.base.loaders import load
from gql.base.roots import queries, query
from gql.base.scalars import JSON, DateTime
from graph.changes import Change as ChangeRow
from graph.changes import ChangeFilter as ChangeConditions
from graph.changes import changes_page
from graph.paging import PageRequest
from graph.walk.queries import below


@strawberry.type
class Change(Node):
    """An entry of the audit trail: who changed what, when and why, with the state before and after.

    Attributes:
        actor: Who made the change: the subject of the token.
        action: What was done, as a verb: created, updated, deleted, ended, corrected, retracted and the like.
        before: State before the change, as JSON; null: there was none.
        after: State after the change, as JSON; null: there is none.
        reason: Why it was done, as the caller said; null: nothing was said.
    """

    row: strawberry.Private[ChangeRow]
    recorded_at: DateTime
    actor: str
    action: str
    before: JSON | None
    after: JSON | None
    reason: str | None

    @strawberry.field
    async def subject(self, info: Info) -> Node | None:
        """The object that was changed, as it is now; null where it is no longer there."""
        node = await load(info.context, nodes_get, self.row.subject_id)
        return None if node is None else to_object(node)


ChangeConnection = Connection[Change]


@strawberry.input
class ChangeFilter:
    """Conditions on entries of the audit trail, all of which must hold. A condition left out does not matter.

    Attributes:
        subject_ids: Only changes of the objects with these ids.
        under_id: Id of an entity: only changes of it and of what is below it now.
        actors: Only changes by these actors.
        actions: Only these actions, e.g. created.
        from_: Start of the range of system time, inclusive: changes recorded from then on. Default: no start.
        to: End of the range of system time, exclusive. Default: no end.
    """

    subject_ids: list[strawberry.ID] | None = None
    under_id: strawberry.ID | None = None
    actors: list[str] | None = None
    actions: list[str] | None = None
    from_: DateTime | None = strawberry.field(name="from", default=None)
    to: DateTime | None = None


@queries
class ChangeQuery:
    """The audit trail."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def changes(self, info: Info, *, page: PageRequest, filter: ChangeFilter | None = None) -> ChangeConnection:
        """The audit trail: who changed what, the latest recorded first."""
        conditions = filter or ChangeFilter()
        under = None if conditions.under_id is None else uuid_named(conditions.under_id, "filter", "underId")
        named = None if conditions.subject_ids is None else uuids_of(conditions.subject_ids)
        count = wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[ChangeRow]:
            subjects: set[UUID] | None = named
            if under is not None:
                inside: set[UUID] = set(below(session, organization_id=organization_id, entity_ids=[under]))
                subjects = inside if named is None else named & inside
            where = ChangeConditions(
                subject_ids=subjects,
                actors=conditions.actors,
                actions=conditions.actions,
                begins=conditions.from_,
                ends=conditions.to,
            )
            entries = changes_page(session, organization_id=organization_id, where=where, page=page)
            return rows_of(entries, count=count)

        rows = await info.context.read(read)
        return ChangeConnection(rows=rows, show=to_change)


@converts(ChangeRow)
def to_change(row: ChangeRow) -> Change:
    """Convert an entry to its GraphQL object."""
    return Change(
        id=strawberry.ID(str(row.id)),
        row=row,
        recorded_at=DateTime(row.recorded_at),
        actor=row.actor,
        action=row.action,
        before=None if row.before is None else JSON(row.before),
        after=None if row.after is None else JSON(row.after),
        reason=row.reason,
    )
