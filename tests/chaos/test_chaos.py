"""kill -9 of API, workers, Valkey and PostgreSQL at random while readings come in late, twice and out of order.

What was acknowledged is in the history once, with the value it was sent with; the counts of ingest accounting add up; what is derived is
complete; and a replay of all of it finds nothing to put right. `make chaos` sends a million readings and kills twenty
times; the ordinary run is smaller.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from runtime.settings.load import settings_load
from testing.clean_run import KILLED_BUS, KILLED_DATABASE, KILLED_PART
from testing.installation import Client, Installation
from testing.waits import Deadline, patient, quiet_period
from tests.chaos.notifications import (
    METER,
    METERS,
    METRIC,
    Receivers,
    notifications_check,
    notifications_drain,
    notifications_end,
    notifications_give_up,
    notifications_prepare,
    receivers_open,
)
from tests.chaos.watched import PUMPS, watched_check, watched_drain, watched_prepare, wave

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

READINGS = int(os.environ.get("CHAOS_READINGS", "30000"))
KILLS = int(os.environ.get("CHAOS_KILLS", "6"))
SEED = int(os.environ.get("CHAOS_SEED", str(random.SystemRandom().randrange(10**6))))
PATIENCE_S = 900 if READINGS > 100_000 else 240
DEVICES = 100
READINGS_PER_CALL = 1_000 if READINGS > 100_000 else 200
SENDERS = 4
BEGIN_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
END_MS = BEGIN_MS + READINGS * 10
WEBHOOKS = "argus-webhooks"
VICTIMS = ("argus api", "argus worker", "valkey-server", "postgres", WEBHOOKS)
INGEST = """mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted rejected } }"""


def reading(number: int) -> dict[str, Any]:
    """Each number is a reading of its own: its device, time and value follow from it."""
    device, round_ = number % DEVICES, number // DEVICES
    rounds = -(-READINGS // DEVICES)
    watched = {"wave": wave(round_, rounds)} if device < PUMPS else {}
    if device in METERS:
        watched = {METRIC: wave(round_, rounds)}
    return {
        "externalId": f"d{device}",
        "timestamp": BEGIN_MS + number * 10,
        "metrics": {"number": number, "half": number / 2, **watched},
    }


@dataclass
class Sending:
    """Calls in a canonical order, some of them twice; each is repeated until it is acknowledged."""

    installation: Installation
    token: str
    calls: list[list[int]]
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    failure: BaseException | None = None

    def run(self) -> None:
        try:
            while (numbers := self._take()) is not None:
                self._until_acknowledged(numbers)
        except BaseException as error:
            self.failure = error
            raise

    def _take(self) -> list[int] | None:
        with self.lock:
            return self.calls.pop() if self.calls else None

    def _until_acknowledged(self, numbers: list[int]) -> None:
        readings = [reading(number) for number in numbers]
        # One call in eight goes by the mutation.
        by_mutation = numbers[0] % 8 == 0
        path = "/graphql" if by_mutation else "/api/v1/telemetry/ingest"
        body = json.dumps({"query": INGEST, "variables": {"r": readings}} if by_mutation else readings)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        deadline = Deadline(PATIENCE_S)
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.installation.port, timeout=patient(30))
            try:
                connection.request("POST", path, body, headers)
                answer = json.loads(connection.getresponse().read())
                done = (answer.get("data") or {}).get("ingestTelemetry") if by_mutation else answer
                if done and done["accepted"]:
                    assert (done["accepted"], done["rejected"]) == (len(numbers), 0), answer
                    with self.lock:
                        self.acknowledged += len(numbers)
                    return
                reason = answer["errors"][0].get("code") or answer["errors"][0]["extensions"]["code"]
            except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                reason = type(error).__name__
            finally:
                connection.close()
            with self.lock:
                self.refused[reason] += 1
            deadline.pause("A call was never acknowledged.", seconds=0.2)


def calls_make(chance: random.Random) -> tuple[list[list[int]], int]:
    """Return what each call carries, late, out of order and some twice, and how many readings that is in all."""
    numbers = list(range(READINGS))
    # Within a range everything is shuffled; some of it comes much later.
    for first in range(0, READINGS, 5_000):
        compute_range = numbers[first : first + 5_000]
        chance.shuffle(compute_range)
        numbers[first : first + 5_000] = compute_range
    late = set(chance.sample(range(READINGS), READINGS // 20))
    numbers = [n for n in numbers if n not in late] + sorted(late)
    calls = [numbers[n : n + READINGS_PER_CALL] for n in range(0, READINGS, READINGS_PER_CALL)]
    calls += [call[::-1] for call in chance.sample(calls, len(calls) // 20)]
    return calls[::-1], sum(map(len, calls))


def kill(installation: Installation, victim: str, chance: random.Random) -> int:
    """Kill what is behind a name: of workers sometimes one, else all of it at once."""
    pids = webhook_processes(installation) if victim == WEBHOOKS else installation.children(victim)
    if victim == "argus worker" and chance.random() < 0.5:
        pids = [chance.choice(pids)] if pids else []
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(pids)


def webhook_processes(installation: Installation) -> list[int]:
    """Return the processes that call webhooks; they bear their workers' command line, and a name of their own."""
    pids = []
    for pid in installation.children("argus worker"):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == WEBHOOKS:
                pids.append(pid)
    return pids


def plant_prepare(client: Client, receivers: Receivers) -> None:
    """Make devices, and an asset that derives something from one of them."""
    for n in range(DEVICES):
        device = {"name": f"meter{n}", "externalId": f"d{n}", **({"type": METER} if n in METERS else {})}
        client.call("mutation D($i: CreateDeviceInput!) { createDevice(input: $i) { errors { code } } }", {"i": device})
    client.call(
        """mutation { createEntityType(input: {kind: ASSET, name: "pump", effectiveFrom: "2020-01-01T00:00:00Z",
             telemetrySchema: {derived: {sum: {sum: {number: 1, half: 2}, maxAge: "PT1M"}}}}) { errors { message } } }"""
    )
    made = client.call('mutation { createAsset(input: {name: "a", type: "pump"}) { asset { id } } }').data
    device = client.call('{ entity(kind: DEVICE, externalId: "d7") { id } }').data["entity"]["id"]
    client.call(
        """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,
             validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""",
        {"d": device, "a": made["createAsset"]["asset"]["id"]},
    )
    watched_prepare(client, begins=BEGIN_MS, ends=END_MS)
    notifications_prepare(client, receivers)


def ingest_counts(client: Client) -> dict[str, float]:
    result: dict[str, float] = client.call(
        '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending } }'
    ).data["ingestAccount"]
    return result


def replay_differences(client: Client) -> dict[str, Any]:
    """Replay everything; return the differences."""
    ordered = client.call(
        """mutation { replayTelemetry(input: {from: "2020-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z"}) {
             replay { id } errors { message } } }"""
    ).data["replayTelemetry"]
    deadline = Deadline(PATIENCE_S)
    while True:
        row: dict[str, Any] = client.call(
            "query R($id: ID!) { replay(id: $id) { state done total changes message } }",
            {"id": ordered["replay"]["id"]},
        ).data["replay"]
        if row["state"] not in {"QUEUED", "RUNNING"}:
            return row
        deadline.pause(row)


@pytest.mark.timeout(PATIENCE_S * 2)
# Calls to receivers that hang and lie are given up, and reported as errors.
@pytest.mark.provokes(KILLED_PART, KILLED_DATABASE, KILLED_BUS, r"notification_failed", is_counted=True)
def test_nothing_acknowledged_is_lost_or_doubled(own_installation: Installation) -> None:
    with receivers_open() as receivers:
        chaos(own_installation, receivers)


def chaos(own_installation: Installation, receivers: Receivers) -> None:
    """Send, kill and compare."""
    chance = random.Random(SEED)
    print(f"\nCHAOS_SEED={SEED} CHAOS_READINGS={READINGS} CHAOS_KILLS={KILLS}")
    client = own_installation.organization("Chaos")
    plant_prepare(client, receivers)
    assert client.token is not None
    calls, sent = calls_make(chance)
    sending = Sending(own_installation, client.token, calls)
    threads = [threading.Thread(target=sending.run) for _ in range(SENDERS)]
    began_s = time.monotonic()
    for thread in threads:
        thread.start()
    killed: Counter[str] = Counter()
    while killed.total() < KILLS:
        # Spread over the sending, by how far it has come.
        due = sent * (killed.total() + 0.5) / KILLS
        deadline = Deadline(PATIENCE_S)
        while sending.acknowledged < due and any(thread.is_alive() for thread in threads):
            deadline.pause(sending.acknowledged, seconds=0.02)
        assert sending.failure is None
        # Each at least once, then whoever comes.
        fresh = [victim for victim in VICTIMS if not killed[victim]]
        victim = chance.choice(fresh or VICTIMS)
        killed[victim] += 1 if kill(own_installation, victim, chance) else 0
        # At any moment of what the kill set off.
        quiet_period(chance.random())
    for thread in threads:
        thread.join()
    assert sending.failure is None
    assert sending.acknowledged == sent
    sent_s = time.monotonic() - began_s
    own_installation.wait_ready()
    deadline = Deadline(PATIENCE_S)
    while (counts := ingest_counts(client))["pending"]:
        deadline.pause(counts)
    caught_up_s = time.monotonic() - began_s - sent_s
    # A call that was not answered may have been kept: its readings came twice then, and count once.
    assert counts["received"] >= sent
    assert counts == {**counts, "stored": READINGS, "duplicate": counts["received"] - READINGS, "dead": 0, "pending": 0}
    history_check(own_installation)
    derived_counts = derived_check(own_installation)
    summary = notified_check(own_installation, receivers)
    print(
        f"{sent} readings ({READINGS} different) in {sent_s:.0f} s, {sent / sent_s:,.0f} a second; caught up after"
        f" {caught_up_s:.1f} s; killed {dict(killed)}; calls that failed {dict(sending.refused)};"
        f" {counts['duplicate']:.0f} duplicates; {derived_counts}; {summary}"
    )
    began_s = time.monotonic()
    replayed = replay_differences(client)
    assert (replayed["state"], replayed["done"], replayed["changes"]["points"]) == ("FINISHED", counts["received"], 0)
    assert replayed["changes"]["letters"] == 0
    history_check(own_installation)
    assert derived_check(own_installation) == derived_counts
    # A replay sends no notifications.
    assert notified_check(own_installation, receivers) == summary
    print(f"replayed {replayed['done']:.0f} readings in {time.monotonic() - began_s:.1f} s, 0 differences")


def dsn_of(installation: Installation) -> str:
    url = make_url(settings_load(installation.home).database_url("owner")).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def derived_check(installation: Installation) -> str:
    """Compare derived data with the raw log; return a summary."""
    with psycopg.connect(dsn_of(installation)) as connection:
        watched_drain(connection, patience_s=PATIENCE_S)
        return watched_check(connection, begins=BEGIN_MS, ends=END_MS)


def notified_check(installation: Installation, receivers: Receivers) -> str:
    """Compare the notifications with the raw log; return a summary."""
    with psycopg.connect(dsn_of(installation)) as connection:
        notifications_drain(connection, receivers, patience_s=PATIENCE_S)
        notifications_give_up(connection)
        # Another does not know yet who is away.
        kill(installation, WEBHOOKS, random.Random(SEED))
        notifications_end(connection, receivers, patience_s=PATIENCE_S)
        return notifications_check(connection, receivers)


def history_check(installation: Installation) -> None:
    """Every point is there once, with its device, time and value; latest values are the last; all is derived."""
    with psycopg.connect(dsn_of(installation)) as connection:
        deadline = Deadline(PATIENCE_S)
        while connection.execute("SELECT count(*) FROM dirty_windows").fetchone() != (0,):
            connection.rollback()
            deadline.pause("Windows still wait to be derived.")
        # A point's number says all that it should be.
        rows = connection.execute(
            """SELECT s.metric, count(*), count(DISTINCT round(n)),
                   bool_and(extract(epoch FROM h.timestamp) * 1000 = %s + n * 10),
                   bool_and(CASE WHEN s.metric = 'sum' THEN n %% 100 = 7 ELSE e.external_id = 'd' || n %% 100 END)
               FROM telemetry_history h JOIN series s ON s.organization_id = h.organization_id AND s.id = h.series_id
               JOIN entities e ON e.organization_id = s.organization_id AND e.id = s.entity_id
               CROSS JOIN LATERAL (SELECT round((CASE s.metric WHEN 'number' THEN h.value WHEN 'half' THEN h.value * 2
                   ELSE h.value / 2 END)::numeric)::bigint AS n) v
               WHERE s.metric IN ('number', 'half', 'sum') GROUP BY 1 ORDER BY 1""",
            [BEGIN_MS],
        ).fetchall()
        derived = len(range(7, READINGS, DEVICES))
        assert rows == [
            ("half", READINGS, READINGS, True, True),
            ("number", READINGS, READINGS, True, True),
            ("sum", derived, derived, True, True),
        ]
        latest = connection.execute(
            """SELECT count(*) FROM latest_values l JOIN LATERAL (
                   SELECT max(h.timestamp) AS at FROM telemetry_history h
                   WHERE h.organization_id = l.organization_id AND h.series_id = l.series_id) m ON m.at = l.timestamp
               JOIN series s ON s.organization_id = l.organization_id AND s.id = l.series_id
               WHERE s.metric IN ('number', 'half', 'sum')"""
        ).fetchone()
        assert latest == (2 * DEVICES + 1,)
