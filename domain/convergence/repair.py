"""Mark what was found to be wrong as dirty, so that it is recomputed, as after a late reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.convergence.model import FoundDifference, Of
from domain.convergence.tables import convergence_differences
from domain.derivation.health.invalidate import health_mark
from domain.derivation.health.read import plans_get
from domain.derivation.invalidation.windows import windows_note
from domain.derivation.rollups.invalidate import Marks, buckets_mark, marks_note, topology_get
from domain.derivation.rollups.topology import RollupCache
from graph.sql import any_of

REPAIR = "repair"

# A state that is wrong, or was found wrong by what came of it, must not be gone on from.
_STATES_FORGET = text(
    """
    DELETE FROM rule_states WHERE organization_id = :organization_id AND entity_id = :entity_id AND rule_id = :rule_id
        AND key = :key AND at > :since
    """
)
_TALLIES_FORGET = text("DELETE FROM rollup_tallies WHERE organization_id = :organization_id AND begins = :begins")


def differences_repair(
    session: Session, *, organization_id: int, found: Sequence[FoundDifference], now: datetime
) -> None:
    """Mark all that these differences are about to be derived anew, and note that it was."""
    judged = [each for each in found if each.of in {Of.EVENTS, Of.STATES}]
    for each in judged:
        rule_id, _, port = each.subject.partition(":")
        values = {"entity_id": each.entity_id, "rule_id": UUID(rule_id), "key": port, "since": each.since}
        session.execute(_STATES_FORGET, {"organization_id": organization_id, **values})
    derived = [each for each in found if each.of is Of.DERIVED]
    windows_note(session, organization_id=organization_id, touched=_spans([*judged, *derived]), reason=REPAIR)
    _rollups_mark(session, organization_id, [each for each in found if each.of is Of.ROLLUPS])
    scored = [each for each in found if each.of is Of.HEALTH]
    if scored:
        plans = plans_get(session, organization_id=organization_id, ids={each.entity_id for each in scored})
        health_mark(
            session,
            organization_id=organization_id,
            touched={entity: [(first, last + 1)] for entity, (first, last) in _spans(scored).items()},
            plans={asset_id.bytes: plan for asset_id, plan in plans.items()},
        )
    table = convergence_differences.c
    session.execute(
        update(convergence_differences)
        .where(
            table.organization_id == organization_id,
            table.repaired_at.is_(None),
            any_of(table.entity_id, {each.entity_id for each in found}),
        )
        .values(repaired_at=now)
    )


def _spans(found: Iterable[FoundDifference]) -> dict[bytes, tuple[int, int]]:
    spans: dict[bytes, tuple[int, int]] = {}
    for each in found:
        since, at = micros_of(each.since), micros_of(each.at)
        first, last = spans.get(each.entity_id.bytes, (since, at))
        spans[each.entity_id.bytes] = (min(first, since), max(last, at))
    return spans


def _rollups_mark(session: Session, organization_id: int, found: Sequence[FoundDifference]) -> None:
    if not found:
        return
    known = topology_get(session, organization_id=organization_id, cache=RollupCache())
    marks: Marks = {}
    for each in found:
        at = micros_of(each.at)
        session.execute(_TALLIES_FORGET, {"organization_id": organization_id, "begins": each.at})
        for what, rollup in known.rollups.items():
            if rollup.draft.metric == each.subject and not rollup.is_deleted:
                marks_note(marks, each.entity_id.bytes, what, known.grids[what].touched(at, at + 1))
    buckets_mark(session, organization_id=organization_id, marks=marks)
