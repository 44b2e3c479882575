"""Reconcile stored events with recomputed ones: keep ids and annotations, withdraw events that no longer hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, text_array, uuid_array
from domain.base.packed import instant_of, micros_of
from domain.rules.model import SEVERITIES, Severity
from domain.rules.suppression import SuppressionKey, suppressed_until
from domain.rules.tables import event_changes, event_corrections, events
from domain.rules.timeline import Episode, severity_of
from domain.telemetry.model.attribution import END_US
from graph.ids import NewId

_STORED = text(
    """
    SELECT u.n - 1 AS n, e.* FROM unnest(:entities, :rules, :keys, :begins, :ends) WITH ORDINALITY
        AS u (e, r, k, b, t, n)
    JOIN events e ON e.organization_id = :organization_id AND e.entity_id = u.e AND e.rule_id = u.r AND e.key = u.k
        AND e.opened_at < u.t AND coalesce(e.cleared_at, 'infinity') >= u.b
    ORDER BY n, e.opened_at, e.id
    """
)
_UPDATE = text(
    """
    UPDATE events e SET version_id = u.version_id, began_at = u.began_at, opened_at = u.opened_at,
        cleared_at = u.cleared_at, cleared_reason = u.cleared_reason, severity = u.severity, value = u.value,
        flaps = u.flaps, suppressed_until = u.suppressed_until, withdrawn_at = u.withdrawn_at
    FROM (
        -- In the order of their ids, as who follows events locks them.
        SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, version_id uuid, began_at timestamptz,
            opened_at timestamptz, cleared_at timestamptz, cleared_reason text, severity text, value double precision,
            flaps integer, suppressed_until timestamptz, withdrawn_at timestamptz)
        JOIN events h ON h.organization_id = :organization_id AND h.id = r.id
        ORDER BY r.id FOR NO KEY UPDATE OF h
    ) u
    WHERE e.organization_id = :organization_id AND e.id = u.id
    """
)
_LAST_US = 253_370_764_800_000_000
# Fields of an event whose change is recorded as a correction.
_CORRECTED_FIELDS = ("began_at", "opened_at", "cleared_at", "cleared_reason", "value", "flaps")


@dataclass(frozen=True, slots=True)
class EvaluatedPair:
    """The episodes of one pair (entity, rule, key) over [begins_us, ends_us), by the instant they opened.

    carried: when the last event before begins_us opened, which may have changed. tail: when the last one before ends_us
    opened, where the stored timeline goes on from there unchanged: how that event ends is not in question.
    """

    key: tuple[bytes, UUID, str]
    begins_us: int
    ends_us: int
    carried: int | None
    tail: int | None
    episodes: Mapping[int, Episode]


@dataclass(frozen=True, slots=True)
class EventChange:
    """A change of an event at an event time: OPENED, CLEARED, REOPENED, CORRECTED, WITHDRAWN.

    ESCALATED and DEESCALATED: it has another severity, a higher or a lower one.
    """

    event_id: UUID
    entity: bytes
    kind: str
    at_us: int


@dataclass(frozen=True, slots=True)
class EventsDone:
    """The changes of events in a transaction; void unless it commits.

    rated: by entity, [begins_us, ends_us) of events that are otherwise severe than they were, about which no
    notification need be sent.
    """

    changes: Sequence[EventChange]
    rated: Sequence[tuple[bytes, int, int]] = ()


def events_entries(done: EventsDone) -> list[tuple[bytes, UUID]]:
    """Return the entries to publish after the commit: (entity, event) of each changed event, once each."""
    return list({change.event_id: (change.entity, change.event_id) for change in done.changes}.values())


@dataclass(slots=True)
class _Writing:
    organization_id: int
    now: datetime
    new_id: NewId
    # By rule, entity and opening: the end of the suppression that it opened in.
    suppression_ends: Mapping[SuppressionKey, int | None]
    created: list[dict[str, Any]]
    updated: list[dict[str, Any]]
    corrected: list[dict[str, Any]]
    changes: list[EventChange]
    rated: list[tuple[bytes, int, int]] = field(default_factory=list)


def events_reconcile(
    session: Session,
    *,
    organization_id: int,
    evaluated: Sequence[EvaluatedPair],
    now: datetime,
    side_effects_disabled: bool,
    new_id: NewId,
) -> EventsDone:
    """Write the differences between stored events and evaluated episodes. Two statements, and one per kind of write."""
    if not evaluated:
        return EventsDone([])
    arrays_enable(session)
    stored: list[list[Any]] = [[] for _ in evaluated]
    begins = [pair.begins_us if pair.carried is None else min(pair.carried, pair.begins_us) for pair in evaluated]
    rows = session.execute(
        _STORED,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(pair.key[0] for pair in evaluated)),
            "rules": uuid_array(b"".join(pair.key[1].bytes for pair in evaluated)),
            "keys": text_array(pair.key[2].encode() for pair in evaluated),
            "begins": instant_array([max(0, at) for at in begins]),
            "ends": instant_array([min(_LAST_US, pair.ends_us) for pair in evaluated]),
        },
    )
    for row in rows:
        stored[row.n].append(row)
    suppression_ends = _suppression_read(session, organization_id, evaluated)
    writing = _Writing(organization_id, now, new_id, suppression_ends, [], [], [], [])
    for pair, of_pair in zip(evaluated, stored, strict=True):
        _reconcile(writing, pair, of_pair)
    _write(session, writing, side_effects_disabled=side_effects_disabled)
    return EventsDone(writing.changes, writing.rated)


def _suppression_read(
    session: Session, organization_id: int, evaluated: Sequence[EvaluatedPair]
) -> Mapping[SuppressionKey, int | None]:
    spots = [(pair.key[1], UUID(bytes=pair.key[0]), opened) for pair in evaluated for opened in pair.episodes]
    ends = suppressed_until(session, organization_id=organization_id, spots=spots)
    return dict(zip(spots, ends, strict=True))


def _reconcile(writing: _Writing, evaluated: EvaluatedPair, stored: Sequence[Any]) -> None:
    live = {micros_of(row.opened_at): row for row in stored if row.withdrawn_at is None}
    free = [row for row in stored if row.withdrawn_at is None] + [row for row in stored if row.withdrawn_at is not None]
    matched: dict[int, Any] = {opened: live[opened] for opened in evaluated.episodes if opened in live}
    used = {row.id for row in matched.values()}
    for opened, episode in sorted(evaluated.episodes.items()):
        if opened not in matched:
            match = next((row for row in free if row.id not in used and _overlap(row, episode)), None)
            if match is not None:
                matched[opened] = match
                used.add(match.id)
    for opened, episode in sorted(evaluated.episodes.items()):
        if opened not in matched:
            _make(writing, evaluated, episode)
        else:
            _change(writing, evaluated, matched[opened], episode)
    for opened, row in live.items():
        if row.id not in used and (opened >= evaluated.begins_us or not _is_over(row, evaluated.begins_us)):
            if opened == evaluated.carried:
                # It opened before and nothing of it changed.
                continue
            writing.updated.append({**_current_values(row), "withdrawn_at": writing.now.isoformat()})
            _correct(writing, row, {"withdrawn": True})
            writing.changes.append(EventChange(row.id, evaluated.key[0], "WITHDRAWN", opened))


def _is_over(row: Any, at_us: int) -> bool:
    return row.cleared_at is not None and micros_of(row.cleared_at) <= at_us


def _overlap(row: Any, episode: Episode) -> bool:
    ends = None if row.cleared_at is None else micros_of(row.cleared_at)
    return (ends is None or episode.opened < ends) and (
        episode.cleared is None or micros_of(row.opened_at) < episode.cleared
    )


def _make(writing: _Writing, evaluated: EvaluatedPair, episode: Episode) -> None:
    entity, rule_id, key = evaluated.key
    event_id = writing.new_id()
    writing.created.append(
        {
            "organization_id": writing.organization_id,
            "id": event_id,
            "rule_id": rule_id,
            "entity_id": UUID(bytes=entity),
            "key": key,
            "detected_at": writing.now,
            **_columns(writing, evaluated, episode),
        }
    )
    writing.changes.append(EventChange(event_id, entity, "OPENED", episode.opened))
    if episode.cleared is not None:
        writing.changes.append(EventChange(event_id, entity, "CLEARED", episode.cleared))


def _change(writing: _Writing, evaluated: EvaluatedPair, row: Any, episode: Episode) -> None:
    wanted = _columns(writing, evaluated, episode)
    if micros_of(row.opened_at) == evaluated.tail == episode.opened and row.withdrawn_at is None:
        # How it goes on behind is as it was, by later versions too.
        unchanged = ("version_id", "cleared_at", "cleared_reason", "flaps", "severity")
        wanted |= {name: _utc(getattr(row, name)) for name in unchanged}
    before = {name: _utc(getattr(row, name)) for name in wanted}
    is_reopened = row.withdrawn_at is not None
    if before == wanted and not is_reopened:
        return
    writing.updated.append({"id": row.id, **_json(wanted), "withdrawn_at": None})
    entity = evaluated.key[0]
    if before["severity"] != wanted["severity"]:
        cleared = [item["cleared_at"] for item in (before, wanted)]
        ends = END_US if None in cleared else max(map(micros_of, cleared)) + 1
        writing.rated.append((entity, min(micros_of(item["opened_at"]) for item in (before, wanted)), ends))
    kinds: list[tuple[str, int]] = []
    if is_reopened or (before["cleared_at"] is not None and wanted["cleared_at"] is None):
        kinds.append(("REOPENED", episode.opened))
    elif row.opening_processed_at is None and _may_be_notified(before, wanted):
        # Its opening was not acted on, and may have to be now. A repeated change is applied once.
        kinds.append(("OPENED", episode.opened))
    if before["cleared_at"] is None and wanted["cleared_at"] is not None:
        kinds.append(("CLEARED", micros_of(wanted["cleared_at"])))
    raised = _rank(wanted["severity"]) - _rank(before["severity"])
    # By time, or by another version of the rule.
    since = max(episode.opened, micros_of(episode.version.effective_from))
    if raised > 0:
        kinds.append(("ESCALATED", since))
    elif raised < 0 and (wanted["cleared_at"] is None or before["cleared_at"] is not None):
        kinds.append(("DEESCALATED", since))
    # That an open event clears, and later flaps, is what was to come; what was said of the past has to be corrected.
    corrected = [
        name for name in _CORRECTED_FIELDS if before[name] != wanted[name] and not _was_pending(name, before, wanted)
    ]
    if corrected or is_reopened:
        _correct(writing, row, {name: _json(wanted)[name] for name in _CORRECTED_FIELDS})
        kinds.append(("CORRECTED", episode.opened))
    writing.changes += [EventChange(row.id, entity, kind, at) for kind, at in kinds]


def _may_be_notified(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether the suppression in which an event opened may end within it, where before it did not."""
    is_corrected = before["cleared_at"] is not None and before["cleared_at"] != wanted["cleared_at"]
    return before["suppressed_until"] != wanted["suppressed_until"] or (
        wanted["suppressed_until"] is not None and is_corrected
    )


def _was_pending(name: str, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if wanted["flaps"] > before["flaps"]:
        return name in {"flaps", "cleared_at", "cleared_reason"}
    return name in {"cleared_at", "cleared_reason"} and before["cleared_at"] is None


def _correct(writing: _Writing, row: Any, after: Mapping[str, Any]) -> None:
    before = _json({name: _utc(getattr(row, name)) for name in _CORRECTED_FIELDS})
    writing.corrected.append(
        {
            "organization_id": writing.organization_id,
            "event_id": row.id,
            "before": {**before, "withdrawn": row.withdrawn_at is not None},
            "after": {"withdrawn": False, **after},
        }
    )


def _columns(writing: _Writing, evaluated: EvaluatedPair, episode: Episode) -> dict[str, Any]:
    severity = severity_of(
        episode.version, opened=episode.opened, cleared=episode.cleared, now_us=micros_of(writing.now)
    )
    suppressed = writing.suppression_ends[evaluated.key[1], UUID(bytes=evaluated.key[0]), episode.opened]
    return {
        "version_id": episode.version.id,
        "began_at": instant_of(episode.began),
        "opened_at": instant_of(episode.opened),
        "cleared_at": None if episode.cleared is None else instant_of(episode.cleared),
        "cleared_reason": None if episode.reason is None else episode.reason.value,
        "severity": severity.value,
        "value": episode.value,
        "flaps": episode.flaps,
        "suppressed_until": None if suppressed is None else instant_of(suppressed),
    }


def _current_values(row: Any) -> dict[str, Any]:
    names = ("version_id", *_CORRECTED_FIELDS, "severity", "suppressed_until")
    return {"id": row.id, **_json({name: _utc(getattr(row, name)) for name in names})}


def _write(session: Session, writing: _Writing, *, side_effects_disabled: bool) -> None:
    if writing.created:
        session.execute(insert(events), writing.created)
    if writing.updated:
        rows = orjson.dumps(writing.updated).decode()
        session.execute(_UPDATE, {"organization_id": writing.organization_id, "rows": rows})
    if writing.corrected:
        session.execute(insert(event_corrections), writing.corrected)
    if writing.changes:
        session.execute(
            insert(event_changes),
            [
                {
                    "organization_id": writing.organization_id,
                    "event_id": change.event_id,
                    "kind": change.kind,
                    "at": instant_of(change.at_us),
                    "side_effects_disabled": side_effects_disabled,
                }
                for change in writing.changes
            ],
        )


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _rank(severity: str) -> int:
    return SEVERITIES.index(Severity(severity))
