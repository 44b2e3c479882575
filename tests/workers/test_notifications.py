"""Delivery of notifications, to real receivers: signed, in order, retried, given up; no receiver delays another."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.work.notifications.address import Allowed
from domain.work.notifications.claims import (
    ERROR_MAX_CHARS,
    LEASE,
    LOSSES_MAX,
    claims_end,
    notification_record,
    notifications_claim,
)
from domain.work.notifications.model import Notification, NotificationState
from domain.work.notifications.operations import (
    GIVE_UP,
    TESTS_MAX,
    notification_order,
    notification_retry,
    webhook_secret_rotate,
    webhook_test,
)
from domain.work.notifications.queries import notifications_page
from domain.work.notifications.signing import ATTEMPTS_MAX, signature
from domain.work.notifications.slots import FAILURES_MAX, OF_PAIR
from graph.errors import ConflictError, LimitExceededError
from graph.paging import PageRequest
from runtime.database import transaction
from testing.installation import free_port
from testing.receivers import Received, Receiver, Reply, answers, hangs, receiver_open, sends
from testing.waits import patient, wait_until_async
from testing.world import World, new_id, world_create
from workers.context import WorkerContext
from workers.notifications import Deliverer
from workers.process import ProcessState

SECRET = "argus_whs_of_a_test"
LOCAL = Allowed.parse(["127.0.0.0/8"])


@pytest.fixture
def receiver() -> Iterator[Callable[[Reply], Receiver]]:
    """`receiver(reply)`: a server that ends with the test."""
    with ExitStack() as stack:
        yield lambda reply: stack.enter_context(receiver_open(reply))


@pytest.fixture
def hook(receiver: Callable[[Reply], Receiver]) -> Receiver:
    return receiver(answers(204))


@pytest.fixture
def freed() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def world(engine: Callable[[str], Engine]) -> World:
    made = world_create(owner=engine("owner"), api=engine("api"), slug="plant")
    secret_set(made)
    return made


@pytest.fixture
def other(world: World, engine: Callable[[str], Engine]) -> World:
    made = world_create(owner=engine("owner"), api=engine("api"), slug="other")
    secret_set(made)
    return made


@pytest.fixture
def context(context: WorkerContext) -> WorkerContext:
    return replace(context, webhook_allow=("127.0.0.0/8",))


def secret_set(world: World, secret: str = SECRET, **more: Any) -> None:
    with world.changing() as (session, change):
        webhook_secret_rotate(session, change=change, secret=secret, **more)


def order(state: ProcessState, world: World, url: str, number: int = 1, event_id: UUID | None = None) -> UUID:
    notification_id = new_id()
    with transaction(state.engine, world.organization_id) as session:
        notification_order(
            session, organization_id=world.organization_id, notification_id=notification_id,
            event_id=event_id or new_id(), url=url, sequence=number, payload={"b": number, "a": [2]},
            now=datetime.now(UTC),
        )  # fmt: skip
    return notification_id


def rows(world: World) -> list[Notification]:
    with world.session() as session:
        page = notifications_page(session, organization_id=world.organization_id, page=PageRequest(200, None))
        return list(page.items)


def states(*worlds: World) -> Counter[str]:
    return Counter(row.state.value for world in worlds for row in rows(world))


def deliver(*states: ProcessState, calls: int = 256, while_busy: Callable[[], None] = lambda: None) -> None:
    """Work, in as many processes' stead, until nothing is due or under way. while_busy: called now and then."""

    async def work() -> None:
        deliverers = [Deliverer(state, calls=calls) for state in states]
        try:
            while any([await deliverer.tick() for deliverer in deliverers]):
                while_busy()
                await asyncio.sleep(0.01)
        finally:
            for deliverer in deliverers:
                await deliverer._stop()
                deliverer.close()

    asyncio.run(work())


def owner_runs(engine: Callable[[str], Engine], statement: str, **values: Any) -> None:
    with Session(engine("owner")) as session, session.begin():
        session.execute(text(statement), values)


def test_a_call_is_signed_and_delivered_once(state: ProcessState, world: World, hook: Receiver) -> None:
    sent = order(state, world, hook.url)
    deliver(state)
    deliver(state)
    [request] = hook.seen
    assert json.loads(request.body) == {"a": [2], "b": 1}
    timestamp = int(request.headers["X-Argus-Timestamp"])
    assert abs(timestamp - time.time()) < 60
    assert request.headers["X-Argus-Signature"] == signature(secret=SECRET, timestamp=timestamp, body=request.body)
    assert "X-Argus-Signature-Previous" not in request.headers
    assert (request.headers["X-Argus-Delivery"], request.headers["Content-Type"]) == (str(sent), "application/json")
    [row] = rows(world)
    assert (row.state, row.attempts, row.last_error) == (NotificationState.DELIVERED, 1, None)


def test_a_change_is_notified_once_however_often_it_is_ordered(state: ProcessState, world: World) -> None:
    event_id = new_id()
    first = order(state, world, "https://example.org/", event_id=event_id)
    order(state, world, "https://example.org/", event_id=event_id)
    assert [row.id for row in rows(world)] == [first]


def test_after_a_rotation_both_secrets_sign_for_a_while(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    def signed() -> tuple[str | None, ...]:
        order(state, world, hook.url, number=len(hook.seen))
        deliver(state)
        request = hook.seen[-1]
        timestamp = int(request.headers["X-Argus-Timestamp"])
        by = {
            signature(secret=secret, timestamp=timestamp, body=request.body): secret
            for secret in (SECRET, "b", "c", "d")
        }
        signatures = [request.headers.get(f"X-Argus-Signature{end}") for end in ("", "-Previous")]
        return tuple(None if secret is None else by[secret] for secret in signatures)

    secret_set(world, "b")
    assert signed() == ("b", SECRET)
    secret_set(world, "c")
    assert signed() == ("c", "b")
    owner_runs(engine, "UPDATE webhook_secrets SET previous_until = now()")
    assert signed() == ("c", None)
    secret_set(world, "d", previous_for=timedelta(0))
    assert signed() == ("d", None)


def test_a_failed_notification_is_retried_and_finally_dead(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    sent = order(state, world, hook.url)
    hook.reply = answers(503)
    before = datetime.now(UTC)
    deliver(state)
    [row] = rows(world)
    assert (row.state, row.attempts, row.last_error) == (NotificationState.PENDING, 1, "The answer is 503.")
    assert timedelta(seconds=2.5) <= row.due_at - before
    with world.session() as session, pytest.raises(ConflictError):
        notification_retry(session, organization_id=world.organization_id, notification_id=sent, now=datetime.now(UTC))
    owner_runs(engine, "UPDATE notifications SET attempts = :last, due_at = now()", last=ATTEMPTS_MAX - 1)
    deliver(state)
    [row] = rows(world)
    assert (row.state, row.attempts, len(hook.seen)) == (NotificationState.DEAD, ATTEMPTS_MAX, 2)
    hook.reply = answers(200, b"ok")
    with world.session() as session:
        notification_retry(session, organization_id=world.organization_id, notification_id=sent, now=datetime.now(UTC))
    deliver(state)
    [row] = rows(world)
    assert (row.state, row.attempts, row.last_error) == (NotificationState.DELIVERED, 1, None)
    assert {request.headers["X-Argus-Delivery"] for request in hook.seen} == {str(sent)}


def test_notifications_of_an_event_are_sent_in_order(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    event_id = new_id()
    for n in (1, 2, 3):
        order(state, world, hook.url, number=n, event_id=event_id)
    order(state, world, hook.url, number=4)
    hook.reply = answers(500)
    deliver(state)
    # The first of each event was tried; what waits for one that failed was not.
    assert sorted(json.loads(request.body)["b"] for request in hook.seen) == [1, 4]
    hook.seen.clear()
    hook.reply = answers(204)
    owner_runs(engine, "UPDATE notifications SET due_at = now()")
    deliver(state)
    bodies = [json.loads(request.body)["b"] for request in hook.seen]
    assert [n for n in bodies if n != 4] == [1, 2, 3]
    assert states(world) == {"DELIVERED": 4}


def test_a_hanging_receiver_delays_no_other_even_of_its_organization(
    state: ProcessState, world: World, other: World, receiver: Callable[[Reply], Receiver], freed: threading.Event
) -> None:
    begun, finished = threading.Semaphore(0), threading.Event()

    def hang(_connection: Any, _request: Received) -> None:
        begun.release()
        freed.wait(patient(60))
        finished.set()

    hanging, hook = receiver(hang), receiver(answers(204))
    for n in range(60):
        order(state, world, hanging.url, number=n)
    for item in (world, other):
        order(state, item, hook.url, number=100)
    seen: list[tuple[int, bool]] = []

    def look() -> None:
        if len(hook.seen) == 2 and not freed.is_set():
            # As many calls hang as may at once, and both others have been delivered meanwhile.
            seen.append((sum(begun.acquire(timeout=patient(30)) for _ in range(OF_PAIR)), finished.is_set()))
            assert not begun.acquire(timeout=0.3)
            freed.set()

    deliver(state, while_busy=look)
    assert seen == [(OF_PAIR, False)]
    assert rows(other)[0].state is NotificationState.DELIVERED


def test_first_tries_come_before_others(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    for n in range(OF_PAIR * 3):
        order(state, world, hook.url, number=n)
    hook.reply = answers(404)
    deliver(state)
    owner_runs(engine, "UPDATE notifications SET due_at = now() - interval '1 hour'")
    hook.seen.clear()
    for n in range(OF_PAIR):
        order(state, world, hook.url, number=100 + n)
    deliver(state)
    first = [json.loads(request.body)["b"] for request in hook.seen[:OF_PAIR]]
    assert sorted(first) == [100 + n for n in range(OF_PAIR)]


def test_a_destination_that_is_unavailable_is_called_seldom_and_given_up_in_the_end(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    for n in range(60):
        order(state, world, url, number=n)
    order(state, world, hook.url, number=100)
    deliver(state)
    calls = sum(row.attempts for row in rows(world) if row.url == url)
    assert FAILURES_MAX <= calls < FAILURES_MAX + OF_PAIR
    assert states(world) == {"PENDING": 60, "DELIVERED": 1}
    owner_runs(engine, "UPDATE notifications SET give_up_at = now(), due_at = now() WHERE state = 'PENDING'")
    deliver(state)
    assert states(world) == {"DEAD": 60, "DELIVERED": 1}
    assert {"Given up" in str(row.last_error) for row in rows(world) if row.attempts == 0} == {True}


def test_any_number_of_processes_call_each_once(
    state: ProcessState, world: World, other: World, hook: Receiver
) -> None:
    for n in range(60):
        for item in (world, other):
            order(state, item, hook.url, number=n)
    deliver(state, *(replace(state, holder=f"host{n}/{state.holder}") for n in range(3)), calls=5)
    assert states(world, other) == {"DELIVERED": 120}
    assert len(hook.seen) == len({request.headers["X-Argus-Delivery"] for request in hook.seen}) == 120


@pytest.mark.parametrize(
    "raw", [b"\x00\x01nonsense", b"HTTP/1.1 \x00\xed\xa0\x80 \r\n\r\n", b"HTTP/1.1 999 \x00\r\n\r\n"]
)
def test_an_answer_of_nonsense_is_one_deliverys_fault(
    state: ProcessState, world: World, other: World, receiver: Callable[[Reply], Receiver], raw: bytes
) -> None:
    lying, hook = receiver(sends(raw)), receiver(answers(200, b"\x00\x01"))
    for n in range(4):
        order(state, world, lying.url, number=n)
        order(state, other, hook.url, number=n)
        order(state, world, hook.url, number=10 + n)
    deliver(state)
    deliver(state)
    assert len(hook.seen) == len({request.headers["X-Argus-Delivery"] for request in hook.seen}) == 8
    assert states(other) == {"DELIVERED": 4}
    assert states(world) == {"DELIVERED": 4, "PENDING": 4}


@pytest.mark.parametrize("error", ["a\0b\ud800c", "x" * 10_000, "\0" * 600])
def test_any_text_can_be_the_reason(state: ProcessState, world: World, error: str) -> None:
    order(state, world, "https://example.org/")
    scope: dict[str, Any] = {"organization_id": world.organization_id, "claimer": "me", "now": datetime.now(UTC)}
    with transaction(state.engine, world.organization_id) as session:
        [claimed] = notifications_claim(session, slots={"example.org:443": 1}, **scope)
        notification_record(session, notification=claimed, error=error, **scope)
    [row] = rows(world)
    assert row.last_error is not None
    assert 0 < len(row.last_error) <= ERROR_MAX_CHARS


def test_an_outcome_that_cannot_be_written_is_lost_alone_and_dead_after_some_losses(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    poison = order(state, world, hook.url)
    owner_runs(
        engine,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.id = '{poison}' AND NEW.state = 'DELIVERED' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER refuse BEFORE UPDATE ON notifications FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    for n in range(LOSSES_MAX):
        order(state, world, hook.url, number=10 + n)
        deliver(state)
        assert states(world) == {"DELIVERED": n + 1, "PENDING": 1}
        owner_runs(engine, "UPDATE notifications SET due_at = now()")
    deliver(state)
    [row] = [row for row in rows(world) if row.state is NotificationState.DEAD]
    assert (row.id, row.attempts) == (poison, LOSSES_MAX)
    assert row.last_error == f"What came of the call was lost {LOSSES_MAX} times in a row."
    assert Counter(request.headers["X-Argus-Delivery"] for request in hook.seen)[str(poison)] == LOSSES_MAX
    assert states(world) == {"DELIVERED": LOSSES_MAX, "DEAD": 1}


def test_claims_of_expired_leases_and_dead_processes_are_taken_over(state: ProcessState, world: World) -> None:
    order(state, world, "https://example.org/")
    now = datetime.now(UTC)
    scope: dict[str, Any] = {"organization_id": world.organization_id, "slots": {"example.org:443": 5}}
    for at, claimer, expected in (
        (now, "a", [1]),
        (now + LEASE - timedelta(seconds=1), "b", []),
        (now + LEASE, "b", [2]),
    ):
        with transaction(state.engine, world.organization_id) as session:
            claimed = notifications_claim(session, claimer=claimer, now=at, **scope)
        assert [notification.attempts for notification in claimed] == expected
    [mine] = claimed
    with transaction(state.engine, world.organization_id) as session:
        # Who lost it has no say any more.
        records = {
            claimer: notification_record(
                session, organization_id=world.organization_id, notification=replace(mine, attempts=attempts),
                claimer=claimer, error=None, now=now,
            )
            for claimer, attempts in (("a", 1), ("c", 2))
        }  # fmt: skip
        assert records == {"a": None, "c": None}
        claims_end(session, organization_id=world.organization_id, claimer="b")
        [again] = notifications_claim(session, claimer="c", now=datetime.now(UTC), **scope)
    assert again.attempts == 3


def test_a_dead_processs_claims_are_taken_from_it(state: ProcessState, world: World, hook: Receiver) -> None:
    order(state, world, hook.url)
    here, pid, started = state.holder.rsplit("/", 2)
    dead = f"{here}/{pid}/{int(started) - 1}"
    with transaction(state.engine, world.organization_id) as session:
        slots = {hook.destination: 1}
        assert notifications_claim(
            session, organization_id=world.organization_id, slots=slots, claimer=dead, now=datetime.now(UTC)
        )
    deliver(state)
    deliver(state)
    assert (len(hook.seen), states(world)) == (1, {"DELIVERED": 1})


def test_a_stopping_process_releases_hanging_calls(
    state: ProcessState, world: World, receiver: Callable[[Reply], Receiver], freed: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("workers.notifications.STOP_S", 0.2)
    hanging = receiver(hangs(freed))
    order(state, world, hanging.url)

    async def work() -> None:
        stopping = asyncio.Event()
        deliverer = Deliverer(state, calls=4)
        running = asyncio.create_task(deliverer.run(stopping))
        await wait_until_async(lambda: hanging.seen)
        stopping.set()
        await running
        deliverer.close()

    asyncio.run(work())
    hanging.reply = answers(204)
    deliver(state)
    assert (len(hanging.seen), states(world)) == (2, {"DELIVERED": 1})


def test_without_a_secret_nothing_is_sent(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    owner_runs(engine, "DELETE FROM webhook_secrets")
    order(state, world, hook.url)
    deliver(state)
    assert hook.seen == []
    assert rows(world)[0].last_error == "There is no secret to sign with; make one with rotateWebhookSecret."


def test_a_test_is_one_call_that_does_not_wait_for_others(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    now = datetime.now(UTC)

    def ordered(url: str) -> Notification:
        with world.session() as session:
            # What the API allows on this host.
            session.info["webhook_allowed"] = LOCAL
            return webhook_test(
                session, organization_id=world.organization_id, notification_id=new_id(), url=url, now=now
            )

    closed = f"http://127.0.0.1:{free_port()}/"
    for n in range(60):
        order(state, world, closed, number=n)
    assert (ordered(hook.url).event_id, ordered(closed).state) == (None, NotificationState.PENDING)
    deliver(state)
    [request] = hook.seen
    assert json.loads(request.body)["change"] == "TEST"
    tests = {row.url: row for row in rows(world) if row.event_id is None}
    assert tests[hook.url].state is NotificationState.DELIVERED
    # Once only, though others to the same place are tried again, or wait.
    assert (tests[closed].state, tests[closed].attempts) == (NotificationState.DEAD, 1)
    for _ in range(TESTS_MAX):
        ordered(hook.url)
    with pytest.raises(LimitExceededError):
        ordered(hook.url)


def test_outcomes_of_calls_are_counted(
    state: ProcessState, world: World, hook: Receiver, engine: Callable[[str], Engine]
) -> None:
    order(state, world, hook.url)
    order(state, world, f"http://127.0.0.1:{free_port()}/", number=2)
    deliver(state)
    with Session(engine("api")) as session:
        counts = {
            (row.name, row.labels.get("outcome")): row.value
            for row in session.execute(text("SELECT * FROM deliveries_state()"))
        }
    assert counts["argus_notifications_waiting", None] == 1
    assert (counts["argus_webhook_calls_total", "delivered"], counts["argus_webhook_calls_total", "failed"]) == (1, 1)
    assert counts["argus_webhook_heartbeat_age_seconds", None] < 600


def test_the_api_can_set_a_secret_and_not_read_it(world: World) -> None:
    secret_set(world, "argus_whs_another")
    for column in ("secret", "previous_secret"):
        with pytest.raises(Exception, match="permission denied"), world.session() as session:
            session.execute(text(f"SELECT {column} FROM webhook_secrets"))  # noqa: S608


def test_it_is_given_up_after_a_day(state: ProcessState, world: World) -> None:
    order(state, world, "https://example.org/")
    [row] = rows(world)
    assert row.give_up_at - row.created_at == GIVE_UP
