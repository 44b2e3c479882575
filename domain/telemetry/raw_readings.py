"""Readings as they were received, with what became of each: pages by device, the newest receipt first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.packed import instant_of, micros_of
from domain.telemetry.dead_letters.model import DeadLetter
from domain.telemetry.dead_letters.queries import dead_letters_of_readings
from graph.paging import CursorKey, Page, PageRequest, cursor_foreign, page_of_read

_LIST: Final = "rawReadings"
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)
# How far from where a page begins its readings are looked for: in the first of these, then in the next.
_REACHES: Final = (timedelta(days=1), timedelta(days=16), None)
_RAW_ID_BITS: Final = 62
_RAW_ID_MAX: Final = (1 << _RAW_ID_BITS) - 1
_VERSION: Final = 8

# Those of one device have no index by time of receipt: what is read of a day is what the device sent on it.
_READ: Final = """
    SELECT u.device_id, r.id, r.received_at, r."timestamp", r.port, r.metrics
    FROM unnest(CAST(:devices AS uuid[]), CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[]))
        AS u (device_id, begins, ends)
    CROSS JOIN LATERAL (
        SELECT t.id, t.received_at, t."timestamp", t.port, t.metrics FROM telemetry_raw t
        WHERE t.organization_id = :organization_id AND t.device_id = u.device_id
            AND t.received_at >= u.begins AND t.received_at < u.ends AND {between}
        ORDER BY t.received_at {direction}, t.id {direction} LIMIT :limit
    ) r
    ORDER BY u.device_id, r.received_at {direction}, r.id {direction}
"""
_GET: Final = text(
    """
    SELECT r.device_id, r.id, r.received_at, r."timestamp", r.port, r.metrics
    FROM unnest(CAST(:ids AS bigint[]), CAST(:received AS timestamptz[])) AS u (id, received_at)
    JOIN telemetry_raw r ON r.organization_id = :organization_id AND r.id = u.id AND r.received_at = u.received_at
    """
)
_STARTS: Final = text(
    """
    SELECT e.id, e.created_at, p.last_seen_at FROM entities e
    LEFT JOIN device_presence p ON p.organization_id = e.organization_id AND p.device_id = e.id
    WHERE e.organization_id = :organization_id AND e.id = ANY (CAST(:ids AS uuid[]))
    """
)
_OUTCOMES: Final = text(
    "SELECT o.id, o.transport, o.outcome"
    " FROM readings_outcome(:organization_id, CAST(:ids AS bigint[]), CAST(:received AS timestamptz[])) o"
)
_TOTALS: Final = text(
    "SELECT device_id, count(*) AS readings FROM telemetry_raw"
    " WHERE organization_id = :organization_id AND device_id = ANY (CAST(:ids AS uuid[])) GROUP BY device_id"
)


class Outcome(StrEnum):
    """What became of a reading, in the words of the ingest accounting (`domain/telemetry/ingest/accounting.py`)."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    DEAD = "dead"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class RawReading:
    """A reading as it was received. payload: its metrics. All times are UTC."""

    raw_id: int
    device_id: UUID
    received_at: datetime
    timestamp: datetime
    port: int | None
    transport: str
    payload: Any
    outcome: Outcome

    @property
    def id(self) -> UUID:
        """Its id among all nodes, which has where it is in the raw log."""
        return _id_of(micros_of(self.received_at), self.raw_id)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The keys between which a page lies, both exclusive: (time of receipt, raw id). None: no bound on that side."""

    older: tuple[datetime, int] | None
    newer: tuple[datetime, int] | None

    def sql(self) -> str:
        conditions = [
            f"(t.received_at, t.id) {sign} (CAST(:{name}_at AS timestamptz), CAST(:{name}_id AS bigint))"
            for name, sign, key in (("older", ">", self.older), ("newer", "<", self.newer))
            if key is not None
        ]
        return " AND ".join(conditions) or "true"

    @property
    def begins(self) -> datetime:
        """The instant of receipt from which a page may have readings."""
        return _FIRST if self.older is None else self.older[0]

    @property
    def ends(self) -> datetime:
        """The instant of receipt before which a page may have readings."""
        return _LAST if self.newer is None else self.newer[0] + _INSTANT

    def values(self) -> dict[str, Any]:
        named = (("older", self.older), ("newer", self.newer))
        return {
            f"{name}_{part}": value
            for name, key in named
            if key is not None
            for part, value in zip(("at", "id"), key, strict=True)
        }


def raw_readings_pages(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], page: PageRequest
) -> Mapping[UUID, Page[RawReading]]:
    """Return one page of the readings of each of these devices, the last received first; of a deleted one, too.

    Five statements at most for any number of devices, and one for all totals. What is read of a device is at least what
    it sent on one day. Raises BadInputError for a cursor of another list.
    """
    bounds = _Bounds(older=_key_read(page.before, "before"), newer=_key_read(page.after, "after"))
    rows = _rows_read(session, organization_id, list(dict.fromkeys(entity_ids)), page, bounds)
    readings = _with_outcomes(session, organization_id, [row for of_one in rows.values() for row in of_one])
    by_device: dict[UUID, list[RawReading]] = {device_id: [] for device_id in rows}
    for reading in readings:
        by_device[reading.device_id].append(reading)

    @cache
    def totals() -> Mapping[UUID, int]:
        counted = session.execute(_TOTALS, {"organization_id": organization_id, "ids": list(rows)})
        return {row.device_id: row.readings for row in counted}

    def total_of(device_id: UUID) -> Callable[[], int]:
        return lambda: totals().get(device_id, 0)

    return {
        device_id: page_of_read(of_one, page, key=_key, total=total_of(device_id))
        for device_id, of_one in by_device.items()
    }


def raw_readings_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, RawReading]:
    """Return the readings of these ids of nodes; one that does not exist is left out. At most two statements."""
    places = [place for node_id in ids if (place := _place_of(node_id)) is not None]
    if not places:
        return {}
    rows = session.execute(
        _GET,
        {
            "organization_id": organization_id,
            "ids": [raw_id for _, raw_id in places],
            "received": [received_at for received_at, _ in places],
        },
    )
    return {reading.id: reading for reading in _with_outcomes(session, organization_id, rows.all())}


def dead_letters_of(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> Mapping[UUID, Sequence[DeadLetter]]:
    """Return the dead letters of the readings of these ids of nodes, in every state. One statement."""
    raw_ids = {node_id: node_id.int & _RAW_ID_MAX for node_id in ids}
    by_reading = dead_letters_of_readings(session, organization_id=organization_id, raw_ids=list(raw_ids.values()))
    return {node_id: by_reading.get(raw_id, []) for node_id, raw_id in raw_ids.items()}


def _rows_read(
    session: Session, organization_id: int, device_ids: Sequence[UUID], page: PageRequest, bounds: _Bounds
) -> dict[UUID, list[Any]]:
    """Return the rows of a page and one more of each device, in the direction of the page.

    Near where the page begins first, and farther away for those devices of which there are too few: so a device that
    sends every second is read for a day, and one that was silent for long in few statements.
    """
    direction = "ASC" if page.is_backward else "DESC"
    statement = text(_READ.format(between=bounds.sql(), direction=direction))
    starts = _starts(session, organization_id, device_ids, bounds, is_backward=page.is_backward)
    rows: dict[UUID, list[Any]] = {device_id: [] for device_id in device_ids}
    # Up to where each was looked through that has too few.
    waiting = dict.fromkeys(device_ids, bounds.begins if page.is_backward else bounds.ends)
    for reach in _REACHES:
        spans = {
            device_id: _later(done, starts[device_id], reach, bounds)
            if page.is_backward
            else _earlier(done, starts[device_id], reach, bounds)
            for device_id, done in waiting.items()
        }
        values = {
            "organization_id": organization_id,
            "devices": list(spans),
            "begins": [begins for begins, _ in spans.values()],
            "ends": [ends for _, ends in spans.values()],
            "limit": page.size + 1,
        }
        for row in session.execute(statement, {**values, **bounds.values()}):
            rows[row.device_id].append(row)
        waiting = {
            device_id: ends if page.is_backward else begins
            for device_id, (begins, ends) in spans.items()
            if len(rows[device_id]) <= page.size
            and (ends < bounds.ends if page.is_backward else bounds.begins < begins)
        }
        if not waiting:
            break
    return rows


def _earlier(
    done: datetime, start: datetime | None, reach: timedelta | None, bounds: _Bounds
) -> tuple[datetime, datetime]:
    """Return the span before `done` that is to be looked through. start None: where readings are is not known."""
    if start is None or reach is None:
        return bounds.begins, done
    return max(bounds.begins, min(done, max(start, _FIRST + reach) - reach)), done


def _later(
    done: datetime, start: datetime | None, reach: timedelta | None, bounds: _Bounds
) -> tuple[datetime, datetime]:
    """Return the span from `done` on that is to be looked through; see `_earlier`."""
    if start is None or reach is None:
        return done, bounds.ends
    return done, min(bounds.ends, max(done, min(start, _LAST - reach) + reach))


def _starts(
    session: Session, organization_id: int, device_ids: Sequence[UUID], bounds: _Bounds, *, is_backward: bool
) -> Mapping[UUID, datetime | None]:
    """Return near which instant the page of each device begins.

    At the cursor; else forward at the last receipt that was noted, after which little can be; backward at the device's
    creation, before which nothing was received.
    """
    cursor = bounds.older if is_backward else bounds.newer
    if cursor is not None:
        return dict.fromkeys(device_ids, cursor[0])
    rows = session.execute(_STARTS, {"organization_id": organization_id, "ids": device_ids})
    starts = {row.id: row.created_at if is_backward else row.last_seen_at for row in rows}
    return {device_id: starts.get(device_id) for device_id in device_ids}


def _with_outcomes(session: Session, organization_id: int, rows: Sequence[Any]) -> list[RawReading]:
    """Return the readings of rows, in their order. At most one statement."""
    if not rows:
        return []
    values = {
        "organization_id": organization_id,
        "ids": [row.id for row in rows],
        "received": [row.received_at for row in rows],
    }
    outcomes = {row.id: row for row in session.execute(_OUTCOMES, values)}
    return [
        RawReading(
            row.id,
            row.device_id,
            row.received_at.astimezone(UTC),
            row.timestamp.astimezone(UTC),
            row.port,
            outcomes[row.id].transport,
            row.metrics,
            Outcome(outcomes[row.id].outcome),
        )
        for row in rows
        # What retention removes meanwhile is gone.
        if row.id in outcomes
    ]


def _key(reading: RawReading) -> CursorKey:
    return (_LIST, micros_of(reading.received_at), reading.raw_id)


def _key_read(key: CursorKey | None, path: str) -> tuple[datetime, int] | None:
    if key is None:
        return None
    match key:
        case (str(name), int(received_us), int(raw_id)) if name == _LIST:
            received_at = _instant(received_us)
            if received_at is not None and 0 <= raw_id <= _RAW_ID_MAX:
                return received_at, raw_id
    raise cursor_foreign(path)


def _id_of(received_us: int, raw_id: int) -> UUID:
    """Return a UUID of version 8, which is free to choose: of the time of receipt, 60 bits, and the raw id, 62."""
    high = (received_us >> 12) << 16 | _VERSION << 12 | received_us & 0xFFF
    return UUID(int=high << 64 | 2 << _RAW_ID_BITS | raw_id)


def _place_of(node_id: UUID) -> tuple[datetime, int] | None:
    """Return time of receipt and raw id of a reading's id; None where it is not one."""
    if node_id.version != _VERSION:
        return None
    high = node_id.int >> 64
    received_at = _instant((high >> 16) << 12 | high & 0xFFF)
    return None if received_at is None else (received_at, node_id.int & _RAW_ID_MAX)


def _instant(received_us: int) -> datetime | None:
    return instant_of(received_us) if 0 <= received_us < micros_of(_LAST) else None
