"""Webhook notifications under chaos: rules about devices and assets, and receivers that answer, stall, hang and lie.

The expected notifications are computed from the raw log, by the same reference as everything else here.
"""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from testing.installation import Client
from testing.receivers import Received, Receiver, Reply, answers, hangs, receiver_open
from testing.waits import Deadline, quiet_period
from tests.chaos.watched import HIGH, DetectedEvent, Version, episodes, tracks_of

# Devices of a type of their own, by their number: what they measure is evaluated at the device.
METERS: Final = range(4, 8)
METER: Final = "meter"
METRIC: Final = "surge"
SAID: Final = [Version(0, HIGH, "LOW")]
# Receivers that accept notifications, and others.
TAKING: Final = ("healthy", "slow", "assets")
FAILING: Final = ("hanging", "lying")
_LIES: Final = (
    b"\x00\x01nonsense",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\x00\xff",
    b"HTTP/1.1 200 OK\r\nX: " + b"\x00" * 9 + b"\r\n\r\n",
    b"",
)
_OPEN: Final = {"OPENED", "REOPENED", "ESCALATED"}
_CALLS = """SELECT e.id::text, e.cleared_at IS NOT NULL, e.withdrawn_at IS NOT NULL
    FROM events e JOIN rules r ON r.organization_id = e.organization_id AND r.id = e.rule_id WHERE r.name = %s"""
_EVENTS = """SELECT n.name, round(extract(epoch FROM e.began_at) * 1000), round(extract(epoch FROM e.opened_at) * 1000),
        round(extract(epoch FROM e.cleared_at) * 1000), e.severity
    FROM events e JOIN entities n ON n.organization_id = e.organization_id AND n.id = e.entity_id
        JOIN rules r ON r.organization_id = e.organization_id AND r.id = e.rule_id
    WHERE r.name = %s AND e.withdrawn_at IS NULL ORDER BY 1, 2, 3"""


@dataclass(frozen=True, slots=True)
class Receivers:
    """The receivers, by name. A rule named `notify NAME` notifies each."""

    by_name: dict[str, Receiver]

    def seen(self) -> int:
        """Return how many calls came, of all of them."""
        return sum(len(receiver.seen) for receiver in self.by_name.values())


@contextmanager
def receivers_open() -> Iterator[Receivers]:
    """Run all receivers."""
    with ExitStack() as stack:
        made = {name: stack.enter_context(receiver_open(answers(204))) for name in (*TAKING, *FAILING)}
        made["slow"].reply = _slow
        made["hanging"].reply = hangs(made["hanging"].ended)
        made["lying"].reply = _lies()
        yield Receivers(made)


def notifications_prepare(client: Client, receivers: Receivers) -> None:
    """Make the rules. Devices are there."""
    assert (
        client.call("mutation { rotateWebhookSecret { errors { code } } }").data["rotateWebhookSecret"]["errors"] == []
    )
    for name, receiver in receivers.by_name.items():
        of_assets = name == "assets"
        limits = {"value": HIGH, "for": "PT3S", "clearValue": 20, "clearFor": "PT2S"}
        metric = "wave" if of_assets else METRIC
        rule = {
            "name": f"notify {name}",
            "scope": {"kind": "ASSET", "type": "watched"} if of_assets else {"kind": "DEVICE", "type": METER},
            "severity": "LOW",
            "condition": {"threshold": {"metric": metric, "operator": "GT", **limits}},
            "damping": {"maxEvents": 100, "per": "PT1H"},
            "action": {"webhookUrl": receiver.url},
            "effectiveFrom": "2020-01-01T00:00:00Z",
        }
        made = client.call(
            "mutation R($i: RuleInput!) { createRule(input: $i) { rule { id } errors { message } } }", {"i": rule}
        ).data["createRule"]
        assert made["errors"] == []


def notifications_drain(connection: psycopg.Connection[Any], receivers: Receivers, *, patience_s: float) -> None:
    """Wait until all notifications to the accepting receivers are delivered."""
    _until_none(connection, [receivers.by_name[name] for name in TAKING], patience_s)


def notifications_give_up(connection: psycopg.Connection[Any]) -> None:
    """Let a day pass for undelivered notifications."""
    connection.execute("UPDATE notifications SET give_up_at = now(), due_at = now() WHERE state = 'PENDING'")
    connection.commit()


def notifications_end(connection: psycopg.Connection[Any], receivers: Receivers, *, patience_s: float) -> None:
    """Wait until no notification is pending."""
    _until_none(connection, list(receivers.by_name.values()), patience_s)


def notifications_check(connection: psycopg.Connection[Any], receivers: Receivers) -> str:
    """Compare events and calls with the raw log; return a summary."""
    meters = {f"d{n}" for n in METERS}
    of_devices = {f"meter{name[1:]}": track for name, track in tracks_of(connection, METRIC).items() if name in meters}
    of_assets = {f"pump{name[1:]}": track for name, track in tracks_of(connection, "wave").items()}
    assert len(of_devices) == len(METERS)
    events = 0
    for name in receivers.by_name:
        tracks = of_assets if name == "assets" else of_devices
        wanted = sorted(event for entity, track in tracks.items() for event in episodes(entity, track, SAID))
        rows = connection.execute(_EVENTS, [f"notify {name}"]).fetchall()
        detected = [
            DetectedEvent(entity, int(began), int(opened), None if cleared is None else int(cleared), severity)
            for entity, began, opened, cleared, severity in rows
        ]
        assert detected == wanted, name
        events += len(wanted)
    states = _states(connection)
    for name, receiver in receivers.by_name.items():
        assert states[receiver.destination].keys() == {"DELIVERED" if name in TAKING else "DEAD"}, (name, states)
    calls = sum(_calls_check(connection, name, receivers.by_name[name]) for name in TAKING)
    dead = sum(states[receivers.by_name[name].destination]["DEAD"] for name in FAILING)
    return f"{events} events notified in {calls} calls, {dead} given up"


def _calls_check(connection: psycopg.Connection[Any], name: str, receiver: Receiver) -> int:
    """The notifications of each event are numbered without gaps, and end in its stored state."""
    calls: dict[str, list[tuple[int, str]]] = {}
    for request in receiver.seen:
        body = json.loads(request.body)
        calls.setdefault(body["event"]["id"], []).append((body["sequence"], body["change"]))
    stored = connection.execute(_CALLS, [f"notify {name}"]).fetchall()
    for event_id, is_cleared, is_withdrawn in stored:
        calls_made = calls.pop(event_id, [])
        if not calls_made:
            assert is_withdrawn, (name, event_id)
            continue
        numbers = [number for number, _ in calls_made]
        # A call whose outcome was lost comes again, and no other before it.
        assert numbers == sorted(numbers), (name, calls_made)
        assert sorted(set(numbers)) == list(range(1, len(set(numbers)) + 1)), (name, calls_made)
        last = calls_made[-1][1]
        if is_withdrawn:
            assert last == "WITHDRAWN", (name, calls_made)
        elif is_cleared:
            assert last == "CLEARED", (name, calls_made)
        else:
            assert last in _OPEN, (name, calls_made)
    assert calls == {}, name
    return len(receiver.seen)


def _states(connection: psycopg.Connection[Any]) -> dict[str, Counter[str]]:
    states: dict[str, Counter[str]] = {}
    for destination, state, count in connection.execute(
        "SELECT destination, state, count(*) FROM notifications GROUP BY 1, 2"
    ):
        states.setdefault(destination, Counter())[state] = count
    return states


def _until_none(connection: psycopg.Connection[Any], receivers: Sequence[Receiver], patience_s: float) -> None:
    deadline = Deadline(patience_s)
    while any(_states(connection).get(receiver.destination, Counter())["PENDING"] for receiver in receivers):
        connection.rollback()
        deadline.pause(_states(connection), seconds=0.3)
    connection.rollback()


def _slow(connection: socket.socket, request: Received) -> None:
    # Nothing waits for this: a receiver that takes its time.
    quiet_period(random.uniform(0.5, 2))
    answers(200, b"\x00\x01 at last")(connection, request)


def _lies() -> Reply:
    """Answer each call with another lie."""
    count = 0

    def reply(connection: socket.socket, _request: Received) -> None:
        nonlocal count
        count += 1
        connection.sendall(_LIES[count % len(_LIES)])

    return reply
