"""Changes of all entities that fit a filter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.base.bulk import BulkResult
from domain.nodes.bulk import BulkPatch, entities_patch, entities_remove
from gql.access.principal import ADMINS, OPERATORS
from gql.base.bulk import BulkPayload, bulk_payload
from gql.base.context import Info
from gql.base.entity_lists import EntityFilter, list_filter_of
from gql.base.ids import uuid_named
from gql.base.mutations import absent
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, GeoJSON
from graph.change import GraphChange
from graph.errors import ArgusError, BadInputError


@strawberry.input
class EntityPatch:
    """Changes of many entities. A field left out keeps its value; null clears `type`, `location`, parent and profile.

    `status` and `attributes` cannot be null: BAD_USER_INPUT.

    Attributes:
        status: Status as text, 1 to 100 characters. An activity's is a transition like any other.
        attributes: JSON object that is merged into the attributes of each entity (RFC 7396): null takes a member away,
            an object is merged, all else replaces.
        parent_id: Id of the asset or the space that each becomes a part of, from now on and alone. Null: of none.
        profile_id: Id of the profile that each asset uses. Null: none.
    """

    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    location: GeoJSON | None = UNSET
    parent_id: strawberry.ID | None = UNSET
    profile_id: strawberry.ID | None = UNSET


class _DryRunError(Exception):
    """Rolls back a dry run, and carries its result."""

    def __init__(self, result: BulkResult) -> None:
        super().__init__()
        self.result = result


@mutations
class EntityBulkMutation:
    """Changes of all entities that fit a filter."""

    @mutation(OPERATORS, scoped=True)
    async def update_entities(
        self,
        info: Info,
        filter: EntityFilter,
        patch: EntityPatch,
        dry_run: bool = False,
        reason: str | None = None,
    ) -> BulkPayload:
        """Update all entities that fit a filter, in one transaction: at most 10,000, else LIMIT_EXCEEDED.

        An entity is refused alone, with the path ['filter', id, ...], and stays as it is: KIND_NOT_ALLOWED where its
        kind has no profile or no such parent, CYCLE, CONFLICT for an activity that may not get the status,
        LIMIT_EXCEEDED for too many attributes, FORBIDDEN where a confined caller does not see its parent. Of activities
        at most 500 are given a status at once.

        Args:
            filter: Which entities. One without any condition, and `deleted: true`, is BAD_USER_INPUT.
            patch: What becomes of each.
        """

        def prepare() -> Callable[..., BulkResult]:
            return partial(entities_patch, patch=_patch(patch))

        return await _run(info, filter, prepare, is_dry_run=dry_run, reason=reason)

    @mutation(ADMINS, scoped=True)
    async def delete_entities(
        self, info: Info, filter: EntityFilter, dry_run: bool = False, reason: str | None = None
    ) -> BulkPayload:
        """Delete all entities that fit a filter, in one transaction: at most 10,000, else LIMIT_EXCEEDED.

        Their edges end now, and what was recorded of them is kept. An entity with edges to what a confined caller does
        not see is refused alone (FORBIDDEN), with the path ['filter', id].

        Args:
            filter: Which entities. One without any condition, and `deleted: true`, is BAD_USER_INPUT.
        """
        return await _run(info, filter, lambda: entities_remove, is_dry_run=dry_run, reason=reason)


async def _run(
    info: Info,
    filter_: EntityFilter,
    prepare: Callable[[], Callable[..., BulkResult]],
    *,
    is_dry_run: bool,
    reason: str | None,
) -> BulkPayload:
    services = info.context.services
    try:
        # Before the transaction takes the organization's lock.
        where, work = list_filter_of(filter_), prepare()

        def run(session: Session, change: GraphChange) -> BulkResult:
            result = work(
                session, change=change, where=where, now=services.clock(), offline_after=services.offline_after
            )
            if is_dry_run or not result.changed:
                raise _DryRunError(result)
            return result

        return bulk_payload(await info.context.change(run, reason=reason))
    except _DryRunError as done:
        return bulk_payload(done.result)
    except ArgusError as error:
        return bulk_payload(None, error)


def _patch(given: EntityPatch) -> BulkPatch:
    for name, value in (("status", given.status), ("attributes", given.attributes)):
        if value is None:
            raise BadInputError(f"{name} cannot be null; leave it out to keep it.", path=("patch", name))
    return BulkPatch(
        type=absent(given.type),
        status=absent(given.status),
        attributes=absent(given.attributes),
        location=absent(given.location),
        parent_id=_id(given.parent_id, "parentId"),
        profile_id=_id(given.profile_id, "profileId"),
    )


def _id(value: Any, name: str) -> Any:
    return absent(value) if value is UNSET or value is None else uuid_named(value, "patch", name)
