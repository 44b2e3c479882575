"""Change or delete all entities that fit a filter, in one change, with a number of statements that hardly grows.

An entity that cannot be changed is refused alone and stays as it is; the others are changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from domain.base.bulk import ERRORS_MAX, BulkResult
from domain.definitions.profiles.queries import profile_get
from domain.nodes.filters.conditions import entity_filter
from domain.nodes.filters.model import ListFilter, selects
from domain.nodes.operations import KIND_SPECS
from domain.nodes.parents import PARENT_RELATIONSHIPS, parents_set
from domain.plant.assets.model import ASSET
from domain.plant.entity_kind import details_get, details_named
from domain.work.activities.operations import activity_update
from graph.absent import ABSENT, Absent
from graph.change import GraphChange
from graph.edges.errors import KindNotAllowedError
from graph.entities.bulk import EntityUpdate, entities_delete, entities_update
from graph.entities.model import Entity, EntityPatch
from graph.entities.pages import entity_conditions
from graph.entities.queries import entities_get, entity_get
from graph.entities.rules import patch_values
from graph.errors import ArgusError, BadInputError, LimitExceededError
from graph.json_bounds import json_object_check
from graph.json_merge import json_merged
from graph.kinds import EntityKind
from graph.sql import any_of
from graph.tables import entities

ENTITIES_MAX: Final = 10_000
# Their status is a transition of its own each, with its own checks.
ACTIVITIES_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPatch:
    """What becomes of each entity; ABSENT stays. attributes: merged (RFC 7396). None empties all but status.

    parent_id: the asset or the space that it is a part of from the change on, alone; None: it is a part of none.
    """

    type: str | Absent | None = ABSENT
    status: str | Absent = ABSENT
    attributes: Mapping[str, Any] | Absent = ABSENT
    location: Mapping[str, Any] | Absent | None = ABSENT
    parent_id: UUID | Absent | None = ABSENT
    profile_id: UUID | Absent | None = ABSENT


@dataclass(slots=True)
class _Selection:
    """The entities that fit, with what their kinds have besides, by column; and why some were refused."""

    entities: Sequence[Entity]
    details: Mapping[UUID, Mapping[str, Any]]
    refused: dict[UUID, ArgusError] = field(default_factory=dict)

    @property
    def remaining(self) -> list[Entity]:
        return [entity for entity in self.entities if entity.id not in self.refused]

    def named(self, entity: Entity, **changed: Any) -> dict[str, Any]:
        """Return the details of an entity as the audit trail has them. changed: by column, of those that it has."""
        return details_named(KIND_SPECS[entity.kind], {**self.details.get(entity.id, {}), **changed})

    def result(self, changed: Collection[UUID]) -> BulkResult:
        errors = [_at(error, entity_id) for entity_id, error in self.refused.items()]
        return BulkResult(len(self.entities), len(changed), errors[:ERRORS_MAX])


def entities_patch(
    session: Session,
    *,
    change: GraphChange,
    where: ListFilter,
    patch: BulkPatch,
    now: datetime,
    offline_after: timedelta,
) -> BulkResult:
    """Change the entities that fit. now, offline_after: see `entity_filter`.

    Refused alone are entities of a kind that has no profile or no such parent, whose attributes would be too large,
    that would be above themselves, and activities whose status may not become that one.
    Raises BadInputError for a filter that selects everything or deleted ones, or an empty patch; NotFoundError,
    LimitExceededError for more than ENTITIES_MAX, or ACTIVITIES_MAX activities that get a status.
    """
    with _under("patch"):
        columns = _columns(patch)
        parent = _parent(session, change, patch)
        if isinstance(patch.profile_id, UUID):
            profile_get(session, organization_id=change.organization_id, profile_id=patch.profile_id, path="profileId")
    selection = _select(session, change, where, now=now, offline_after=offline_after)
    _kinds_check(selection, patch, parent)
    attributes = _merged(selection, patch)
    changed: set[UUID] = set()
    if not isinstance(patch.parent_id, Absent):
        moved, refused = parents_set(session, change=change, children=selection.remaining, parent_id=patch.parent_id)
        selection.refused |= refused
        changed |= moved
    changed |= _activities_move(session, change, selection, patch, attributes)
    updates = [
        EntityUpdate(
            before=entity,
            columns={**columns, **({"attributes": attributes[entity.id]} if entity.id in attributes else {})},
            details_before=selection.named(entity),
            details_after=selection.named(entity, **_profile(patch)),
        )
        for entity in selection.remaining
        if not _is_moved(entity, patch)
    ]
    changed |= entities_update(session, change=change, updates=updates)
    if not isinstance(patch.profile_id, Absent):
        session.execute(
            update(ASSET.table)
            .where(
                ASSET.table.c.organization_id == change.organization_id,
                any_of(ASSET.table.c.id, [item.before.id for item in updates]),
                ASSET.table.c.profile_id.is_distinct_from(patch.profile_id),
            )
            .values(profile_id=patch.profile_id)
        )
    return selection.result(changed)


def entities_remove(
    session: Session, *, change: GraphChange, where: ListFilter, now: datetime, offline_after: timedelta
) -> BulkResult:
    """Delete the entities that fit, each as `entity_delete` does. now, offline_after: see `entity_filter`.

    Raises BadInputError for a filter that selects everything or deleted ones, NotFoundError, LimitExceededError for
    more than ENTITIES_MAX.
    """
    selection = _select(session, change, where, now=now, offline_after=offline_after)
    deleted = [(entity, selection.named(entity)) for entity in selection.entities]
    selection.refused |= entities_delete(session, change=change, deleted=deleted)
    return selection.result([entity.id for entity in selection.remaining])


def _select(
    session: Session, change: GraphChange, where: ListFilter, *, now: datetime, offline_after: timedelta
) -> _Selection:
    if where.is_deleted:
        raise BadInputError("What is deleted is restored first, and changed then.", path=("filter", "deleted"))
    if not selects(where):
        message = "Give a condition of the filter: without any it means all entities."
        raise BadInputError(message, path=("filter",))
    organization_id = change.organization_id
    filter_ = entity_filter(session, organization_id=organization_id, where=where, now=now, offline_after=offline_after)
    conditions = entity_conditions(organization_id, filter_)
    ids = session.scalars(
        select(entities.c.id).where(*conditions).order_by(entities.c.id).limit(ENTITIES_MAX + 1)
    ).all()
    if len(ids) > ENTITIES_MAX:
        matched = session.execute(select(func.count()).select_from(entities).where(*conditions)).scalar_one()
        message = f"The filter selects {matched} entities; at most {ENTITIES_MAX} are changed at once."
        raise LimitExceededError(message, path=("filter",))
    chosen = entities_get(session, organization_id=organization_id, ids=ids)
    by_kind: dict[EntityKind, list[UUID]] = defaultdict(list)
    for entity in chosen.values():
        by_kind[entity.kind].append(entity.id)
    details: dict[UUID, Mapping[str, Any]] = {}
    for kind, of_kind in by_kind.items():
        columns = details_get(session, organization_id=organization_id, spec=KIND_SPECS[kind], ids=of_kind)
        details.update({entity_id: columns[entity_id] for entity_id in columns})
    return _Selection([chosen[entity_id] for entity_id in ids], details)


def _columns(patch: BulkPatch) -> dict[str, Any]:
    """Return the columns that become the same for all, but for attributes, which are checked."""
    if patch == BulkPatch():
        raise BadInputError("Give something to change.")
    if not isinstance(patch.attributes, Absent):
        json_object_check(patch.attributes, path=("attributes",))
    return patch_values(EntityPatch(type=patch.type, status=patch.status, location=patch.location))


def _parent(session: Session, change: GraphChange, patch: BulkPatch) -> Entity | None:
    if not isinstance(patch.parent_id, UUID):
        return None
    path = ("parentId",)
    parent = entity_get(session, organization_id=change.organization_id, entity_id=patch.parent_id, path=path)
    if parent.kind not in PARENT_RELATIONSHIPS:
        raise KindNotAllowedError("A parent is an asset or a space.", path=path)
    return parent


def _kinds_check(selection: _Selection, patch: BulkPatch, parent: Entity | None) -> None:
    """Refuse entities whose kind has no profile, or no such parent."""
    has_parent, has_profile = (not isinstance(value, Absent) for value in (patch.parent_id, patch.profile_id))
    for entity in selection.entities:
        name = f"{entity.name!r} is of the kind {entity.kind}"
        if has_profile and entity.kind is not EntityKind.ASSET:
            selection.refused[entity.id] = KindNotAllowedError(f"{name}; only assets use a profile.")
        elif has_parent and entity.kind not in PARENT_RELATIONSHIPS:
            selection.refused[entity.id] = KindNotAllowedError(f"{name}; only assets and spaces are parts of others.")
        elif parent is not None and entity.kind is not parent.kind:
            selection.refused[entity.id] = KindNotAllowedError(f"{name}, and so is no part of one of {parent.kind}.")


def _merged(selection: _Selection, patch: BulkPatch) -> dict[UUID, dict[str, Any]]:
    """Return the attributes that each entity gets; refuse those that would have too many."""
    merged: dict[UUID, dict[str, Any]] = {}
    if isinstance(patch.attributes, Absent):
        return merged
    for entity in selection.remaining:
        try:
            merged[entity.id] = json_object_check(
                json_merged(entity.attributes, patch.attributes), path=("attributes",)
            )
        except ArgusError as error:
            selection.refused[entity.id] = error
    return merged


def _activities_move(
    session: Session,
    change: GraphChange,
    selection: _Selection,
    patch: BulkPatch,
    attributes: Mapping[UUID, Mapping[str, Any]],
) -> set[UUID]:
    """Change the activities that get a status, one by one; return those that became other than they were."""
    moved = [entity for entity in selection.remaining if _is_moved(entity, patch)]
    if len(moved) > ACTIVITIES_MAX:
        message = f"The filter selects {len(moved)} activities; at most {ACTIVITIES_MAX} are given a status at once."
        raise LimitExceededError(message, path=("filter",))
    changed: set[UUID] = set()
    for entity in moved:
        own = EntityPatch(
            type=patch.type,
            status=patch.status,
            attributes=attributes.get(entity.id, ABSENT),
            location=patch.location,
        )
        try:
            after = activity_update(session, change=change, activity_id=entity.id, patch=own)
        except ArgusError as error:
            selection.refused[entity.id] = error
            continue
        if after.updated_at == change.recorded:
            changed.add(entity.id)
    return changed


def _is_moved(entity: Entity, patch: BulkPatch) -> bool:
    return entity.kind is EntityKind.ACTIVITY and not isinstance(patch.status, Absent)


def _profile(patch: BulkPatch) -> dict[str, Any]:
    return {} if isinstance(patch.profile_id, Absent) else {"profile_id": patch.profile_id}


def _at(error: ArgusError, entity_id: UUID) -> ArgusError:
    error.path = ("filter", str(entity_id), *error.path)
    return error


@contextmanager
def _under(name: str) -> Iterator[None]:
    try:
        yield
    except ArgusError as error:
        error.path = (name, *error.path)
        raise
