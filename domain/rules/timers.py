"""Timers of rules: re-evaluate an entity at an instant though no reading comes. A due timer becomes a dirty window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, text_array, uuid_array
from domain.rules.fast_path import PairKey

_SLOT = "(get_byte(uuid_send(entity_id), 14) * 256 + get_byte(uuid_send(entity_id), 15)) % :partitions = :partition"
_DUE = text(f"SELECT DISTINCT organization_id FROM rule_timers WHERE due_at < :now AND {_SLOT}")  # noqa: S608
_FIRE = text(
    f"""
    WITH due AS (
        DELETE FROM rule_timers WHERE organization_id = :organization_id AND due_at < :now AND {_SLOT}
        RETURNING entity_id, due_at
    )
    INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT DISTINCT :organization_id, entity_id, due_at, due_at + interval '1 microsecond', 'timer' FROM due
    """  # noqa: S608  (a constant)
)

_TIMERS = text(
    """
    INSERT INTO rule_timers (organization_id, entity_id, rule_id, key, due_at)
    SELECT :organization_id, u.e, u.r, u.k, u.at FROM unnest(:entities, :rules, :keys, :at) AS u (e, r, k, at)
    ON CONFLICT (organization_id, entity_id, rule_id, key) DO UPDATE SET due_at = excluded.due_at
        WHERE rule_timers.due_at <> excluded.due_at
    """
)
_NO_TIMERS = text(
    """
    DELETE FROM rule_timers t USING unnest(:entities, :rules, :keys) AS u (e, r, k)
    WHERE t.organization_id = :organization_id AND t.entity_id = u.e AND t.rule_id = u.r AND t.key = u.k
    """
)
# The last instant of event time that is written as such.
_LAST_US: Final = 253_370_764_800_000_000


def timers_set(session: Session, *, organization_id: int, due: Mapping[PairKey, int | None]) -> None:
    """Set, or with None delete, the instant (microseconds) at which a (rule, entity) pair is re-evaluated."""
    some = {key: at for key, at in due.items() if at is not None}
    none = [key for key, at in due.items() if at is None]
    if due:
        arrays_enable(session)
    if some:
        values = {**pairs_columns(list(some)), "at": instant_array([min(at, _LAST_US) for at in some.values()])}
        session.execute(_TIMERS, {"organization_id": organization_id, **values})
    if none:
        session.execute(_NO_TIMERS, {"organization_id": organization_id, **pairs_columns(none)})


def pairs_columns(keys: Sequence[PairKey]) -> dict[str, object]:
    """Return pairs as the parameters `entities`, `rules` and `keys` of a statement."""
    return {
        "entities": uuid_array(b"".join(key[0] for key in keys)),
        "rules": uuid_array(b"".join(key[1].bytes for key in keys)),
        "keys": text_array(key[2].encode() for key in keys),
    }


def timers_due(session: Session, *, now: datetime, partition: int, partitions: int) -> list[int]:
    """Return the organizations in which a timer of an entity of this partition is due. One statement."""
    values = {"now": now, "partition": partition, "partitions": partitions}
    return sorted(session.execute(_DUE, values).scalars())


def timers_fire(session: Session, *, organization_id: int, now: datetime, partition: int, partitions: int) -> None:
    """Turn due timers into dirty windows. Evaluating these sets the next timers. One statement."""
    values = {"organization_id": organization_id, "now": now, "partition": partition, "partitions": partitions}
    session.execute(_FIRE, values)
