"""Shelves and maintenance windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

import strawberry

from domain.rules.queries import rules_get
from domain.rules.shelving.model import MaintenanceWindow as WindowRow
from domain.rules.shelving.model import Shelf as ShelfRow
from domain.rules.shelving.operations import maintenance_window_create, maintenance_window_end, shelf_create, shelf_end
from domain.rules.shelving.queries import maintenance_windows_page, shelves_page
from gql.access.principal import OPERATORS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Entity, Node, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime
from gql.errors import UserError
from gql.rules.rules import Rule, to_rule
from graph.entities.queries import entities_get
from graph.paging import PageRequest

T = TypeVar("T")
P = TypeVar("P")


@strawberry.type
class Shelf(Node):
    """A time, [from, to), in which events that open in it have no side effects: of a rule, at an entity, or both.

    Attributes:
        from_: Start in event time, inclusive.
        to: End in event time, exclusive.
        note: Why it was shelved; null: nothing was said.
        actor: Who shelved it: the subject of the token.
    """

    row: strawberry.Private[ShelfRow]
    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    note: str | None
    actor: str
    created_at: DateTime

    @strawberry.field
    async def rule(self, info: Info) -> Rule | None:
        """The rule whose events are shelved; null: events of any rule."""
        row = None if self.row.rule_id is None else await load(info.context, rules_get, self.row.rule_id)
        return None if row is None else to_rule(row)

    @strawberry.field
    async def entity(self, info: Info) -> Entity | None:
        """The entity whose events are shelved; null: events at any entity."""
        row = None if self.row.entity_id is None else await load(info.context, entities_get, self.row.entity_id)
        return None if row is None else to_entity(row)


@strawberry.type
class MaintenanceWindow(Node):
    """A time, [from, to), in which events that open in it have no side effects: below an entity, or anywhere.

    Attributes:
        from_: Start in event time, inclusive.
        to: End in event time, exclusive.
        note: What the maintenance is; null: nothing was said.
        actor: Who created it: the subject of the token.
    """

    row: strawberry.Private[WindowRow]
    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    note: str | None
    actor: str
    created_at: DateTime

    @strawberry.field
    async def under(self, info: Info) -> Entity | None:
        """The entity where it applies, with all below it when an event opens; null: anywhere."""
        row = None if self.row.under_id is None else await load(info.context, entities_get, self.row.under_id)
        return None if row is None else to_entity(row)


ShelfConnection = Connection[Shelf]


MaintenanceWindowConnection = Connection[MaintenanceWindow]


@strawberry.type
class ShelfPayload:
    """Result of a mutation of a shelf.

    Attributes:
        shelf: The shelf after the change; null if it was refused.
    """

    shelf: Shelf | None
    errors: list[UserError]


@strawberry.type
class MaintenanceWindowPayload:
    """Result of a mutation of a maintenance window.

    Attributes:
        maintenance_window: The window after the change; null if it was refused.
    """

    maintenance_window: MaintenanceWindow | None
    errors: list[UserError]


@queries
class ShelvingQuery:
    """Shelves and maintenance windows."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def shelves(self, info: Info, *, page: PageRequest) -> ShelfConnection | None:
        """All shelves, those that are over too; the one that ends last first."""
        rows = await page_read(info, shelves_page, page)
        return ShelfConnection(rows=rows, show=to_shelf)

    @query(VIEWERS, scoped=True)
    @paged()
    async def maintenance_windows(self, info: Info, *, page: PageRequest) -> MaintenanceWindowConnection | None:
        """All maintenance windows, those that are over too; the one that ends last first."""
        rows = await page_read(info, maintenance_windows_page, page)
        return MaintenanceWindowConnection(rows=rows, show=to_window)


@mutations
class ShelvingMutation:
    """Mutations of shelves and maintenance windows."""

    @mutation(OPERATORS, scoped=True)
    async def shelve_events(
        self,
        info: Info,
        to: DateTime,
        rule_id: strawberry.ID | None = None,
        entity_id: strawberry.ID | None = None,
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
        note: str | None = None,
    ) -> ShelfPayload:
        """Shelve events of a rule, at an entity, or both: those that open meanwhile have no side effects.

        It applies to events found before, too, but side effects so far stay. An event still open at the end is
        acted on then. An organization has at most 1,000 shelves that are not over.

        Args:
            to: End in event time, exclusive; at most 366 days after `from`.
            rule_id: Id of the rule. At least one of `ruleId` and `entityId` is needed.
            entity_id: Id of the entity. At least one of `ruleId` and `entityId` is needed.
            from_: Start in event time, inclusive. Default: now.
        """
        ids = {"rule_id": ("ruleId", rule_id), "entity_id": ("entityId", entity_id)}
        return await _changed(info, _shelf_payload, shelf_create, ids, begins=from_, ends=to, note=note)

    @mutation(OPERATORS, scoped=True)
    async def unshelve_events(self, info: Info, id: strawberry.ID) -> ShelfPayload:
        """End a shelf now. One that has not begun is removed.

        Args:
            id: Id of the shelf.
        """
        return await _changed(info, _shelf_payload, shelf_end, {"shelf_id": ("id", id)})

    @mutation(OPERATORS, scoped=True)
    async def create_maintenance_window(
        self,
        info: Info,
        to: DateTime,
        under_id: strawberry.ID | None = None,
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
        note: str | None = None,
    ) -> MaintenanceWindowPayload:
        """Create a maintenance window: events that open in it have no side effects.

        It applies to events found before, too, but side effects so far stay. An event still open at the end is
        acted on then. An organization has at most 10,000 maintenance windows.

        Args:
            to: End in event time, exclusive; at most 366 days after `from`.
            under_id: Id of the entity where it applies, with all below it. Default: everywhere.
            from_: Start in event time, inclusive. Default: now.
        """
        ids = {"under_id": ("underId", under_id)}
        return await _changed(info, _window_payload, maintenance_window_create, ids, begins=from_, ends=to, note=note)

    @mutation(OPERATORS, scoped=True)
    async def end_maintenance_window(self, info: Info, id: strawberry.ID) -> MaintenanceWindowPayload:
        """End a maintenance window now. One that has not begun is removed.

        Args:
            id: Id of the window.
        """
        return await _changed(info, _window_payload, maintenance_window_end, {"window_id": ("id", id)})


@converts(ShelfRow)
def to_shelf(row: ShelfRow) -> Shelf:
    """Convert a shelf to its GraphQL object."""
    return Shelf(
        id=strawberry.ID(str(row.id)),
        row=row,
        from_=DateTime(row.begins),
        to=DateTime(row.ends),
        note=row.note,
        actor=row.actor,
        created_at=DateTime(row.created_at),
    )


@converts(WindowRow)
def to_window(row: WindowRow) -> MaintenanceWindow:
    """Convert a maintenance window to its GraphQL object."""
    return MaintenanceWindow(
        id=strawberry.ID(str(row.id)),
        row=row,
        from_=DateTime(row.begins),
        to=DateTime(row.ends),
        note=row.note,
        actor=row.actor,
        created_at=DateTime(row.created_at),
    )


async def _changed(
    info: Info,
    make: Callable[[T | None, list[UserError]], P],
    operation: Callable[..., T],
    ids: Mapping[str, tuple[str, strawberry.ID | None]],
    **values: Any,
) -> P:
    """Make one change and return its payload. ids: by the operation's argument, the contract's and what was given."""

    def prepare() -> Callable[..., T]:
        named = {name: None if given is None else uuid_named(given, path) for name, (path, given) in ids.items()}
        return partial(operation, **named, **values)

    return await payload_of(info, make, prepare, under=())


def _shelf_payload(row: ShelfRow | None, errors: list[UserError]) -> ShelfPayload:
    return ShelfPayload(shelf=None if row is None else to_shelf(row), errors=errors)


def _window_payload(row: WindowRow | None, errors: list[UserError]) -> MaintenanceWindowPayload:
    return MaintenanceWindowPayload(maintenance_window=None if row is None else to_window(row), errors=errors)
