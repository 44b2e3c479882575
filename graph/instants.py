"""The two times of a bitemporal read: valid time `as_of`, and system time `known_at`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.change import changes_hold, graph_is_changing
from graph.errors import BadInputError, NotFoundError

_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)

# The one definition of now for readers: the transaction's start, or the organization's last change where
# that is later, so that a transaction sees what it wrote and nobody misses a change for a clock set back.
_NOW = text(
    "SELECT greatest(transaction_timestamp(), last_recorded) AS present, last_recorded,"
    " revision, clock_timestamp() AS wall FROM graph_clocks WHERE organization_id = :organization_id"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Where an organization's clock stood when a reader looked: the last change it sees.

    own: that change is the reader's own transaction's, which nobody else sees yet.
    """

    revision: int
    recorded: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment that a read looks at. known_at None: what is believed now, including the transaction's own writes."""

    as_of: datetime
    known_at: datetime | None = None
    clock: Clock | None = None


def utc_of(stored: datetime | None) -> datetime | None:
    """Return an instant that was read from the database, in UTC; None as it is."""
    return None if stored is None else stored.astimezone(UTC)


def instant_utc(value: datetime, *, path: str) -> datetime:
    """Return the instant in UTC. Raises BadInputError for a naive time or one outside the years 1 to 9999."""
    if value.tzinfo is None:
        raise BadInputError("A time needs an offset from UTC.", path=(path,))
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadInputError("A time must lie in the years 1 to 9999 (UTC).", path=(path,)) from None


def instant_read(text: str) -> datetime | None:
    """Return the instant, in UTC, that an RFC 3339 time with an offset is; None: the text is none.

    Fractions beyond microseconds are cut off. Raises ValueError for one that is not in the years 1 to 9999 (UTC).

    >>> instant_read("2026-01-01T01:00:00+01:00")
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def instant_text(value: datetime) -> str:
    """Return an instant as text: RFC 3339, UTC.

    >>> instant_text(datetime(2026, 1, 1, tzinfo=UTC))
    '2026-01-01T00:00:00Z'
    """
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_resolve(
    session: Session, *, organization_id: int, as_of: datetime | None, known_at: datetime | None
) -> Moment:
    """Resolve the times of a read; None means now.

    With `known_at` changes are held up until the transaction ends: one that is under way may bear an earlier instant
    and must be waited for.
    Raises BadInputError where `known_at` lies in the future, NotFoundError where the organization is not the
    transaction's own.
    """
    instant = None if as_of is None else instant_utc(as_of, path="asOf")
    if known_at is None:
        clock = _now(session, organization_id)
        return Moment(clock.present if instant is None else instant, None, _clock(session, clock))
    known, clock = _known(session, organization_id, known_at, "knownAt")
    return Moment(clock.present if instant is None else instant, known, _clock(session, clock))


def known_resolve(session: Session, *, organization_id: int, known_at: datetime, path: str) -> datetime:
    """Resolve an instant of system time by which something had been recorded, as `moment_resolve` does; in UTC.

    path: the argument that named it. Raises BadInputError, NotFoundError.
    """
    return _known(session, organization_id, known_at, path)[0]


def moment_sql(moment: Moment, *, edges: str = "e") -> str:
    """Return the condition that picks the edge versions of a moment; its values are in `moment_values`."""
    believed = f"upper_inf({edges}.recorded)"
    if moment.known_at is not None:
        believed = f"{edges}.recorded @> CAST(:known_at AS timestamptz)"
    return f"{edges}.valid @> CAST(:as_of AS timestamptz) AND {believed}"


def moment_values(moment: Moment) -> Mapping[str, datetime]:
    """Return the parameters of `moment_sql`."""
    if moment.known_at is None:
        return {"as_of": moment.as_of}
    return {"as_of": moment.as_of, "known_at": moment.known_at}


def _known(session: Session, organization_id: int, known_at: datetime, path: str) -> tuple[datetime, Any]:
    known = instant_utc(known_at, path=path)
    changes_hold(session, organization_id=organization_id)
    clock = _now(session, organization_id)
    # Strictly before the wall: the next change may be recorded at this very microsecond.
    if known > clock.last_recorded and known >= clock.wall:
        raise BadInputError("What will be known in the future cannot be queried.", path=(path,))
    return known, clock


def _now(session: Session, organization_id: int) -> Any:
    row = session.execute(_NOW, {"organization_id": organization_id}).one_or_none()
    if row is None:
        raise NotFoundError("There is no such organization.")
    return row


def _clock(session: Session, row: Any) -> Clock:
    return Clock(row.revision, row.last_recorded.astimezone(UTC), own=graph_is_changing(session))
