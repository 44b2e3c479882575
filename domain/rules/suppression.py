"""Until when nothing follows from events, because they are shelved or in maintenance.

It is a function of the shelves, the maintenance windows and the graph as they stand, by event time: whether a window
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

# Of which rule, at which entity, and when it is asked: microseconds of event time.
Asked = tuple[UUID, UUID, int]

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
class Hush:
    """A shelf or a maintenance window: [begins_us, ends_us) of a rule, at an entity, below one; None: of any."""

    rule_id: UUID | None
    entity_id: UUID | None
    under_id: UUID | None
    begins_us: int
    ends_us: int


def quiet_until(session: Session, *, organization_id: int, asked: Sequence[Asked]) -> list[int | None]:
    """Tell of each (rule, entity, instant) when the quiet ends that it falls into; None: it falls into none.

    Spans that touch or overlap are one quiet. One statement, more where something is below or a quiet is long.
    """
    if not asked:
        return []
    first, last = min(at for _, _, at in asked), max(at for _, _, at in asked)
    while True:
        hushes = _hushes_read(session, organization_id, first, last)
        if not hushes:
            return [None] * len(asked)
        above: Mapping[EntityId, Mapping[EntityId, Spans]] = {}
        if any(hush.under_id is not None for hush in hushes):
            ids = {entity_id for _, entity_id, _ in asked}
            above = spans_above(session, organization_id=organization_id, ids=ids, hops=BELOW)
        found = _ends(asked, hushes, above)
        reached = max((at for at in found if at is not None), default=last)
        if reached <= last:
            return found
        # What was read ends there: more may follow on. In strides that grow, for windows may be many and short.
        last = min(_LAST_US, reached + (reached - first))


def quiet_end(spans: Spans, at_us: int) -> int | None:
    """Return the end of the quiet around an instant; None: there is none. spans: ascending by their begins."""
    end = at_us
    for begins, ends in spans:
        if begins > end:
            break
        end = max(end, ends)
    return None if end == at_us else end


def _ends(
    asked: Sequence[Asked], hushes: Sequence[Hush], above: Mapping[EntityId, Mapping[EntityId, Spans]]
) -> list[int | None]:
    spans: dict[tuple[UUID, UUID], Spans] = {}
    for rule_id, entity_id, _ in asked:
        if (rule_id, entity_id) not in spans:
            within = above.get(EntityId(entity_id), {})
            spans[rule_id, entity_id] = sorted(
                span for hush in hushes for span in _spans_of(hush, rule_id, entity_id, within)
            )
    return [quiet_end(spans[rule_id, entity_id], at) for rule_id, entity_id, at in asked]


def _spans_of(hush: Hush, rule_id: UUID, entity_id: UUID, above: Mapping[EntityId, Spans]) -> Spans:
    if hush.rule_id not in {None, rule_id} or hush.entity_id not in {None, entity_id}:
        return []
    if hush.under_id is None:
        return [(hush.begins_us, hush.ends_us)]
    return spans_within(above.get(EntityId(hush.under_id), []), hush.begins_us, hush.ends_us)


def _hushes_read(session: Session, organization_id: int, first_us: int, last_us: int) -> list[Hush]:
    values = {"organization_id": organization_id, "first": instant_of(first_us), "last": instant_of(last_us)}
    return [
        Hush(row.rule_id, row.entity_id, row.under_id, micros_of(row.begins), micros_of(row.ends))
        for row in session.execute(_READ, values)
    ]
