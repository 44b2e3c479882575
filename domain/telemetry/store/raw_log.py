"""The raw log of acknowledged readings: appended by group commit, read back by batch. Hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import (
    arrays_enable,
    bigint_array,
    instant_array,
    int_array,
    smallint_array,
    text_array,
    uuid_array,
)
from domain.base.packed import instant_of, micros_of
from domain.telemetry.model.readings import NO_PORT, AcceptedReadings, RawBatch, metrics_join

# A day's partition is made so long before the first reading of that day.
PARTITION_AHEAD = timedelta(hours=1)

_IDS = text(
    """
    SELECT array(SELECT nextval('telemetry_raw_id_seq') FROM generate_series(1, :readings)),
        array(SELECT nextval('raw_batches_id_seq') FROM generate_series(1, :batches))
    """
)
_ENSURE = text("SELECT ensure_partition('telemetry_raw', :at), ensure_partition('raw_batches', :at)")
_APPEND = text(
    """
    INSERT INTO telemetry_raw
        (organization_id, id, batch_id, device_id, port, "timestamp", received_at, key, metrics)
    SELECT u.o, u.i, u.b, u.d, nullif(u.p, -1), u.t, :received_at, u.k, u.j::json
    FROM unnest(:organizations, :ids, :batches, :devices, :ports, :timestamps, :keys, :metrics)
        AS u (o, i, b, d, p, t, k, j)
    """
)
_BATCHES = text(
    """
    INSERT INTO raw_batches
        (organization_id, id, partition, transport, received_at, first_raw_id, last_raw_id, readings, bytes, traces)
    SELECT u.o, u.i, u.p, u.t, :received_at, u.f, u.l, u.n, u.b, string_to_array(u.c, ' ')
    FROM unnest(:organizations, :ids, :partitions, :transports, :firsts, :lasts, :readings, :bytes, :traces)
        AS u (o, i, p, t, f, l, n, b, c)
    """
)
# Rows are found by the batch's range of raw ids; between them may be those of other batches.
_READ = text(
    """
    SELECT b.id, b.partition, b.received_at, b.traces, t.ids, t.devices, t.ports, t.timestamps, t.keys, t.metrics
    FROM unnest(cast(:batch_ids AS bigint[]), cast(:received AS timestamptz[])) AS u (id, received_at)
    JOIN raw_batches b ON b.organization_id = :organization_id AND b.id = u.id AND b.received_at = u.received_at
    CROSS JOIN LATERAL (
        SELECT array_agg(r.id ORDER BY r.id) AS ids,
            string_agg(uuid_send(r.device_id), '' ORDER BY r.id) AS devices,
            array_agg(coalesce(r.port, -1) ORDER BY r.id) AS ports,
            array_agg(r."timestamp" ORDER BY r.id) AS timestamps,
            string_agg(uuid_send(r.key), '' ORDER BY r.id) AS keys,
            array_agg(r.metrics::text ORDER BY r.id) AS metrics
        FROM telemetry_raw r
        WHERE r.organization_id = b.organization_id AND r.received_at = b.received_at
            AND r.id BETWEEN b.first_raw_id AND b.last_raw_id AND r.batch_id = b.id
    ) t
    WHERE t.ids IS NOT NULL
    ORDER BY b.id
    """
)
_UNFINISHED = text(
    """
    SELECT organization_id, id, received_at FROM raw_batches
    WHERE partition = :partition AND normalized_at IS NULL AND received_at < :before AND id > :after_id
    ORDER BY id LIMIT :limit
    """
)
_OVERDUE = text(
    "SELECT EXISTS (SELECT FROM raw_batches WHERE normalized_at IS NULL AND received_at < clock_timestamp() - :overdue)"
)
_UNFINISHED_PARTITIONS = text("SELECT DISTINCT partition FROM raw_batches WHERE normalized_at IS NULL")


@dataclass(frozen=True, slots=True)
class ReadingGroup:
    """Readings that become one batch: of one organization, one partition and one transport.

    traces: the ids of the calls that brought them, without spaces.
    """

    organization_id: int
    partition: int
    transport: str
    readings: AcceptedReadings
    traces: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BatchName:
    """The key of a batch."""

    organization_id: int
    id: int
    received_at: datetime


def raw_partition_ensure(session: Session, *, at: datetime) -> None:
    """Create the raw log's partitions for an instant, and a little later, where missing."""
    for instant in (at, at + PARTITION_AHEAD):
        session.execute(_ENSURE, {"at": instant})


def raw_append(session: Session, *, groups: Sequence[ReadingGroup], received_us: int) -> list[RawBatch]:
    """Append groups of any organizations, each a batch; return the batches. The role is argus_ingest.

    groups: at least one, none empty. received_us: the time of receipt of all, in microseconds since the Unix
    epoch; its partition exists (`raw_partition_ensure`). Three statements.
    """
    arrays_enable(session)
    sizes = [len(group.readings) for group in groups]
    first_ids = session.execute(_IDS, {"readings": sum(sizes), "batches": len(groups)}).one()
    ids, batch_ids = np.array(first_ids[0], dtype=np.int64), first_ids[1]
    ids.sort()
    ends = np.cumsum(sizes)
    batches = [
        _batch(group, batch_id, ids[end - size : end], received_us)
        for group, batch_id, end, size in zip(groups, batch_ids, ends, sizes, strict=True)
    ]
    received_at = instant_of(received_us)
    session.execute(
        _APPEND,
        {
            "organizations": int_array(np.repeat([group.organization_id for group in groups], sizes)),
            "ids": bigint_array(ids),
            "batches": bigint_array(np.repeat(batch_ids, sizes)),
            "devices": uuid_array(b"".join(batch.devices for batch in batches)),
            "ports": int_array(np.concatenate([batch.ports for batch in batches])),
            "timestamps": instant_array(np.concatenate([batch.timestamps for batch in batches])),
            "received_at": received_at,
            "keys": uuid_array(b"".join(batch.keys for batch in batches)),
            "metrics": text_array(metrics for group in groups for metrics in group.readings.metrics),
        },
    )
    session.execute(
        _BATCHES,
        {
            "organizations": int_array([group.organization_id for group in groups]),
            "ids": bigint_array(batch_ids),
            "partitions": smallint_array([group.partition for group in groups]),
            "transports": text_array(group.transport.encode() for group in groups),
            "received_at": received_at,
            "firsts": bigint_array([batch.raw_ids[0] for batch in batches]),
            "lasts": bigint_array([batch.raw_ids[-1] for batch in batches]),
            "readings": int_array(sizes),
            "bytes": bigint_array([sum(map(len, group.readings.metrics)) for group in groups]),
            "traces": text_array(" ".join(group.traces).encode() for group in groups),
        },
    )
    return batches


def _batch(group: ReadingGroup, batch_id: int, ids: np.ndarray[tuple[int], np.dtype[np.int64]], us: int) -> RawBatch:
    readings = group.readings
    return RawBatch(
        group.organization_id,
        batch_id,
        group.partition,
        us,
        ids,
        b"".join(readings.devices),
        np.array(readings.ports, dtype=np.int32),
        np.array(readings.timestamps, dtype=np.int64),
        b"".join(readings.keys),
        metrics_join(readings.metrics),
        tuple(group.traces),
    )


def raw_batches_read(session: Session, *, organization_id: int, names: Sequence[BatchName]) -> list[RawBatch]:
    """Read batches of one organization back from the log, as they were appended; those that are gone are left out."""
    rows = session.execute(
        _READ,
        {
            "organization_id": organization_id,
            "batch_ids": [name.id for name in names],
            "received": [name.received_at for name in names],
        },
    )
    return [
        RawBatch(
            organization_id,
            row.id,
            row.partition,
            micros_of(row.received_at),
            np.array(row.ids, dtype=np.int64),
            bytes(row.devices),
            np.array([NO_PORT if port is None else port for port in row.ports], dtype=np.int32),
            np.array([micros_of(at) for at in row.timestamps], dtype=np.int64),
            bytes(row.keys),
            metrics_join([metrics.encode() for metrics in row.metrics]),
            tuple(row.traces),
        )
        for row in rows
    ]


def batches_unfinished(
    session: Session, *, partition: int, before: datetime, limit: int, after_id: int = -1
) -> list[BatchName]:
    """Return batches of any organization that were received before an instant and are not normalized.

    Ascending by id, those with an id greater than `after_id`.
    """
    values = {"partition": partition, "before": before, "limit": limit, "after_id": after_id}
    rows = session.execute(_UNFINISHED, values)
    return [BatchName(row.organization_id, row.id, row.received_at) for row in rows]


def partitions_unfinished(session: Session) -> list[int]:
    """Return the partitions of the streams for which batches wait to be normalized."""
    return sorted(session.execute(_UNFINISHED_PARTITIONS).scalars())


def batches_overdue(session: Session, *, overdue: timedelta) -> bool:
    """Return whether any batch of any organization has waited to be normalized for so long."""
    return bool(session.execute(_OVERDUE, {"overdue": overdue}).scalar_one())
