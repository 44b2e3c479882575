"""Pumps that are watched through the chaos: a rule with an action, a rollup and health, and what they have to be.

What has to be is computed from the raw log by a few plain lines, as the documentation says it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from tests.support.plant import Client

PUMPS = 4
HIGH, CLEAR, CRITICAL = 50.0, 20.0, 80.0
FOR_MS, CLEAR_FOR_MS, MINUTE_MS = 3_000, 2_000, 60_000
# So often does what is measured go from low to high and back; the last stretch is high.
STRETCHES = 12
_PROFILE = """mutation { createAssetProfile(input: {name: "Watched", type: "watched",
    effectiveFrom: "2020-01-01T00:00:00Z", defaultHealthThresholds: {wave: {critHigh: 80, weight: 40}}
    health: {bucket: "PT1M", events: {HIGH: 30}}}) { assetProfile { id } errors { message } } }"""
_RULE = """mutation R($t: ID!) { createRule(input: {name: "high", scope: {kind: ASSET, type: "watched"}, severity: HIGH
    condition: {threshold: {metric: "wave", operator: GT, value: 50, for: "PT3S", clearValue: 20, clearFor: "PT2S"}}
    damping: {maxEvents: 100, per: "PT1H"}, action: {createActivityFromTemplateId: $t}
    effectiveFrom: "2020-01-01T00:00:00Z"}) { rule { id } errors { message } } }"""
_ROLLUP = """mutation { createRollup(input: {name: "waves", metric: "waves", relationship: "HAS_PART"
    of: {metric: "wave", kinds: [ASSET]}, aggregate: SUM, bucket: "PT1M"}) { errors { message } } }"""
_LINK = """mutation L($d: ID!, $p: ID!, $s: ID!) {
    l: linkDevice(input: {deviceId: $d, assetId: $p, validFrom: "2020-01-01T00:00:00Z"}) { errors { message } }
    e: createEdge(input: {sourceId: $s, targetId: $p, relationship: "HAS_PART",
        validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }"""

Track = Sequence[tuple[int, float]]


class Found(NamedTuple):
    """An event: of which pump, and when, in milliseconds."""

    pump: str
    began: int
    opened: int
    cleared: int | None


def wave(turn: int, turns: int) -> float:
    """What a pump measures at its nth reading of so many: low and high in turns, with a spike now and then."""
    is_high = (turn * STRETCHES // turns) % 2 == 1
    if turn % 13 == 0 and turn < turns - 13:
        is_high = not is_high
    return (90.0 if is_high else 5.0) + turn * 37 % 10 / 10


def watched_prepare(client: Client) -> None:
    """Make a site of pumps, each with a device that there is, and what watches them."""
    site = client.call('mutation { createAsset(input: {name: "site"}) { asset { id } } }').data["createAsset"]["asset"]
    made = client.call(
        'mutation { createActivityTemplate(input: {name: "Look"}) { activityTemplate { id } errors { message } } }'
    ).data["createActivityTemplate"]
    profile = client.call(_PROFILE).data["createAssetProfile"]
    assert (made["errors"], profile["errors"]) == ([], [])
    for n in range(PUMPS):
        pump = client.call(
            """mutation M($p: ID!, $n: String!) { createAssetFromProfile(profileId: $p, input: {name: $n, type: "watched"}) {
                 asset { id } errors { message } } }""",
            {"p": profile["assetProfile"]["id"], "n": f"pump{n}"},
        ).data["createAssetFromProfile"]
        assert pump["errors"] == []
        device = client.call(f'{{ entity(kind: DEVICE, externalId: "d{n}") {{ id }} }}').data["entity"]["id"]
        done = client.call(_LINK, {"d": device, "p": pump["asset"]["id"], "s": site["id"]}).data
        assert (done["l"]["errors"], done["e"]["errors"]) == ([], [])
    rule = client.call(_RULE, {"t": made["activityTemplate"]["id"]}).data["createRule"]
    assert rule["errors"] == []
    assert client.call(_ROLLUP).data["createRollup"]["errors"] == []


def watched_settle(connection: psycopg.Connection[Any], *, patience_s: float) -> None:
    """Wait until nothing is dirty and nothing waits to be followed."""
    deadline_s = time.monotonic() + patience_s
    waiting = (
        "SELECT (SELECT count(*) FROM dirty_windows), (SELECT count(*) FROM dirty_buckets),"
        " (SELECT count(*) FROM event_changes WHERE acted_at IS NULL), (SELECT count(*) FROM quiet_dirt)"
    )
    quiet = 0
    while quiet < 3:
        row = connection.execute(waiting).fetchone()
        connection.rollback()
        # What one leaves is the next one's work: none of it may be there for a while.
        quiet = quiet + 1 if row == (0, 0, 0, 0) else 0
        assert time.monotonic() < deadline_s, f"Work still waits: {row}"
        time.sleep(0.3)


def watched_check(connection: psycopg.Connection[Any]) -> str:
    """Compare events, the rollup, health and activities to what the raw log has; return what there was, in words."""
    tracks = tracks_read(connection)
    assert len(tracks) == PUMPS
    wanted = sorted(event for pump, track in tracks.items() for event in episodes(pump, track))
    found = connection.execute(
        """SELECT n.name, round(extract(epoch FROM e.began_at) * 1000), round(extract(epoch FROM e.opened_at) * 1000),
               round(extract(epoch FROM e.cleared_at) * 1000)
           FROM events e JOIN entities n ON n.organization_id = e.organization_id AND n.id = e.entity_id
           WHERE e.withdrawn_at IS NULL AND e.key = '' AND e.quiet_until IS NULL ORDER BY 1, 2, 3"""
    ).fetchall()
    assert [
        Found(pump, int(began), int(opened), None if cleared is None else int(cleared))
        for pump, began, opened, cleared in found
    ] == wanted
    points = {"waves": 0, "health": 0}
    assert series_read(connection, "waves") == {"site": rollup(tracks.values())}
    points["waves"] = len(rollup(tracks.values()))
    scores = series_read(connection, "health")
    for pump, track in tracks.items():
        last = track[-1][0] // MINUTE_MS * MINUTE_MS
        # Behind the last reading, what was measured becomes too old: that is health's own, and not looked at here.
        seen = {at: score for at, score in scores[pump].items() if at <= last}
        assert seen == health(track, [event for event in wanted if event.pump == pump])
        points["health"] += len(seen)
    activities = activities_check(connection)
    return f"{len(wanted)} events, {points['waves']} rolled up, {points['health']} scores, {activities} activities"


def activities_check(connection: psycopg.Connection[Any]) -> int:
    """One open activity of the rule and each pump; nothing of an event was noted more often than it opened."""
    rows = connection.execute(
        """SELECT n.name, count(*), count(*) FILTER (WHERE a.holds_place) FROM activities a
           JOIN entities n ON n.organization_id = a.organization_id AND n.id = a.target_id GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    assert rows == [(f"pump{n}", 1, 1) for n in range(PUMPS)]
    twice = connection.execute(
        """SELECT s.event_id, count(*) FROM activity_steps s WHERE s.step IN ('CREATED', 'EVENT')
           GROUP BY s.event_id HAVING count(*) > (SELECT count(*) FROM event_changes c
               WHERE c.event_id = s.event_id AND c.kind IN ('OPENED', 'REOPENED'))"""
    ).fetchall()
    assert twice == []
    return len(rows)


def tracks_read(connection: psycopg.Connection[Any]) -> dict[str, Track]:
    """Return what was measured of each pump, by the raw log alone: each reading once."""
    rows = connection.execute(
        """SELECT DISTINCT n.external_id, round(extract(epoch FROM r.timestamp) * 1000), (r.metrics ->> 'wave')::float
           FROM telemetry_raw r JOIN entities n ON n.organization_id = r.organization_id AND n.id = r.device_id
           WHERE r.metrics -> 'wave' IS NOT NULL ORDER BY 1, 2"""
    ).fetchall()
    tracks: dict[str, list[tuple[int, float]]] = {}
    for device, at, value in rows:
        tracks.setdefault(f"pump{device[1:]}", []).append((int(at), value))
    return dict(tracks)


def series_read(connection: psycopg.Connection[Any], metric: str) -> dict[str, dict[int, float]]:
    """Return the points of a metric, by the name of their entity."""
    rows = connection.execute(
        """SELECT n.name, round(extract(epoch FROM h.timestamp) * 1000), h.value FROM telemetry_history h
           JOIN series s ON s.organization_id = h.organization_id AND s.id = h.series_id
           JOIN entities n ON n.organization_id = s.organization_id AND n.id = s.entity_id WHERE s.metric = %s""",
        [metric],
    ).fetchall()
    found: dict[str, dict[int, float]] = {}
    for name, at, value in rows:
        found.setdefault(name, {})[int(at)] = value
    return found


def episodes(pump: str, track: Track) -> list[Found]:
    """Opens at the first reading by which it was high for so long; clears at the first by which it was low so long."""
    found: list[Found] = []
    high: int | None = None
    low: int | None = None
    began_opened: tuple[int, int] | None = None
    for at, value in track:
        high = (at if high is None else high) if value > HIGH else None
        low = (at if low is None else low) if value <= CLEAR else None
        if began_opened is None:
            if high is not None and at - high >= FOR_MS:
                began_opened = (high, at)
        elif low is not None and at - low >= CLEAR_FOR_MS:
            found.append(Found(pump, *began_opened, at))
            began_opened = None
    return found if began_opened is None else [*found, Found(pump, *began_opened, None)]


def rollup(tracks: Iterable[Track]) -> dict[int, float]:
    """Sums of all that was measured, by the minute."""
    minutes: dict[int, list[float]] = {}
    for track in tracks:
        own: dict[int, list[float]] = {}
        for at, value in track:
            own.setdefault(at // MINUTE_MS * MINUTE_MS, []).append(value)
        for at, values in own.items():
            minutes.setdefault(at, []).append(math.fsum(values))
    return {at: math.fsum(values) for at, values in minutes.items()}


def health(track: Track, events: Sequence[Found]) -> Mapping[int, float]:
    """A hundred, less 40 where the last reading of the minute is critical, less 30 for each event open in it."""
    last = {at // MINUTE_MS * MINUTE_MS: value for at, value in track}
    costs = {
        begins: (40 if value >= CRITICAL else 0)
        + 30 * sum(e.opened < begins + MINUTE_MS and (e.cleared is None or e.cleared > begins) for e in events)
        for begins, value in last.items()
    }
    return {begins: max(0.0, 100.0 - cost) for begins, cost in costs.items()}
