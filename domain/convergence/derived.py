"""Self-check of derived points: recompute them from their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from domain.convergence.model import CheckedSpan, CheckKind, Difference
from domain.convergence.points import columns_compare
from domain.derivation.dependencies.index import DependencyIndex
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.derive import NOTHING, State, derive
from domain.derivation.formulas.inputs import ComputeRange, ranges_read, sources_of

POINTS_MAX: Final = 200_000


def derived_check(
    session: Session,
    *,
    organization_id: int,
    dependencies: DependencyIndex,
    entities: Sequence[bytes],
    span: CheckedSpan,
) -> list[Difference]:
    """Return the differences of the derived points of entities (16 bytes each) that have formulas.

    Raises LimitExceededError where more than POINTS_MAX points would have to be read.
    """
    derivations = {entity: own for entity in entities if (own := dependencies.entity_of(entity).derivation) is not None}
    sources = sources_of(session, organization_id=organization_id, derivations=derivations)
    groups: dict[int, tuple[Derivation, list[bytes]]] = {}
    for entity, derivation in derivations.items():
        groups.setdefault(id(derivation), (derivation, []))[1].append(entity)
    differences: list[Difference] = []
    for derivation, of_group in groups.values():
        ranges = [ComputeRange(entity, derivation, span.begins_us, span.ends_us, ()) for entity in of_group]
        read = ranges_read(session, organization_id=organization_id, ranges=ranges, sources=sources, limit=POINTS_MAX)
        computed = derive(
            sets=derivation.sets,
            inputs=read.inputs,
            begins_us=np.full(len(of_group), span.begins_us, dtype=np.int64),
            ends_us=np.full(len(of_group), span.ends_us, dtype=np.int64),
            states=[State()] * len(of_group),
            formula_context=dependencies.formula_context(derivation, of_group, is_recompute=True),
        ).outputs
        for metric in {**computed, **read.stored}:
            differences += columns_compare(
                CheckKind.DERIVED,
                metric,
                of_group,
                computed=computed.get(metric, NOTHING),
                stored=read.stored.get(metric, NOTHING),
            )
    return differences
