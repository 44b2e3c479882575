"""Rows as the pipeline and the graph write them, inserted directly, for tests of the read side."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

T0 = datetime(2025, 3, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
BELIEVED = datetime(2020, 1, 1, tzinfo=UTC)

Value = float | bool | str


def at(minutes: float) -> datetime:
    """Return the instant so many minutes after T0."""
    return T0 + timedelta(minutes=minutes)


def millis(minutes: float) -> float:
    return at(minutes).timestamp() * 1000.0


class Plant:
    """One organization. Everything is written as the owner of the tables, each call in its own transaction."""

    def __init__(self, engine: Engine, slug: str = "one") -> None:
        self._engine = engine
        self._raw_id = 0
        self.organization_id: int = 0
        with engine.begin() as connection:
            self.organization_id = connection.execute(
                text(
                    "INSERT INTO organizations (public_id, slug, name, created_at)"
                    " VALUES (gen_random_uuid(), :slug, :slug, now()) RETURNING id"
                ),
                {"slug": slug},
            ).scalar_one()
        self._run("INSERT INTO graph_clocks VALUES (:organization_id, now(), 1) ON CONFLICT DO NOTHING")
        self._run(
            "INSERT INTO relationships"
            " SELECT :organization_id, name, inverse, ARRAY['ASSET', 'SPACE'], ARRAY['DEVICE'],"
            " false, NULL, NULL, true, now()"
            " FROM (VALUES ('MONITORED_BY', 'MONITORS'), ('CONTROLLED_BY', 'CONTROLS')) r (name, inverse)"
            " ON CONFLICT DO NOTHING"
        )

    def _run(self, statement: str, **parameters: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), {"organization_id": self.organization_id, **parameters})

    def entity(self, kind: str, entity_id: UUID | None = None) -> UUID:
        entity_id = entity_id or uuid4()
        self._run(
            "INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)"
            " VALUES (:organization_id, :id, :kind, 'x', 'ACTIVE', now(), now())",
            id=entity_id,
            kind=kind,
        )
        return entity_id

    def link(
        self,
        source_id: UUID,
        device_id: UUID,
        *,
        begins: datetime,
        ends: datetime | None = None,
        port: int | None = None,
        mapping: dict[str, str] | None = None,
        relationship: str = "MONITORED_BY",
    ) -> UUID:
        """Write a believed link, raise the graph's revision and return the row's id."""
        edge_id = uuid4()
        metadata = {} if mapping is None else {"metrics_mapping": mapping}
        with self._engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind,"
                    " target_id, target_kind, port, metadata, valid, recorded)"
                    " SELECT organization_id, :id, gen_random_uuid(), :relationship, id, kind, :device_id, 'DEVICE',"
                    " :port, cast(:metadata AS jsonb), tstzrange(:begins, :ends),"
                    " tstzrange(greatest(:believed, clock_timestamp()), NULL)"
                    " FROM entities WHERE organization_id = :organization_id AND id = :source_id"
                ),
                {
                    "organization_id": self.organization_id,
                    "id": edge_id,
                    "relationship": relationship,
                    "source_id": source_id,
                    "device_id": device_id,
                    "port": port,
                    "metadata": json.dumps(metadata),
                    "begins": begins,
                    "ends": ends,
                    "believed": BELIEVED,
                },
            )
            self._tick(connection)
        return edge_id

    def disbelieve(self, row_id: UUID) -> None:
        """Close the belief in a link, as a correction does."""
        with self._engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE entity_edges SET recorded = tstzrange(lower(recorded), clock_timestamp())"
                    " WHERE organization_id = :organization_id AND id = :id"
                ),
                {"organization_id": self.organization_id, "id": row_id},
            )
            self._tick(connection)

    def _tick(self, connection: object) -> None:
        connection.execute(  # type: ignore[attr-defined]
            text("UPDATE graph_clocks SET revision = revision + 1 WHERE organization_id = :organization_id"),
            {"organization_id": self.organization_id},
        )

    def revision(self) -> int:
        with self._engine.begin() as connection:
            current = connection.execute(
                text("SELECT revision FROM graph_clocks WHERE organization_id = :o"), {"o": self.organization_id}
            )
            return int(current.scalar_one())

    def points(
        self,
        device_id: UUID,
        metric: str,
        points: Iterable[tuple[datetime, Value]],
        *,
        port: int | None = None,
        unit: str | None = None,
        partition: int = 0,
        position: int | None = None,
    ) -> None:
        """Store points of one device series as one batch of readings; position: its place in the live feed."""
        given = list(points)
        rows = [{"at": instant, **_columns(value)} for instant, value in given]
        with self._engine.begin() as connection:
            for month in sorted({(instant.year, instant.month) for instant, _ in given}):
                connection.execute(
                    text("SELECT ensure_partition('telemetry_history', make_timestamptz(:y, :m, 1, 0, 0, 0, 'UTC'))"),
                    {"y": month[0], "m": month[1]},
                )
            for parent in ("telemetry_raw", "raw_batches"):
                connection.execute(text("SELECT ensure_partition(:parent, :at)"), {"parent": parent, "at": RECEIVED})
            first = self._raw_id + 1
            self._raw_id += len(rows)
            common = {"organization_id": self.organization_id, "device_id": device_id, "port": port, "first": first}
            series_id = connection.execute(
                text(
                    "INSERT INTO series (organization_id, entity_id, port, metric, unit)"
                    " VALUES (:organization_id, :device_id, :port, :metric, :unit)"
                    " ON CONFLICT (organization_id, entity_id, port, metric) DO UPDATE SET metric = EXCLUDED.metric"
                    " RETURNING id"
                ),
                {**common, "metric": metric, "unit": unit},
            ).scalar_one()
            for n, row in enumerate(rows):
                values = {**common, **row, "series_id": series_id, "raw_id": first + n, "received": RECEIVED}
                connection.execute(_RAW, values)
                connection.execute(_HISTORY, values)
                connection.execute(_LATEST, values)
            connection.execute(
                _BATCH,
                {
                    **common,
                    "last": self._raw_id,
                    "received": RECEIVED,
                    "partition": partition,
                    "position": position,
                    "count": len(rows),
                },
            )

    def session(self, engine: Engine) -> Session:
        """Return a session whose transaction acts for this organization."""
        session = Session(engine)
        session.execute(text("SELECT set_config('argus.organization_id', :o, true)"), {"o": str(self.organization_id)})
        return session


_RAW = text(
    "INSERT INTO telemetry_raw (organization_id, id, batch_id, device_id, port, timestamp, received_at, key, metrics)"
    " VALUES (:organization_id, :raw_id, :first, :device_id, :port, :at, :received, gen_random_uuid(), '{}')"
)
_HISTORY = text(
    "INSERT INTO telemetry_history (organization_id, type, series_id, timestamp, value, raw_id, text)"
    " VALUES (:organization_id, :type, :series_id, :at, :value, :raw_id, :text)"
    " ON CONFLICT (organization_id, series_id, timestamp) DO UPDATE"
    " SET value = EXCLUDED.value, raw_id = EXCLUDED.raw_id, type = EXCLUDED.type, text = EXCLUDED.text"
)
_LATEST = text(
    "INSERT INTO latest_values (organization_id, type, series_id, timestamp, value, raw_id, received_at, text)"
    " VALUES (:organization_id, :type, :series_id, :at, :value, :raw_id, :received, :text)"
    " ON CONFLICT (organization_id, series_id) DO UPDATE SET value = EXCLUDED.value, raw_id = EXCLUDED.raw_id,"
    " type = EXCLUDED.type, text = EXCLUDED.text, timestamp = EXCLUDED.timestamp"
    " WHERE latest_values.timestamp <= EXCLUDED.timestamp"
)
_BATCH = text(
    "INSERT INTO raw_batches (organization_id, id, partition, transport, received_at, first_raw_id, last_raw_id,"
    " readings, bytes, normalized_at, feed_position)"
    " VALUES (:organization_id, :first, :partition, 'http', :received, :first, :last, :count, 0, :received, :position)"
)


def _columns(value: Value) -> dict[str, object]:
    if isinstance(value, str):
        return {"type": 2, "value": None, "text": value}
    return {"type": 1 if isinstance(value, bool) else 0, "value": float(value), "text": None}
