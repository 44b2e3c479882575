"""Suppression: until when side effects of events wait, because a shelf or a maintenance window covers them.

It is a function of the shelves, the maintenance windows and the current graph, by event time: whether a window
was set before or after an event was found makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.packed import instant_of, micros_of
from graph.ids import EntityId
from graph.walk.spans import BELOW, Spans, spans_above, spans_within

# Of which rule, at which entity, and an instant: microseconds of event time.
SuppressionKey = tuple[UUID, UUID, int]

_LAST_US = 253_370_764_800_000_000
_READ = text(
    """
    SELECT rule_id, entity_id, NULL::uuid AS under_id, begins, ends FROM shelves
    WHERE organization_id = :organization_id AND ends > :first AND begins <= :last
    UNION ALL
    SELECT NULL, NULL, under_id, begins, ends FROM maintenance_windows
    WHERE organization_id = :organization_id AND ends > :first AND begins <= :last
    """
)


@dataclass(frozen=True, slots=True)
class SuppressionSpan:
    """A shelf or a maintenance window: [begins_us, ends_us) of a rule, at an entity, below one; None: of any."""

    rule_id: UUID | None
    entity_id: UUID | None
    under_id: UUID | None
    begins_us: int
    ends_us: int


def suppressed_until(session: Session, *, organization_id: int, spots: Sequence[SuppressionKey]) -> list[int | None]:
    """Return, for each (rule, entity, instant), the end of the suppression it falls into; None: it falls into none.

    Spans that meet or overlap are one suppression. One statement, more where something is below or one is long.
    """
    if not spots:
        return []
    first, last = min(at for _, _, at in spots), max(at for _, _, at in spots)
    while True:
        suppressions = _suppressions_read(session, organization_id, first, last)
        if not suppressions:
            return [None] * len(spots)
        above: Mapping[EntityId, Mapping[EntityId, Spans]] = {}
        if any(suppression.under_id is not None for suppression in suppressions):
            ids = {entity_id for _, entity_id, _ in spots}
            above = spans_above(session, organization_id=organization_id, ids=ids, hops=BELOW)
        ends = _ends(spots, suppressions, above)
        reached = max((at for at in ends if at is not None), default=last)
        if reached <= last:
            return ends
        # What was read ends there: more may follow on. In strides that grow, for windows may be many and short.
        last = min(_LAST_US, reached + (reached - first))


def suppression_end(spans: Spans, at_us: int) -> int | None:
    """Return the end of the suppression around an instant; None: there is none. spans: ascending by their begins."""
    end = at_us
    for begins, ends in spans:
        if begins > end:
            break
        end = max(end, ends)
    return None if end == at_us else end


def _ends(
    spots: Sequence[SuppressionKey],
    suppressions: Sequence[SuppressionSpan],
    above: Mapping[EntityId, Mapping[EntityId, Spans]],
) -> list[int | None]:
    spans: dict[tuple[UUID, UUID], Spans] = {}
    for rule_id, entity_id, _ in spots:
        if (rule_id, entity_id) not in spans:
            within = above.get(EntityId(entity_id), {})
            spans[rule_id, entity_id] = sorted(
                span for suppression in suppressions for span in _spans_of(suppression, rule_id, entity_id, within)
            )
    return [suppression_end(spans[rule_id, entity_id], at) for rule_id, entity_id, at in spots]


def _spans_of(suppression: SuppressionSpan, rule_id: UUID, entity_id: UUID, above: Mapping[EntityId, Spans]) -> Spans:
    if suppression.rule_id not in {None, rule_id} or suppression.entity_id not in {None, entity_id}:
        return []
    if suppression.under_id is None:
        return [(suppression.begins_us, suppression.ends_us)]
    return spans_within(above.get(EntityId(suppression.under_id), []), suppression.begins_us, suppression.ends_us)


def _suppressions_read(session: Session, organization_id: int, first_us: int, last_us: int) -> list[SuppressionSpan]:
    values = {"organization_id": organization_id, "first": instant_of(first_us), "last": instant_of(last_us)}
    return [
        SuppressionSpan(row.rule_id, row.entity_id, row.under_id, micros_of(row.begins), micros_of(row.ends))
        for row in session.execute(_READ, values)
    ]
