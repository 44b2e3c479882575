"""Derived data under chaos: a rule with an action, a rollup and health of pumps, and their expected values.

What has to be is computed from the raw log by a few plain lines, as the documentation says it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg

from testing.installation import Client
from testing.waits import Deadline

PUMPS = 4
HIGH, CLEAR, CRITICAL = 50.0, 20.0, 80.0
# The limit of the rule's last version.
HIGHER = 60.0
# What an event costs a pump's health, by its severity: see the profile. Those of the rules that only notify cost nothing.
COSTS = {"HIGH": 30, "CRITICAL": 50}
FOR_MS, CLEAR_FOR_MS, MINUTE_MS = 3_000, 2_000, 60_000
# So often does what is measured go from low to high and back; the last range is high.
RANGES = 12
_PROFILE = """mutation { createAssetProfile(input: {name: "Watched", type: "watched",
    effectiveFrom: "2020-01-01T00:00:00Z", defaultHealthThresholds: {wave: {critHigh: 80, weight: 40}}
    health: {bucket: "PT1M", events: {LOW: 0, HIGH: 30, CRITICAL: 50}}}) { assetProfile { id } errors { message } } }"""
_RULE = """mutation R($i: RuleInput!) { createRule(input: $i) { rule { id } errors { message } } }"""
_EDIT = """mutation R($id: ID!, $i: RuleInput!) { updateRule(id: $id, input: $i) { rule { id } errors { message } } }"""
_ROLLUP = """mutation { createRollup(input: {name: "waves", metric: "waves", relationship: "HAS_PART"
    of: {metric: "wave", kinds: [ASSET]}, aggregate: SUM, bucket: "PT1M"}) { errors { message } } }"""
_LINK = """mutation L($d: ID!, $p: ID!, $s: ID!) {
    l: linkDevice(input: {deviceId: $d, assetId: $p, validFrom: "2020-01-01T00:00:00Z"}) { errors { message } }
    e: createEdge(input: {sourceId: $s, targetId: $p, relationship: "HAS_PART",
        validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }"""

Track = Sequence[tuple[int, float]]


class DetectedEvent(NamedTuple):
    """An event: of which pump, and when, in milliseconds; how bad it is."""

    pump: str
    began: int
    opened: int
    cleared: int | None
    severity: str


class Version(NamedTuple):
    """A version of the rule, from an instant on, in milliseconds."""

    since: int
    limit: float
    severity: str


def versions(begins: int, ends: int) -> list[Version]:
    """The versions of the rule over the time of the readings: another severity in a high range, another limit in a later."""
    length = (ends - begins) // RANGES
    return [
        Version(0, HIGH, "HIGH"),
        Version(begins + length * 11 // 2, HIGH, "CRITICAL"),
        Version(begins + length * 19 // 2, HIGHER, "HIGH"),
    ]


def rule_input(version: Version, template_id: str) -> dict[str, Any]:
    """Return a version as a client writes it."""
    limits = {"value": version.limit, "for": "PT3S", "clearValue": CLEAR, "clearFor": "PT2S"}
    return {
        "name": "high",
        "scope": {"kind": "ASSET", "type": "watched"},
        "severity": version.severity,
        "condition": {"threshold": {"metric": "wave", "operator": "GT", **limits}},
        "damping": {"maxEvents": 100, "per": "PT1H"},
        "action": {"createActivityFromTemplateId": template_id},
        "effectiveFrom": datetime.fromtimestamp(version.since / 1000, UTC).isoformat(),
    }


def wave(round_: int, rounds: int) -> float:
    """What a pump measures at its nth reading of so many: low and high alternately, with a spike now and then."""
    is_high = (round_ * RANGES // rounds) % 2 == 1
    if round_ % 13 == 0 and round_ < rounds - 13:
        is_high = not is_high
    return (90.0 if is_high else 5.0) + round_ * 37 % 10 / 10


def watched_prepare(client: Client, *, begins: int, ends: int) -> None:
    """Make a site of pumps, each with a device that there is, and what watches them.

    begins, ends: of the readings to come, in milliseconds.
    """
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
    template_id = made["activityTemplate"]["id"]
    first, *later = versions(begins, ends)
    rule = client.call(_RULE, {"i": rule_input(first, template_id)}).data["createRule"]
    assert rule["errors"] == []
    for version in later:
        edit = {"id": rule["rule"]["id"], "i": rule_input(version, template_id)}
        assert client.call(_EDIT, edit).data["updateRule"]["errors"] == []
    assert client.call(_ROLLUP).data["createRollup"]["errors"] == []


def watched_drain(connection: psycopg.Connection[Any], *, patience_s: float) -> None:
    """Wait until nothing is dirty and no event change waits."""
    deadline = Deadline(patience_s)
    waiting = (
        "SELECT (SELECT count(*) FROM dirty_windows), (SELECT count(*) FROM dirty_buckets),"
        " (SELECT count(*) FROM event_changes WHERE processed_at IS NULL), (SELECT count(*) FROM suppression_invalidations)"
    )
    idle_polls = 0
    while idle_polls < 3:
        row = connection.execute(waiting).fetchone()
        connection.rollback()
        # What one leaves is the next one's work: none of it may be there for a while.
        idle_polls = idle_polls + 1 if row == (0, 0, 0, 0) else 0
        deadline.pause(f"Work still waits: {row}", seconds=0.3)


def watched_check(connection: psycopg.Connection[Any], *, begins: int, ends: int) -> str:
    """Compare events, the rollup, health and activities to what the raw log has; return what there was, in words.

    begins, ends: of the readings, in milliseconds.
    """
    tracks = tracks_read(connection)
    assert len(tracks) == PUMPS
    said = versions(begins, ends)
    wanted = sorted(event for pump, track in tracks.items() for event in episodes(pump, track, said))
    rows = connection.execute(
        """SELECT n.name, round(extract(epoch FROM e.began_at) * 1000), round(extract(epoch FROM e.opened_at) * 1000),
               round(extract(epoch FROM e.cleared_at) * 1000), e.severity
           FROM events e JOIN entities n ON n.organization_id = e.organization_id AND n.id = e.entity_id
               JOIN rules r ON r.organization_id = e.organization_id AND r.id = e.rule_id
           WHERE r.name = 'high' AND e.withdrawn_at IS NULL AND e.key = '' AND e.suppressed_until IS NULL ORDER BY 1, 2, 3"""
    ).fetchall()
    assert [
        DetectedEvent(pump, int(began), int(opened), None if cleared is None else int(cleared), severity)
        for pump, began, opened, cleared, severity in rows
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
    return {f"pump{device[1:]}": track for device, track in tracks_of(connection, "wave").items()}


def tracks_of(connection: psycopg.Connection[Any], metric: str) -> dict[str, Track]:
    """Return what devices measured of a metric, by the raw log alone: each reading once."""
    rows = connection.execute(
        """SELECT DISTINCT n.external_id, round(extract(epoch FROM r.timestamp) * 1000), (r.metrics ->> %(metric)s)::float
           FROM telemetry_raw r JOIN entities n ON n.organization_id = r.organization_id AND n.id = r.device_id
           WHERE r.metrics -> %(metric)s IS NOT NULL ORDER BY 1, 2""",
        {"metric": metric},
    ).fetchall()
    tracks: dict[str, list[tuple[int, float]]] = {}
    for device, at, value in rows:
        tracks.setdefault(device, []).append((int(at), value))
    return dict(tracks)


def series_read(connection: psycopg.Connection[Any], metric: str) -> dict[str, dict[int, float]]:
    """Return the points of a metric, by the name of their entity."""
    rows = connection.execute(
        """SELECT n.name, round(extract(epoch FROM h.timestamp) * 1000), h.value FROM telemetry_history h
           JOIN series s ON s.organization_id = h.organization_id AND s.id = h.series_id
           JOIN entities n ON n.organization_id = s.organization_id AND n.id = s.entity_id WHERE s.metric = %s""",
        [metric],
    ).fetchall()
    series: dict[str, dict[int, float]] = {}
    for name, at, value in rows:
        series.setdefault(name, {})[int(at)] = value
    return series


def episodes(pump: str, track: Track, said: Sequence[Version]) -> list[DetectedEvent]:
    """The events of each limit over its time; an event has the last severity while it was open."""
    episodes_: list[DetectedEvent] = []
    limits = sorted({version.limit: version.since for version in reversed(said)}.items(), key=lambda item: item[1])
    for n, (limit, since) in enumerate(limits):
        until = limits[n + 1][1] if n + 1 < len(limits) else None
        for began, opened, cleared in limited(track, limit, since, until):
            last = max(v for v in said if v.limit == limit and (cleared is None or v.since <= cleared))
            episodes_.append(DetectedEvent(pump, began, opened, until if cleared is None else cleared, last.severity))
    return episodes_


def limited(track: Track, limit: float, since: int, until: int | None) -> list[tuple[int, int, int | None]]:
    """Opens at the first reading by which it was high for so long; clears at the first by which it was low so long.

    What was read last before `since` is read there; it may have been high since FOR_MS before.
    """
    high: int | None = None
    for at, value in track:
        if at < since:
            high = (at if high is None else high) if value > limit else None
    high = None if high is None else max(high, since - FOR_MS)
    before = [value for at, value in track if at < since]
    within = [(at, value) for at, value in track if at >= since and (until is None or at < until)]
    if before and not (within and within[0][0] == since):
        within.insert(0, (since, before[-1]))
    spans: list[tuple[int, int, int | None]] = []
    low: int | None = None
    opened: tuple[int, int] | None = None
    for at, value in within:
        high = (at if high is None else high) if value > limit else None
        low = (at if low is None else low) if value <= CLEAR else None
        if opened is None:
            if high is not None and at - high >= FOR_MS:
                opened = (high, at)
        elif low is not None and at - low >= CLEAR_FOR_MS:
            spans.append((*opened, at))
            opened = None
    return spans if opened is None else [*spans, (*opened, None)]


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


def health(track: Track, events: Sequence[DetectedEvent]) -> Mapping[int, float]:
    """A hundred, less 40 where the last reading of the minute is critical, less what each event costs that is open in it."""
    last = {at // MINUTE_MS * MINUTE_MS: value for at, value in track}
    costs = {
        begins: (40 if value >= CRITICAL else 0)
        + sum(
            COSTS.get(e.severity, 0)
            for e in events
            if e.opened < begins + MINUTE_MS and (e.cleared is None or e.cleared > begins)
        )
        for begins, value in last.items()
    }
    return {begins: max(0.0, 100.0 - cost) for begins, cost in costs.items()}
