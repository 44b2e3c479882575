"""The log of updates of events, against transactions that commit in any order: nothing is left out or repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.rules.events import updates
from domain.rules.events.queries import EventFilter
from domain.rules.events.updates import (
    CURSOR_AGE_MAX,
    EventLogEnd,
    EventLogPlace,
    event_updates,
    event_updates_end,
    event_updates_look,
    place_key,
    place_of_key,
)
from domain.rules.model import EventState
from graph.errors import BadInputError
from graph.kinds import EntityKind
from graph.tenancy import organization_set
from testing.world import World, day
from tests.domain.pipeline.act.conftest import Alarms

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALL = EventFilter()


def read_all(
    world: World, place: EventLogPlace, where: EventFilter = ALL
) -> tuple[list[tuple[UUID, str]], EventLogPlace]:
    """Read to the end, each page behind the cursor of the page before."""
    read: list[tuple[UUID, str]] = []
    while True:
        with world.session() as session:
            page = event_updates(
                session, organization_id=world.organization_id, after=again(place), where=where, now=NOW
            )
        read += [(update.event.id, update.what) for update in page.updates]
        place = page.place
        if page.is_end:
            return read, place


def again(place: EventLogPlace) -> EventLogPlace:
    """Return a place as it comes back from a client."""
    return place_of_key(place_key(place), now=NOW)


def end(world: World) -> EventLogPlace:
    with world.session() as session:
        return event_updates_end(session, organization_id=world.organization_id, now=NOW)


@dataclass
class Writers:
    """Open transactions of the pipeline, each of which has changed events."""

    alarms: Alarms
    open: dict[int, Session] = field(default_factory=dict)

    def write(self, number: int, event_id: UUID, kind: str) -> None:
        if number not in self.open:
            self.open[number] = Session(self.alarms.pipeline)
            organization_set(self.open[number], organization_id=self.alarms.world.organization_id)
        self.open[number].execute(
            text(
                "INSERT INTO event_changes (organization_id, event_id, kind, at, side_effects_disabled)"
                " VALUES (:o, :e, :kind, now(), false)"
            ),
            {"o": self.alarms.world.organization_id, "e": event_id, "kind": kind},
        )

    def end(self, number: int, *, commits: bool) -> bool:
        session = self.open.pop(number, None)
        if session is None:
            return False
        if commits:
            session.commit()
        session.close()
        return commits


def test_a_transaction_that_commits_late_is_read_then(world: World, alarms: Alarms) -> None:
    event = alarms.opened(alarms.rule(), world.entity(EntityKind.ASSET), day(1))
    place, writers = end(world), Writers(alarms)
    writers.write(1, event, "CLEARED")
    writers.write(2, event, "REOPENED")
    writers.end(2, commits=True)
    first, place = read_all(world, place)
    assert first == [(event, "REOPENED")]
    writers.end(1, commits=True)
    late, place = read_all(world, place)
    assert late == [(event, "CLEARED")]
    assert read_all(world, place)[0] == []


def test_a_filter_is_of_the_event_as_it_is_now(world: World, alarms: Alarms) -> None:
    rule, (left, right) = alarms.rule(), world.entities(EntityKind.ASSET, 2)
    place = end(world)
    cleared = alarms.opened(rule, left, day(1))
    alarms.cleared(cleared, day(2))
    open_ = alarms.opened(rule, right, day(3))
    assert read_all(world, place, EventFilter(states=[EventState.OPEN]))[0] == [(open_, "OPENED")]
    assert read_all(world, place, EventFilter(entity_ids=[left]))[0] == [(cleared, "OPENED"), (cleared, "CLEARED")]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(0, 3)),
            st.tuples(st.just("commit"), st.integers(0, 3)),
            st.tuples(st.just("roll back"), st.integers(0, 3)),
            st.tuples(st.just("read"), st.just(0)),
            st.tuples(st.just("read one page"), st.just(0)),
        ),
        max_size=40,
    ),
    size=st.integers(1, 4),
)
def test_what_is_read_in_pieces_is_what_was_committed(
    world: World, alarms: Alarms, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]], size: int
) -> None:
    """Pages of any size, each behind the cursor of the last update of the one before; writers in any order."""
    monkeypatch.setattr(updates, "UPDATES_MAX", size)
    event = alarms.opened(alarms.rule(), world.entity(EntityKind.ASSET), day(1))
    place, writers = end(world), Writers(alarms)
    seen: EventLogEnd | None = None
    with world.session() as session:
        seen, _ = event_updates_look(session, organization_id=world.organization_id, seen=None)
    waiting: dict[int, list[str]] = {}
    committed: list[str] = []
    read: list[str] = []
    for n, (step, number) in enumerate(steps):
        if step == "write":
            # Kinds tell the writes apart as far as the table allows; counted below.
            kind = ("CLEARED", "REOPENED", "CORRECTED", "ESCALATED")[n % 4]
            writers.write(number, event, kind)
            waiting.setdefault(number, []).append(kind)
        elif step in {"commit", "roll back"}:
            written = waiting.pop(number, [])
            if writers.end(number, commits=step == "commit"):
                committed += written
                with world.session() as session:
                    seen, is_new = event_updates_look(session, organization_id=world.organization_id, seen=seen)
                assert is_new
        elif step == "read":
            more, place = read_all(world, place)
            read += [what for _, what in more]
            assert sorted(read) == sorted(committed)
        else:
            with world.session() as session:
                page = event_updates(
                    session, organization_id=world.organization_id, after=again(place), where=ALL, now=NOW
                )
            # The client goes away within the page, after its first update.
            if page.updates:
                read.append(page.updates[0].what)
                place = page.updates[0].place
            else:
                place = page.place
    for number in list(writers.open):
        writers.end(number, commits=False)
    more, place = read_all(world, place)
    assert sorted(read + [what for _, what in more]) == sorted(committed)
    with world.session() as session:
        assert not event_updates_look(session, organization_id=world.organization_id, seen=seen)[1]


def test_nothing_of_another_organization_is_read(world: World, alarms: Alarms, other: World) -> None:
    place = end(other)
    alarms.opened(alarms.rule(), world.entity(EntityKind.ASSET), day(1))
    assert read_all(other, place)[0] == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"since": "10:5:"},
        {"since": "10:20:20"},
        {"since": "10:20:15,12"},
        {"since": "0:0:"},
        {"since": "1:99999999999999999999:"},
        {"since": "10:20:'"},
        {"until": "x"},
        {"id": "many"},
        {"id": str(2**63)},
        {"read_at": "yesterday"},
        {"name": "events"},
    ],
)
def test_a_cursor_that_was_tampered_with_is_refused(world: World, spoilt: dict[str, Any]) -> None:
    name, cluster, read_at, since, until, identity = place_key(end(world))
    parts = {"name": name, "cluster": cluster, "read_at": read_at, "since": since, "until": until, "id": identity}
    with pytest.raises(BadInputError, match="does not belong"):
        place_of_key(tuple((parts | spoilt).values()), now=NOW)


def test_an_old_cursor_and_one_of_another_database_are_refused(world: World) -> None:
    place = end(world)
    with pytest.raises(BadInputError, match="older than 7 days"):
        place_of_key(place_key(place), now=NOW + CURSOR_AGE_MAX + timedelta(seconds=1))
    foreign = EventLogPlace(place.cluster + 1, NOW, place.since)
    with world.session() as session, pytest.raises(BadInputError, match="another database"):
        event_updates(session, organization_id=world.organization_id, after=foreign, where=ALL, now=NOW)


def test_what_was_restored_from_another_database_is_not_sent(
    world: World, alarms: Alarms, engine: Callable[[str], Engine]
) -> None:
    """A dump carries the numbers of another cluster's transactions, which may still come here."""
    event = alarms.opened(alarms.rule(), world.entity(EntityKind.ASSET), day(1))
    place = end(world)
    with engine("owner").begin() as connection:
        connection.execute(
            text(
                "INSERT INTO event_updates (organization_id, event_id, what, transaction, cluster) SELECT :o, :e,"
                " 'CLEARED', CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS xid8), 1"
            ),
            {"o": world.organization_id, "e": event},
        )
    alarms.cleared(event, day(2))
    alarms.withdrawn(event, day(3))
    assert read_all(world, place)[0] == [(event, "CLEARED"), (event, "WITHDRAWN")]
