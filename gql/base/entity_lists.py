"""Lists of entities: their filter, and the resolver that they share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET

from domain.nodes.filters.model import AttributeCondition as Attribute
from domain.nodes.filters.model import AttributeOperator, ListFilter
from domain.nodes.filters.model import LatestCondition as Latest
from domain.nodes.lists import entity_list
from domain.nodes.names import NameKind
from domain.nodes.orders import ListOrder
from gql.base.connections import Connection, page_read
from gql.base.context import Info
from gql.base.entities import ConnectivityEnum, EntityKindEnum, to_entity_connection
from gql.base.ids import uuid_named, uuids_of
from gql.base.scalars import JSON, DateTime, Duration
from graph.errors import BadInputError
from graph.kinds import EntityKind
from graph.paging import PageRequest


@strawberry.input
class AttributeCondition:
    """A condition on one attribute. Exactly one comparison is given.

    Numbers are compared with numbers alone, and texts with texts: of another type, or not there, an attribute fits
    nothing but `ne` and `exists: false`.

    Attributes:
        path: Names joined by dots, e.g. 'motor.kW'; in a list, a number names an element. At most 1,000 characters.
        eq: It is this JSON value. Null: it is there, and null.
        ne: It is another JSON value, or not there.
        in_: It is one of these JSON values, at most 100.
        gt: It is a number greater than this.
        gte: It is a number greater than this, or equal.
        lt: It is a number less than this.
        lte: It is a number less than this, or equal.
        contains: It is a text with this part, without regard to case, accents and Unicode form. At most 500 characters.
        starts_with: It is a text that begins so, without regard to case, accents and Unicode form. At most 500
            characters.
        exists: True: it is there, even if null. False: it is not.
    """

    path: str
    eq: JSON | None = UNSET
    ne: JSON | None = UNSET
    in_: list[JSON] | None = strawberry.field(name="in", default=None)
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None
    contains: str | None = None
    starts_with: str | None = None
    exists: bool | None = None


@strawberry.input
class LatestCondition:
    """A condition on the latest point of a metric, as `latest` shows it.

    A device has one for each port: one has to fit. At least one comparison is given, and all hold of the same point.
    Booleans are 0 and 1.

    Attributes:
        metric: Name of the metric.
        eq: The value is this number.
        gt: The value is greater.
        gte: The value is greater or equal.
        lt: The value is less.
        lte: The value is less or equal.
        text: The value is this text.
        older_than: The point is older than this by its timestamp, or there is none. Without any other comparison.
    """

    metric: str
    eq: float | None = None
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None
    text: str | None = None
    older_than: Duration | None = None


@strawberry.input
class EntityFilter:
    """Conditions on entities, all of which must hold. One left out does not matter; an empty list matches nothing.

    At most 100 filters inside each other, 8 deep, with 100 conditions on attributes, 10 on latest points, 10 `underId`
    and 10 `groupId`, else LIMIT_EXCEEDED; the filters of groups count with those that name them. What contradicts
    itself is BAD_USER_INPUT.

    Attributes:
        types: Only entities of these types, by name. Default: of all types.
        statuses: Only entities whose status is one of these.
        search: Part of the name or the external id, without regard to case, accents and Unicode form. At most 500
            characters.
        under_id: Id of an entity: only it and what is below it (its parts, what is located in it, their devices).
        connectivity: Only devices, and only those with this connectivity.
        ids: Only these entities, at most 10,000. Ids of nothing are passed over.
        external_ids: Only entities with one of these external ids, at most 10,000.
        profile_id: Only assets that use this profile. NOT_FOUND if there is none.
        group_id: Only members of this group. NOT_FOUND if there is none.
        attributes: Only entities whose attributes meet all of these conditions.
        latest: Only entities whose latest points meet all of these conditions.
        health_below: Only assets whose `healthScore` is less. Health is compared among 20,000 assets with a profile
            that meet the rest of the outermost filter, else LIMIT_EXCEEDED.
        health_above: Only assets whose `healthScore` is greater.
        is_linked: Only devices and assets. True: those that a link connects now, an asset with a device, a device with
            whatever it monitors or controls. False: the others.
        has_open_events: True: only entities with an event that is OPEN or ACKNOWLEDGED. False: only those without.
        created_from: Only entities created then or later (system time).
        created_to: Only entities created before.
        updated_from: Only entities last changed then or later (system time).
        updated_to: Only entities last changed before.
        deleted: The deleted ones instead of the others; `restoreEntity` restores them. Of the outermost filter alone.
        and_: Only entities that meet all of these filters, too.
        or_: Only entities that meet at least one of these filters, too.
        not_: Only entities that do not meet this filter.
    """

    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None
    statuses: list[str] | None = None
    search: str | None = None
    under_id: strawberry.ID | None = None
    connectivity: ConnectivityEnum | None = None  # type: ignore[valid-type]
    ids: list[strawberry.ID] | None = None
    external_ids: list[str] | None = None
    profile_id: strawberry.ID | None = None
    group_id: strawberry.ID | None = None
    attributes: list[AttributeCondition] | None = None
    latest: list[LatestCondition] | None = None
    health_below: float | None = None
    health_above: float | None = None
    is_linked: bool | None = None
    has_open_events: bool | None = None
    created_from: DateTime | None = None
    created_to: DateTime | None = None
    updated_from: DateTime | None = None
    updated_to: DateTime | None = None
    deleted: bool = False
    and_: list[EntityFilter] | None = strawberry.field(name="and", default=None)
    or_: list[EntityFilter] | None = strawberry.field(name="or", default=None)
    not_: EntityFilter | None = strawberry.field(name="not", default=None)


def list_filter_of(
    filter_: EntityFilter | None, kind: EntityKind | None = None, *, path: Sequence[str] = ("filter",)
) -> ListFilter:
    """Return the core's filter for the schema's, of one kind or of all. path: of the argument.

    Raises BadInputError, NotFoundError for the id of nothing.
    """
    given = filter_ or EntityFilter()
    kinds = given.kinds
    if kind is not None:
        kinds = [kind] if kinds is None or kind in kinds else []
    inner = {
        name: None
        if filters is None
        else [list_filter_of(one, path=(*path, name, str(n))) for n, one in enumerate(filters)]
        for name, filters in (("and", given.and_), ("or", given.or_))
    }
    return ListFilter(
        kinds=kinds,
        types=given.types,
        statuses=given.statuses,
        search=given.search,
        under_id=None if given.under_id is None else uuid_named(given.under_id, *path, "underId"),
        connectivity=given.connectivity,
        ids=None if given.ids is None else uuids_of(given.ids),
        external_ids=given.external_ids,
        profile_id=None if given.profile_id is None else uuid_named(given.profile_id, *path, "profileId"),
        group_id=None if given.group_id is None else uuid_named(given.group_id, *path, "groupId"),
        attributes=None
        if given.attributes is None
        else [_attribute(one, (*path, "attributes", str(n))) for n, one in enumerate(given.attributes)],
        latest=None if given.latest is None else [_latest(one) for one in given.latest],
        health_below=given.health_below,
        health_above=given.health_above,
        is_linked=given.is_linked,
        has_open_events=given.has_open_events,
        created_from=given.created_from,
        created_to=given.created_to,
        updated_from=given.updated_from,
        updated_to=given.updated_to,
        is_deleted=given.deleted,
        every=inner["and"],
        any_of=inner["or"],
        none_of=None if given.not_ is None else list_filter_of(given.not_, path=(*path, "not")),
    )


async def entity_connection(
    info: Info,
    filter_: EntityFilter | None,
    order: ListOrder | None,
    page: PageRequest,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
    kind: EntityKind | None = None,
) -> Connection[Any]:
    """Return one page of a list of entities, of one kind or of all."""
    where = list_filter_of(filter_, kind)
    services = info.context.services
    rows = await page_read(
        info, entity_list, page,
        where=where, order=order or ListOrder.NAME_ASC, now=services.clock(), offline_after=services.offline_after,
        as_of=as_of, known_at=known_at,
    )  # fmt: skip
    if not rows.items and page.is_whole and filter_ is not None:
        info.context.unmatched_add_all(NameKind.TYPE, filter_.types, "filter", "types")
        info.context.unmatched_add_all(NameKind.STATUS, filter_.statuses, "filter", "statuses")
    return to_entity_connection(rows)


def _attribute(given: AttributeCondition, path: tuple[str, ...]) -> Attribute:
    comparisons = {
        AttributeOperator.EQ: given.eq,
        AttributeOperator.NE: given.ne,
        **{
            operator: UNSET if value is None else value
            for operator, value in (
                (AttributeOperator.IN, given.in_),
                (AttributeOperator.GT, given.gt),
                (AttributeOperator.GTE, given.gte),
                (AttributeOperator.LT, given.lt),
                (AttributeOperator.LTE, given.lte),
                (AttributeOperator.CONTAINS, given.contains),
                (AttributeOperator.STARTS_WITH, given.starts_with),
                (AttributeOperator.EXISTS, given.exists),
            )
        },
    }
    operators = [operator for operator, value in comparisons.items() if value is not UNSET]
    if len(operators) != 1:
        how_many = "none is given" if not operators else f"{len(operators)} are given"
        names = ", ".join(AttributeOperator)
        raise BadInputError(f"Give exactly one of {names}; {how_many}.", path=path)
    return Attribute(path=given.path, operator=operators[0], value=comparisons[operators[0]])


def _latest(given: LatestCondition) -> Latest:
    return Latest(
        metric=given.metric,
        eq=given.eq,
        gt=given.gt,
        gte=given.gte,
        lt=given.lt,
        lte=given.lte,
        text=given.text,
        older_than=None if given.older_than is None else given.older_than.exact(),
    )
