"""Notifications of events: numbered without gaps, in legal transitions, ending in the stored state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise, product
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.pipeline.act.operations import event_actions_apply
from domain.pipeline.act.suppressed import suppression_refresh
from domain.rules.model import Severity
from domain.rules.shelving.operations import maintenance_window_create, shelf_create
from domain.work.notifications.calls import LastNotification, NotifiedState, calls_of
from graph.kinds import EntityKind
from testing.line import NOW as LINE_NOW
from testing.line import Line
from testing.world import new_id, world_create
from tests.domain.pipeline.act.conftest import NOW, Alarms
from tests.domain.pipeline.act.test_suppressed import HOUR, maintain, refresh
from tests.domain.rules.test_stage import T0, create, edit, evaluate, left, over, send

URL = "https://example.org/"
# What may follow on what, by the name of the call.
LEGAL = {
    "OPENED": {"ESCALATED", "DEESCALATED", "CLEARED", "WITHDRAWN"},
    "REOPENED": {"ESCALATED", "DEESCALATED", "CLEARED", "WITHDRAWN"},
    "ESCALATED": {"ESCALATED", "DEESCALATED", "CLEARED", "WITHDRAWN"},
    "DEESCALATED": {"ESCALATED", "DEESCALATED", "CLEARED", "WITHDRAWN"},
    "CLEARED": {"REOPENED", "WITHDRAWN"},
    "WITHDRAWN": {"REOPENED"},
}
ENDS = {"CLEARED": NotifiedState.CLEARED, "WITHDRAWN": NotifiedState.WITHDRAWN}


@pytest.mark.parametrize(
    ("before", "state", "worsening", "is_suppressed"),
    list(product([None, *NotifiedState], NotifiedState, [-1, 0, 1], [False, True])),
)
def test_calls_lead_from_the_last_notification_to_the_current_state(
    before: NotifiedState | None, state: NotifiedState, worsening: int, is_suppressed: bool
) -> None:
    notified = None if before is None else LastNotification(3, before, "HIGH")
    calls = calls_of(notified, state=state, worsening=worsening, is_suppressed=is_suppressed)
    first = {NotifiedState.OPEN: "OPENED", NotifiedState.CLEARED: "CLEARED", NotifiedState.WITHDRAWN: "WITHDRAWN"}
    chain = [*([] if before is None else [first[before]]), *calls]
    assert all(after in LEGAL[name] for name, after in pairwise(chain))
    if before is None:
        assert not calls or calls[0] == "OPENED"
    if (is_suppressed and state is NotifiedState.OPEN) or (before is None and state is NotifiedState.WITHDRAWN):
        assert calls == ()
    else:
        assert ENDS.get(chain[-1], NotifiedState.OPEN) is state


def notified(alarms: Alarms) -> list[tuple[str, int, str]]:
    with alarms.world.session() as session:
        rows = session.execute(
            text("SELECT payload, sequence, url FROM notifications ORDER BY event_id, url, sequence")
        )
        calls = [(row.payload["change"], row.payload["sequence"], row.sequence, row.url) for row in rows]
    assert all(of_payload == of_row for _, of_payload, of_row, _ in calls)
    return [(change, sequence, url) for change, sequence, _, url in calls]


def test_an_event_recorded_after_it_has_cleared_is_notified_to_its_end(alarms: Alarms, template: UUID) -> None:
    rule = alarms.rule(webhookUrl=URL, createActivityFromTemplateId=str(template))
    asset = alarms.world.entity(EntityKind.ASSET)
    maintain(alarms, NOW - HOUR, NOW + HOUR)
    event = alarms.opened(rule, asset, NOW, suppressed_until=NOW + HOUR)
    alarms.cleared(event, NOW + HOUR / 2)
    refresh(alarms)
    alarms.act(NOW + HOUR / 2)
    assert (notified(alarms), alarms.waiting()) == ([], 0)
    # A late reading moves its opening before the window: it was not suppressed after all.
    with Session(alarms.owner) as session, session.begin():
        session.execute(
            text("UPDATE events SET opened_at = :at, began_at = :at, suppressed_until = NULL, severity = 'CRITICAL'"),
            {"at": NOW - 2 * HOUR},
        )
    for kind in ("OPENED", "ESCALATED", "CORRECTED"):
        alarms.changed(event, kind, NOW - 2 * HOUR)
    alarms.act(NOW + HOUR / 2)
    assert notified(alarms) == [("OPENED", 1, URL), ("CLEARED", 2, URL)]
    # Its activity is suggested to be closed.
    [(_, _, details)] = alarms.activities()
    assert details.suggestion is not None
    assert details.suggestion["action"] == "CLOSE"


def test_a_receiver_of_the_opening_is_notified_of_the_end_after_any_edit(alarms: Alarms) -> None:
    rule = alarms.rule(webhookUrl=URL)
    event = alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), NOW)
    alarms.act(NOW)
    alarms.version(rule, NOW - HOUR, webhookUrl=f"{URL}other")
    alarms.cleared(event, NOW + HOUR)
    alarms.act(NOW + HOUR)
    assert notified(alarms) == [("OPENED", 1, URL), ("CLEARED", 2, URL)]
    alarms.changed(event, "CORRECTED", NOW)
    alarms.act(NOW + HOUR)
    assert len(notified(alarms)) == 2


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_readings_shelves_windows_and_edits_ends_in_the_same_notified_state(
    engine: Callable[[str], Engine], seed: int
) -> None:
    random = Random(seed)  # noqa: S311  (a test's)
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug="notified"), engine)
    device = line.device()
    rule = create(line, over(50), action={"webhookUrl": URL}, severity=Severity.HIGH)

    def minute(number: int) -> datetime:
        return T0 + timedelta(minutes=number)

    def suppress() -> None:
        begins = random.randrange(300)
        ends = begins + random.randrange(1, 90)
        with line.world.changing() as (session, change):
            if random.random() < 0.5:
                shelf_create(
                    session, change=change, rule_id=rule.id, entity_id=None, begins=minute(begins), ends=minute(ends)
                )
            else:
                maintenance_window_create(
                    session, change=change, under_id=None, begins=minute(begins), ends=minute(ends)
                )

    def unsuppress() -> None:
        table = random.choice(["shelves", "maintenance_windows"])
        line.rows(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT 1) RETURNING id")  # noqa: S608

    def change_rule() -> None:
        action = {"webhookUrl": random.choice([URL, f"{URL}other"])}
        severity = random.choice([Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL])
        edit(line, rule, over(random.choice([40, 50, 60])), effective_from=T0, action=action, severity=severity)
        evaluate(line, device, left(line, device))

    def act() -> None:
        is_dirty = True
        while is_dirty:
            with line.pipeline() as session:
                is_dirty = suppression_refresh(session, organization_id=line.organization_id).is_pending
        # The wall's clock is within the time of the readings: some of them are suppressed now.
        now, limit = minute(random.randrange(400)), random.choice([1, 3, 100])
        _act(line, now, limit=limit, times=random.randrange(1, 5))

    readings = [(minute(n), float(random.randrange(100))) for n in range(0, 300, 5)]
    random.shuffle(readings)
    steps: list[Callable[[], Any]] = [
        *(lambda part=readings[n::12]: evaluate(line, device, send(line, device, part)) for n in range(12)),
        *[suppress] * 6, *[unsuppress] * 3, *[change_rule] * 3, *[act] * 12,
    ]  # fmt: skip
    random.shuffle(steps)
    for step in steps:
        step()
    act()
    _act(line, LINE_NOW + timedelta(days=1), limit=100, times=100)
    assert line.rows("SELECT * FROM event_changes WHERE processed_at IS NULL") == []
    _check(line)


def _act(line: Line, now: datetime, *, limit: int, times: int) -> None:
    for _ in range(times):
        with line.pipeline() as session:
            done = event_actions_apply(
                session, organization_id=line.organization_id, now=now, new_id=new_id, limit=limit, late=None
            )
        if not done.changes:
            return


def _check(line: Line) -> None:
    calls: dict[tuple[UUID, str], list[Any]] = {}
    for row in line.rows("SELECT event_id, url, sequence, payload FROM notifications ORDER BY event_id, url, sequence"):
        calls.setdefault((row.event_id, row.url), []).append(row)
    events_by_id = {row.id: row for row in line.rows("SELECT * FROM events")}
    assert calls
    for (event_id, _), of in calls.items():
        assert [row.sequence for row in of] == list(range(1, len(of) + 1))
        assert [row.payload["sequence"] for row in of] == [row.sequence for row in of]
        names = [row.payload["change"] for row in of]
        assert names[0] == "OPENED"
        assert all(after in LEGAL[before] for before, after in pairwise(names)), names
        event = events_by_id[event_id]
        state = NotifiedState.OPEN if event.cleared_at is None else NotifiedState.CLEARED
        if event.withdrawn_at is not None:
            state = NotifiedState.WITHDRAWN
        assert ENDS.get(names[-1], NotifiedState.OPEN) is state, (names, event)
