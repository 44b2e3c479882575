"""Faults of derived metrics: what a formula could not make a point of, and why."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.derivation.formulas.faults import faults_of
from gql.base.context import Info
from gql.base.loaders import load
from gql.base.scalars import DateTime


@strawberry.type
class DerivationFault:
    """A derived metric that has no point although its inputs have values. It goes once that is no longer so."""

    metric: str
    last_at: DateTime = strawberry.field(description="The last instant, in event time, at which it has none.")
    message: str = strawberry.field(description="Why.")


async def derivation_faults(info: Info, entity_id: UUID) -> list[DerivationFault]:
    """Return the faults of an entity, by metric."""
    found = await load(info.context, faults_of, entity_id, ids_as="entity_ids")
    return [
        DerivationFault(metric=each.metric, last_at=DateTime(each.last_at), message=each.message)
        for each in found or ()
    ]
