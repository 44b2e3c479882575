"""Translate the contract's EntityFilter: the one place that makes conditions on `entities` of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    false,
    func,
    not_,
    or_,
    select,
    true,
)  # fmt: skip
from sqlalchemy.orm import Session

from domain.definitions.groups.queries import members_select
from domain.definitions.profiles.queries import profiles_get
from domain.nodes.filters.attributes import attribute_condition
from domain.nodes.filters.groups import groups_resolve
from domain.nodes.filters.health import healths_of
from domain.nodes.filters.ids import any_id, own_conditions
from domain.nodes.filters.latest import latest_condition
from domain.nodes.filters.model import (
    GROUP,
    GroupMeaning,
    ListFilter,
    Path,
    filter_check,
    group_error,
    kinds_possible,
    latest_count,
    selects,
)
from domain.plant.assets.tables import assets
from domain.plant.devices.queries import connectivity_condition
from domain.rules.events.queries import entities_with_open_events
from graph.entities.model import EntityFilter
from graph.entities.pages import entity_conditions, entity_matches
from graph.entities.queries import entities_get
from graph.errors import ArgusError, BadInputError, NotFoundError
from graph.ids import EntityId
from graph.instants import Moment, moment_resolve
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from graph.tables import entities, entity_edges
from graph.walk.queries import below_among


def entity_filter(
    session: Session,
    *,
    organization_id: int,
    where: ListFilter,
    now: datetime,
    offline_after: timedelta,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> EntityFilter:
    """Return the graph's filter for the contract's. as_of: of `under_id` and `group_id`; known_at: of `under_id` alone.

    now, offline_after: a device heard within `offline_after` before `now` is online. The health of assets is computed
    here, where a condition compares it.
    Raises BadInputError, also for a dynamic group with `as_of` or `known_at`, NotFoundError for an unknown `under_id`,
    `profile_id` or `group_id`, LimitExceededError.
    """
    where = groups_resolve(session, organization_id=organization_id, where=where, as_of=as_of or known_at)
    filter_check(where)
    translation = _Translation(session, organization_id, where, now, offline_after, as_of, known_at)
    kinds = kinds_possible(where)
    also = [*translation.plain, *translation.others(where, ("filter",))]
    return EntityFilter(
        kinds=where.kinds if kinds == frozenset(EntityKind if where.kinds is None else where.kinds) else kinds,
        types=where.types,
        statuses=where.statuses,
        search=where.search,
        also=and_(*also) if also else None,
        is_costly=latest_count(where) > 0,
        is_deleted=where.is_deleted,
    )


def stored_filter_check(
    session: Session, *, organization_id: int, where: ListFilter, now: datetime, offline_after: timedelta
) -> None:
    """Refuse what could not be the filter of a dynamic group. Health is not computed.

    Raises as `entity_filter`, and BadInputError for a filter that selects everything, or deleted entities.
    """
    if where.is_deleted:
        raise BadInputError("A group has no deleted members.", path=("filter", "deleted"))
    if not selects(where):
        raise BadInputError("Give a condition of the filter: without any it means all entities.", path=("filter",))
    where = groups_resolve(session, organization_id=organization_id, where=where)
    filter_check(where)
    translation = _Translation(session, organization_id, where, now, offline_after, None, None, {}, True)
    translation.inner(where, ("filter",))


@dataclass
class _Translation:
    """The translation of one filter, with what its parts share."""

    session: Session
    organization_id: int
    where: ListFilter
    now: datetime
    offline_after: timedelta
    as_of: datetime | None
    known_at: datetime | None
    _health: Mapping[UUID, float] | None = field(default=None)
    # Whether the part that is being translated is of the filter of a group.
    _is_stored: bool = field(default=False)

    @cached_property
    def plain(self) -> list[ColumnElement[bool]]:
        """The conditions of the outermost filter that look at nothing that has to be computed first."""
        return self._plain(self.where, ("filter",))

    @cached_property
    def moment(self) -> Moment:
        """When `under_id` is looked at."""
        return moment_resolve(
            self.session, organization_id=self.organization_id, as_of=self.as_of, known_at=self.known_at
        )

    def others(self, part: ListFilter, path: Path) -> list[ColumnElement[bool]]:
        """Return the conditions of a filter on health, and those of the filters inside it."""
        conditions: list[ColumnElement[bool]] = []
        if part.health_below is not None or part.health_above is not None:
            conditions.append(self._health_between(part, path))
        inner = {place: self.inner(filter_, (*path, *place)) for place, filter_ in part.parts if place != GROUP}
        conditions += [condition for place, condition in inner.items() if place[0] == "and"]
        if part.group is not None and part.group.where is not None:
            conditions.append(self._fits(part.group, part.group.where, (*path, *GROUP)))
        if part.any_of is not None:
            conditions.append(or_(false(), *(condition for place, condition in inner.items() if place[0] == "or")))
        if part.none_of is not None:
            # Where a part compares with nothing its condition is null, which counts as false.
            conditions.append(not_(case((inner["not",], true()), else_=false())))
        return conditions

    def inner(self, part: ListFilter, path: Path) -> ColumnElement[bool]:
        """Return a filter as one condition."""
        matches = entity_matches(
            self.organization_id,
            EntityFilter(
                kinds=part.kinds,
                types=part.types,
                statuses=part.statuses,
                search=part.search,
                is_deleted=self.where.is_deleted,
            ),
            path=path,
        )
        return and_(true(), *matches, *self._plain(part, path), *self.others(part, path))

    def _fits(self, group: GroupMeaning, where: ListFilter, path: Path) -> ColumnElement[bool]:
        """Return the condition that an entity fits the filter of a dynamic group. path: of the place that names it."""
        was_stored, self._is_stored = self._is_stored, True
        try:
            return self.inner(where, path)
        except ArgusError as error:
            group_error(error, group.name, path)
            raise
        finally:
            self._is_stored = was_stored

    def _plain(self, part: ListFilter, path: Path) -> list[ColumnElement[bool]]:
        return [*own_conditions(part), *self._related(part, path), *self._measured(part, path)]

    def _related(self, part: ListFilter, path: Path) -> list[ColumnElement[bool]]:
        """Return the conditions on what an entity is connected with, and what happened to it."""
        conditions: list[ColumnElement[bool]] = []
        if part.under_id is not None:
            conditions.append(self._below(part.under_id, (*path, "underId")))
        if part.profile_id is not None:
            conditions.append(self._profile(part.profile_id, (*path, "profileId")))
        if part.group_id is not None and (part.group is None or part.group.where is None):
            members = members_select(
                organization_id=self.organization_id, group_id=part.group_id, as_of=self.moment.as_of
            )
            conditions.append(entities.c.id.in_(members))
        if part.is_linked is not None:
            conditions.append(self._linked(is_linked=part.is_linked))
        if part.has_open_events is not None:
            is_open = entities.c.id.in_(entities_with_open_events(organization_id=self.organization_id))
            conditions.append(is_open if part.has_open_events else not_(is_open))
        return conditions

    def _measured(self, part: ListFilter, path: Path) -> list[ColumnElement[bool]]:
        """Return the conditions on attributes, latest points and connectivity."""
        conditions: list[ColumnElement[bool]] = []
        if part.connectivity is not None:
            conditions.append(connectivity_condition(part.connectivity, now=self.now, offline_after=self.offline_after))
        if part.attributes == [] or part.latest == []:
            conditions.append(false())
        for n, attribute in enumerate(part.attributes or ()):
            conditions.append(attribute_condition(attribute, path=(*path, "attributes", str(n))))
        for n, latest in enumerate(part.latest or ()):
            place = (*path, "latest", str(n))
            conditions.append(
                latest_condition(self.session, latest, organization_id=self.organization_id, now=self.now, path=place)
            )
        return conditions

    def _below(self, under_id: UUID, path: Path) -> ColumnElement[bool]:
        known = entities_get(self.session, organization_id=self.organization_id, ids=[under_id]).values()
        if not known:
            raise NotFoundError(f"There is no entity {under_id}.", path=path)
        if self._is_stored:
            # Whoever names a deleted entity now knows what is asked for; a filter that was stored means what was there.
            for entity in known:
                if entity.deleted_at is not None:
                    message = f"The entity {entity.name!r}, {under_id}, below which its members lie, is deleted."
                    raise NotFoundError(message, path=path)
        below = below_among(
            self.session,
            organization_id=self.organization_id,
            entity_ids=[EntityId(under_id)],
            moment=self.moment,
        )
        return entities.c.id.in_(below)

    def _profile(self, profile_id: UUID, path: Path) -> ColumnElement[bool]:
        profile = profiles_get(self.session, organization_id=self.organization_id, ids=[profile_id]).get(profile_id)
        if profile is None:
            raise NotFoundError(f"There is no asset profile {profile_id}.", path=path)
        if self._is_stored and profile.deleted_at is not None:
            raise NotFoundError(f"The asset profile {profile.name!r}, {profile_id}, is deleted.", path=path)
        users = select(assets.c.id).where(
            assets.c.organization_id == self.organization_id, assets.c.profile_id == profile_id
        )
        return entities.c.id.in_(users)

    def _linked(self, *, is_linked: bool) -> ColumnElement[bool]:
        """Return the condition that a device, or an asset, has a link that holds now."""
        edges = entity_edges.c

        def linked(end: ColumnElement[Any], kind: ColumnElement[Any], of: EntityKind) -> ColumnElement[bool]:
            ends = select(end).where(
                edges.organization_id == self.organization_id,
                edges.relationship.in_(LINKS),
                kind == of.value,
                func.upper_inf(edges.recorded),
                edges.valid.contains(self._present),
            )
            is_of = entities.c.id.in_(ends)
            return and_(entities.c.kind == of.value, is_of if is_linked else not_(is_of))

        return or_(
            linked(edges.target_id, edges.target_kind, EntityKind.DEVICE),
            linked(edges.source_id, edges.source_kind, EntityKind.ASSET),
        )

    @cached_property
    def _present(self) -> datetime:
        return moment_resolve(self.session, organization_id=self.organization_id, as_of=None, known_at=None).as_of

    def _health_between(self, part: ListFilter, path: Path) -> ColumnElement[bool]:
        if self._health is None:
            name = "healthBelow" if part.health_below is not None else "healthAbove"
            outermost = EntityFilter(
                kinds=kinds_possible(self.where) & {EntityKind.ASSET},
                types=self.where.types,
                statuses=self.where.statuses,
                search=self.where.search,
                also=and_(*self.plain) if self.plain else None,
                is_deleted=self.where.is_deleted,
            )
            self._health = healths_of(
                self.session,
                organization_id=self.organization_id,
                conditions=entity_conditions(self.organization_id, outermost),
                now=self.now,
                path=(*path, name),
            )
        below, above = part.health_below, part.health_above
        return any_id(
            asset_id
            for asset_id, score in self._health.items()
            if (below is None or score < below) and (above is None or score > above)
        )
