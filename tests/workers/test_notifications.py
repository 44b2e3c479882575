"""Calls of webhooks, to a real server: signed, tried again, given up, and never where they must not go."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import workers.webhooks
from domain.notifications.address import Allowed
from domain.notifications.model import NotificationState
from domain.notifications.operations import (
    delivering_hold,
    notification_order,
    notification_retry,
    notifications_claim,
    webhook_secret_rotate,
)
from domain.notifications.queries import notifications_page
from domain.notifications.signing import ATTEMPTS_MAX, signature
from graph.errors import ConflictError
from graph.paging import PageRequest
from runtime.database import transaction
from tests.graph.world import World, new_id, world_create
from workers.context import WorkerContext
from workers.notifications import OF_ORGANIZATION_AT_ONCE, deliver
from workers.process import ProcessState
from workers.webhooks import ANSWER_MAX_BYTES, webhook_call

SECRET = "argus_whs_of_a_test"
LOCAL = Allowed.parse(["127.0.0.0/8"])


@dataclass
class Hook:
    """A server that notes what it is sent. reply: what it does with a request."""

    url: str = ""
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    reply: Callable[[BaseHTTPRequestHandler], None] = lambda handler: answer(handler, 204)


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if status != 204:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.seen.append((dict(self.headers), body))
            made.reply(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(engine: Callable[[str], Engine]) -> World:
    return world_create(owner=engine("owner"), api=engine("api"), slug="plant")


@pytest.fixture
def other(world: World, engine: Callable[[str], Engine]) -> World:
    return world_create(owner=engine("owner"), api=engine("api"), slug="other")


@pytest.fixture
def context(context: WorkerContext) -> WorkerContext:
    return replace(context, webhook_allow=("127.0.0.0/8",))


def call(url: str, allowed: Allowed = LOCAL) -> str | None:
    return webhook_call(url, body=b"{}", headers={}, allowed=allowed)


def secret_set(world: World, secret: str = SECRET) -> None:
    with world.changing() as (session, change):
        webhook_secret_rotate(session, change=change, secret=secret)


def order(state: ProcessState, world: World, url: str, change_id: int = 1) -> UUID:
    notification_id = new_id()
    with transaction(state.engine, world.organization_id) as session:
        notification_order(
            session, organization_id=world.organization_id, notification_id=notification_id, change_id=change_id,
            event_id=new_id(), url=url, sequence=1, payload={"b": 1, "a": [2]}, now=datetime.now(UTC),
        )  # fmt: skip
    return notification_id


def rows(world: World) -> list[Any]:
    with world.session() as session:
        page = notifications_page(session, organization_id=world.organization_id, page=PageRequest(10, None))
        return list(page.items)


def test_a_call_is_signed_and_delivered_once(state: ProcessState, world: World, hook: Hook) -> None:
    secret_set(world)
    sent = order(state, world, hook.url)
    deliver()
    deliver()
    [(headers, body)] = hook.seen
    assert json.loads(body) == {"a": [2], "b": 1}
    timestamp = int(headers["X-Argus-Timestamp"])
    assert abs(timestamp - time.time()) < 60
    assert headers["X-Argus-Signature"] == signature(secret=SECRET, timestamp=timestamp, body=body)
    assert (headers["X-Argus-Delivery"], headers["Content-Type"]) == (str(sent), "application/json")
    [row] = rows(world)
    assert (row.state, row.attempts, row.last_error) == (NotificationState.DELIVERED, 1, None)


def test_a_change_is_told_once_however_often_it_is_ordered(state: ProcessState, world: World) -> None:
    first = order(state, world, "https://example.org/")
    order(state, world, "https://example.org/")
    assert [row.id for row in rows(world)] == [first]


def test_one_that_fails_is_tried_again_later_and_dead_in_the_end(
    state: ProcessState, world: World, hook: Hook, engine: Callable[[str], Engine]
) -> None:
    secret_set(world)
    sent = order(state, world, hook.url)
    hook.reply = lambda handler: answer(handler, 503)
    before = datetime.now(UTC)
    deliver()
    [row] = rows(world)
    assert (row.state, row.attempts, row.last_error) == (NotificationState.PENDING, 1, "The answer is 503.")
    assert timedelta(seconds=2.5) <= row.due_at - before <= timedelta(seconds=15)
    with world.session() as session, pytest.raises(ConflictError):
        notification_retry(session, organization_id=world.organization_id, notification_id=sent, now=datetime.now(UTC))
    with Session(engine("owner")) as session, session.begin():
        session.execute(text("UPDATE notifications SET attempts = :last, due_at = now()"), {"last": ATTEMPTS_MAX - 1})
    deliver()
    [row] = rows(world)
    assert (row.state, row.attempts, len(hook.seen)) == (NotificationState.DEAD, ATTEMPTS_MAX, 2)
    hook.reply = lambda handler: answer(handler, 200, b"ok")
    with world.session() as session:
        notification_retry(session, organization_id=world.organization_id, notification_id=sent, now=datetime.now(UTC))
    deliver()
    [row] = rows(world)
    assert (row.state, row.attempts, row.last_error) == (NotificationState.DELIVERED, 1, None)
    assert {headers["X-Argus-Delivery"] for headers, _ in hook.seen} == {str(sent)}


def test_one_taken_up_by_a_process_that_ended_is_taken_up_again(state: ProcessState, world: World) -> None:
    order(state, world, "https://example.org/")
    scope = {"organization_id": world.organization_id, "limit": 10}
    now = datetime.now(UTC)
    for at, expected in ((now, [1]), (now, []), (now + timedelta(minutes=2), [2])):
        with transaction(state.engine, world.organization_id) as session:
            claimed = notifications_claim(session, now=at, **scope)
        assert [each.attempts for each in claimed] == expected


def test_sides_that_hang_keep_nobody_waiting(state: ProcessState, world: World, other: World, hook: Hook) -> None:
    for each in (world, other):
        secret_set(each)
    freed, at_once, most = threading.Event(), threading.Semaphore(0), []

    def reply(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/hangs":
            at_once.release()
            freed.wait(20)
        else:
            # Told while every call that the other organization may have under way still hangs.
            most.append(sum(at_once.acquire(timeout=5) for _ in range(OF_ORGANIZATION_AT_ONCE)))
            freed.set()
        answer(handler, 204)

    hook.reply = reply
    for n in range(OF_ORGANIZATION_AT_ONCE * 2):
        order(state, world, hook.url.replace("/hook", "/hangs"), change_id=n)
    order(state, other, hook.url)
    deliver()
    assert (most, at_once.acquire(blocking=False)) == ([OF_ORGANIZATION_AT_ONCE], True)
    assert {row.state for each in (world, other) for row in rows(each)} == {NotificationState.DELIVERED}


def test_only_one_delivers_at_a_time(state: ProcessState, world: World, hook: Hook) -> None:
    secret_set(world)
    order(state, world, hook.url)
    with transaction(state.engine) as session:
        assert delivering_hold(session)
        deliver()
        assert hook.seen == []
    deliver()
    assert len(hook.seen) == 1


def test_without_a_secret_nothing_is_sent(state: ProcessState, world: World, hook: Hook) -> None:
    order(state, world, hook.url)
    deliver()
    assert hook.seen == []
    assert rows(world)[0].last_error == "There is no secret to sign with; make one with rotateWebhookSecret."


def test_a_loopback_address_is_refused_unless_configured(hook: Hook) -> None:
    port = hook.url.split(":")[2].split("/")[0]
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        refused = call(f"http://{host}:{port}/", Allowed())
        assert refused is not None, host
        assert "which is loopback; ARGUS_WEBHOOK_ALLOW does not allow it." in refused, host
    assert hook.seen == []
    assert call(hook.url) is None


def test_a_name_is_looked_up_once_and_all_its_addresses_count(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(hook.url.split(":")[2].split("/")[0])
    lookups: list[str] = []
    addresses = ["127.0.0.1"]

    def look_up(host: str, _port: int, **_: Any) -> list[Any]:
        lookups.append(host)
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(workers.webhooks, "_addresses", lambda host, port: [e[4][0] for e in look_up(host, port)])
    url = f"http://hook.example:{port}/hook"
    assert call(url, Allowed.parse(["hook.example"])) is None
    assert (lookups, hook.seen[0][0]["Host"]) == (["hook.example"], f"hook.example:{port}")
    addresses[:] = ["93.184.216.34", "169.254.169.254"]
    refused = call(url, Allowed())
    assert refused is not None
    assert refused.startswith("hook.example is at 169.254.169.254, which is link-local")
    assert len(hook.seen) == 1


def test_redirects_are_not_followed(hook: Hook) -> None:
    hook.reply = lambda handler: answer(handler, 302, Location=hook.url)
    assert call(hook.url) == "The answer is 302; redirects are not followed."
    assert len(hook.seen) == 1


def test_an_answer_is_bounded_in_size_and_time(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    def long(handler: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            answer(handler, 200, b"x" * (ANSWER_MAX_BYTES * 100))

    hook.reply = long
    # Taken, and not read to its end: it would be sent again and again.
    assert call(hook.url) is None

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.05)

    monkeypatch.setattr(workers.webhooks, "TOTAL_S", 0.4)
    hook.reply = drip
    began = time.monotonic()
    refused = call(hook.url)
    assert time.monotonic() - began < 2
    assert refused == "The call took longer than 0.4 s."


def test_a_server_without_a_good_certificate_is_told_nothing(hook: Hook) -> None:
    refused = call(hook.url.replace("http://", "https://"))
    assert refused is not None
    assert refused.startswith("No answer: SSL")
    assert hook.seen == []


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_a_name_that_cannot_be_is_told(host: str) -> None:
    refused = call(f"http://{host}/")
    assert refused is not None
    assert refused.startswith("There is no such place: ")


def test_where_nobody_listens_the_fault_is_told() -> None:
    refused = call("http://127.0.0.1:1/")
    assert refused is not None
    assert refused.startswith("No answer: ConnectionRefusedError")


def test_the_api_can_set_a_secret_and_not_read_it(world: World) -> None:
    secret_set(world)
    secret_set(world, "argus_whs_another")
    with pytest.raises(Exception, match="permission denied"), world.session() as session:
        session.execute(text("SELECT secret FROM webhook_secrets"))
