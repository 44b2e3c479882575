"""Read the last point of stored series before an instant, as far back as there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import micros_of
from domain.telemetry.model.lookback import Preceding

# A text is no number: behind the last texts of a series, a number is looked for among so many points.
TEXTS_MAX: Final = 1_000

_LAST = text(
    """
    SELECT u.n - 1 AS n, l.at, l.value FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT h."timestamp" AS at, h.value FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h."timestamp" >= u.b AND h."timestamp" < u.e
        ORDER BY h."timestamp" DESC LIMIT 1
    ) l
    """
)
_LAST_NUMBER = text(
    """
    SELECT u.n - 1 AS n, l.at, l.value FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT r.at, r.value FROM (
            SELECT h."timestamp" AS at, h.value FROM telemetry_history h
            WHERE h.organization_id = :organization_id AND h.series_id = u.s
                AND h."timestamp" >= u.b AND h."timestamp" < u.e
            ORDER BY h."timestamp" DESC LIMIT :texts_max
        ) r WHERE r.value IS NOT NULL ORDER BY r.at DESC LIMIT 1
    ) l
    """
)
# Where points are no longer kept, their hours tell the last of them: whole ones, of numbers alone.
_LAST_HOUR = text(
    """
    SELECT u.n - 1 AS n, l.hour AS at,
        CASE WHEN l.is_whole AND l.hour >= u.b AND l.hour + interval '1 hour' <= u.e THEN l.last END AS value
    FROM hours_progress p, unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT h.hour, h.is_whole, h.last FROM series_hours h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h.hour > u.b - interval '1 hour' AND h.hour < least(u.e, p.final_until)
        ORDER BY h.hour DESC LIMIT 1
    ) l
    WHERE p.organization_id = :organization_id
    """
)


@dataclass(frozen=True, slots=True)
class Lookback:
    """Points of a series within [begins_us, ends_us) are looked for, microseconds since the Unix epoch."""

    series_id: int
    begins_us: int
    ends_us: int


class LastPoint(NamedTuple):
    """The last point that was looked for, and the last number; the same where that is one.

    point: its value is NaN where it is a text. number: None where there is none, or none among 1,000 texts.
    is_known: False where points are no longer kept, and what is known of their hours does not tell the last of them.
    """

    point: Preceding | None
    number: Preceding | None
    is_known: bool = True


_NONE: Final = LastPoint(None, None)


def preceding_read(session: Session, *, organization_id: int, lookbacks: Sequence[Lookback]) -> list[LastPoint]:
    """Return the last point of each lookback. Three statements at most; each series costs an index probe a month.

    Of points that are no longer kept, the last of an hour bears the time of the hour.
    """
    answers = [_NONE] * len(lookbacks)
    texts: list[int] = []
    for n, preceding in _read(session, organization_id, lookbacks, range(len(lookbacks)), _LAST):
        is_number = not np.isnan(preceding.value)
        answers[n] = LastPoint(preceding, preceding if is_number else None)
        if not is_number:
            texts.append(n)
    for n, preceding in _read(session, organization_id, lookbacks, texts, _LAST_NUMBER, texts_max=TEXTS_MAX):
        answers[n] = answers[n]._replace(number=preceding)
    unknown = [n for n, answer in enumerate(answers) if answer.number is None]
    for n, preceding in _read(session, organization_id, lookbacks, unknown, _LAST_HOUR):
        number = None if np.isnan(preceding.value) else preceding
        answers[n] = LastPoint(answers[n].point or number, number, is_known=number is not None)
    return answers


def _read(
    session: Session,
    organization_id: int,
    lookbacks: Sequence[Lookback],
    places: Sequence[int],
    statement: TextClause,
    **more: int,
) -> list[tuple[int, Preceding]]:
    if not places:
        return []
    arrays_enable(session)
    rows = session.execute(
        statement,
        {
            "organization_id": organization_id,
            "series": bigint_array([lookbacks[n].series_id for n in places]),
            "begins": instant_array([lookbacks[n].begins_us for n in places]),
            "ends": instant_array([lookbacks[n].ends_us for n in places]),
            **more,
        },
    ).all()
    return [
        (places[row.n], Preceding(micros_of(row.at), np.nan if row.value is None else float(row.value))) for row in rows
    ]
