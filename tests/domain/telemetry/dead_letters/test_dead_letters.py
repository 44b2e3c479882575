"""Dead letters: listed, retried and discarded, on a line that makes real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.pipeline.normalize.stage import batches_normalize
from domain.telemetry.dead_letters import operations
from domain.telemetry.dead_letters.model import DeadLetter, DeadLetterFilter, DeadLetterState
from domain.telemetry.dead_letters.operations import Done, dead_letters_discard, dead_letters_retry
from domain.telemetry.dead_letters.queries import dead_letter_groups, dead_letters_get, dead_letters_page
from graph.errors import BadInputError
from graph.paging import PageRequest
from runtime.database import transaction
from testing.line import NOW, Line
from testing.world import World

EVERY = tuple(DeadLetterState)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def line(world: World, engine: Callable[[str], Engine]) -> Line:
    return Line(world, engine)


def listed(line: Line, **where: Any) -> list[DeadLetter]:
    dead_letters: list[DeadLetter] = []
    after = None
    while True:
        with transaction(line.engine("api"), line.organization_id) as session:
            page = dead_letters_page(
                session,
                organization_id=line.organization_id,
                where=DeadLetterFilter(**where),
                page=PageRequest(2, after),
            )
            assert page.total is not None
            total = page.total()
        dead_letters += page.items
        if not page.has_next:
            assert total == len(dead_letters)
            return dead_letters
        after = page.keys[-1]


def retry(line: Line, **where: Any) -> Done:
    with transaction(line.engine("api"), line.organization_id) as session:
        return dead_letters_retry(session, organization_id=line.organization_id, where=DeadLetterFilter(**where))


def discard(line: Line, **where: Any) -> Done:
    with transaction(line.engine("api"), line.organization_id) as session:
        return dead_letters_discard(
            session, organization_id=line.organization_id, where=DeadLetterFilter(**where), actor="ann", now=NOW
        )


def spoiled(line: Line) -> tuple[Any, Any]:
    """Send five readings: one from the future, two with a metric that is none, two without fault."""
    device, other = line.device("one"), line.device("two")
    batches = line.send(
        {"device_id": device, "timestamp": NOW + 10 * MINUTE, "metrics": {"t": 1}},
        {"device_id": device, "timestamp": NOW, "metrics": {"t": 2, "list": [1]}},
        {"device_id": other, "timestamp": NOW, "metrics": {"t": 3, "list": [2], "map": {}}},
        {"device_id": other, "timestamp": NOW - MINUTE, "metrics": {"t": 4}},
    )
    line.normalize(batches)
    return device, batches


def test_they_are_listed_filtered_and_grouped(line: Line) -> None:
    device, _ = spoiled(line)
    every = listed(line)
    assert len(every) == 4
    assert {(letter.metric, letter.attempts, letter.state) for letter in every} == {
        (None, 1, DeadLetterState.OPEN), ("list", 1, DeadLetterState.OPEN), ("map", 1, DeadLetterState.OPEN),
    }  # fmt: skip
    assert {dead_letter.metric for dead_letter in listed(line, device_id=device)} == {None, "list"}
    [future] = [letter for letter in every if letter.metric is None]
    assert [dead_letter.id for dead_letter in listed(line, codes=[future.code])] == [future.id]
    assert listed(line, stages=["no such"]) == listed(line, codes=[]) == listed(line, begins=NOW + MINUTE) == []
    assert len(listed(line, begins=NOW, ends=NOW + MINUTE)) == 4
    with transaction(line.engine("api"), line.organization_id) as session:
        groups = dead_letter_groups(session, organization_id=line.organization_id, where=DeadLetterFilter())
        assert set(dead_letters_get(session, organization_id=line.organization_id, ids=[future.id])) == {future.id}
    assert sorted((group.count, group.devices) for group in groups) == [(1, 1), (3, 2)]
    assert {group.code for group in groups} == {letter.code for letter in every}


def test_a_failed_retry_only_counts_another_attempt(line: Line) -> None:
    device, batches = spoiled(line)
    before = line.history(), line.ingest_counts()
    assert retry(line, device_id=device) == Done(2, 0)
    assert line.ingest_counts().pending == line.ingest_counts().received  # the batch is to be done again
    again = line.normalize(batches)
    assert again.done == []
    assert (line.history(), line.ingest_counts()) == before
    assert {dead_letter.attempts for dead_letter in listed(line)} == {2}
    # Done once, it is left alone.
    assert len(line.normalize(batches).done) == len(batches)


def test_a_successful_retry_is_resolved(line: Line) -> None:
    _, batches = spoiled(line)
    [future] = [dead_letter for dead_letter in listed(line) if dead_letter.metric is None]
    assert retry(line, ids=[future.id]) == Done(1, 0)
    run = replace(line.run(), future_tolerance=timedelta(hours=1))
    with line.pipeline() as session:
        batches_normalize(session, organization_id=line.organization_id, batches=batches, run=run, now=NOW)
    assert [dead_letter.id for dead_letter in listed(line, states=[DeadLetterState.RESOLVED])] == [future.id]
    assert len(listed(line)) == 3
    assert (line.ingest_counts().stored, line.ingest_counts().dead) == (4, 0)
    assert sum(value == 1 for value in line.history().values()) == 1


def test_discarded_dead_letters_stay_and_are_not_retried(line: Line) -> None:
    device, batches = spoiled(line)
    counts = line.ingest_counts()
    assert discard(line, device_id=device) == Done(2, 0)
    assert len(listed(line)) == 2
    gone = listed(line, states=[DeadLetterState.DISCARDED])
    assert {(dead_letter.discarded_by, dead_letter.discarded_at) for dead_letter in gone} == {("ann", NOW)}
    assert line.ingest_counts() == counts
    assert retry(line, ids=[dead_letter.id for dead_letter in gone]) == Done(0, 0)
    assert discard(line, ids=[dead_letter.id for dead_letter in gone]) == Done(0, 0)
    # Another letter of the same batch is tried again: what was given up stays given up.
    retry(line, codes=[dead_letter.code for dead_letter in listed(line)])
    line.normalize(batches)
    assert len(listed(line, states=[DeadLetterState.DISCARDED])) == 2


def test_a_call_is_bounded_and_returns_how_many_are_left(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(line)
    monkeypatch.setattr(operations, "DEAD_LETTERS_MAX", 3)
    assert retry(line, begins=NOW) == Done(3, 1)
    assert discard(line, begins=NOW) == Done(3, 1)
    assert discard(line, begins=NOW) == Done(1, 0)


@pytest.mark.parametrize("work", [retry, discard])
def test_all_of_them_must_be_said(line: Line, work: Callable[..., Done]) -> None:
    for where in ({}, {"ids": [], "states": EVERY}):
        with pytest.raises(BadInputError):
            work(line, **where)


def test_another_organizations_are_neither_seen_nor_changed(
    worlds: Callable[[str], World], engine: Callable[[str], Engine]
) -> None:
    ours, theirs = Line(worlds("ours"), engine), Line(worlds("theirs"), engine)
    spoiled(ours)
    ids = [dead_letter.id for dead_letter in listed(ours)]
    assert listed(theirs) == []
    assert retry(theirs, ids=ids) == discard(theirs, ids=ids) == Done(0, 0)
    # The owner's function is asked for another's rows by another's transaction.
    with transaction(engine("api"), theirs.organization_id) as session:
        session.execute(
            operations._REOPEN,
            {
                "organization_id": ours.organization_id,
                "raw_ids": [dead_letter.raw_id for dead_letter in listed(ours)],
                "received": [dead_letter.received_at for dead_letter in listed(ours)],
            },
        )
    assert ours.ingest_counts().pending == 0
    assert {dead_letter.attempts for dead_letter in listed(ours)} == {1}
