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
    """A derived metric that could not be computed although its inputs have values.

    It disappears once it can be computed.

    Attributes:
        metric: Name of the derived metric.
        last_at: Last instant of event time at which it could not be computed.
        message: Why, in one sentence for a person.
    """

    metric: str
    last_at: DateTime
    message: str


async def derivation_faults(info: Info, entity_id: UUID) -> list[DerivationFault]:
    """Return the faults of an entity, by metric."""
    faults = await load(info.context, faults_of, entity_id, ids_as="entity_ids")
    return [
        DerivationFault(metric=fault.metric, last_at=DateTime(fault.last_at), message=fault.message)
        for fault in faults or ()
    ]
