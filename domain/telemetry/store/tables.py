"""Tables of the raw log and of what is derived from it. The migrations say the same in SQL."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

telemetry_raw_id_seq = Sequence("telemetry_raw_id_seq", metadata=metadata, data_type=BigInteger, cache=1)
raw_batches_id_seq = Sequence("raw_batches_id_seq", metadata=metadata, data_type=BigInteger, cache=1)

telemetry_raw = Table(
    "telemetry_raw",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("device_id", UUID, nullable=False),
    Column("port", Integer),
    Column("timestamp", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("key", UUID, nullable=False),
    Column("metrics", JSON, nullable=False),
    PrimaryKeyConstraint("organization_id", "id", "received_at", name="pk_telemetry_raw"),
    postgresql_partition_by="RANGE (received_at)",
)
Index(
    "ix_telemetry_raw_device",
    telemetry_raw.c.organization_id,
    telemetry_raw.c.device_id,
    telemetry_raw.c.timestamp,
)

raw_batches = Table(
    "raw_batches",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("transport", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("first_raw_id", BigInteger, nullable=False),
    Column("last_raw_id", BigInteger, nullable=False),
    Column("readings", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("normalized_at", INSTANT),
    Column("feed_position", BigInteger),
    Column("stored", Integer, nullable=False, server_default=text("0")),
    Column("duplicate", Integer, nullable=False, server_default=text("0")),
    Column("dead", Integer, nullable=False, server_default=text("0")),
    Column("points", Integer, nullable=False, server_default=text("0")),
    Column("traces", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("organization_id", "id", "received_at", name="pk_raw_batches"),
    postgresql_partition_by="RANGE (received_at)",
)
Index(
    "ix_raw_batches_unfinished",
    raw_batches.c.partition,
    raw_batches.c.id,
    postgresql_where=text("normalized_at IS NULL"),
)
Index("ix_raw_batches_feed", raw_batches.c.partition, raw_batches.c.feed_position)
Index("ix_raw_batches_received_at", raw_batches.c.organization_id, raw_batches.c.received_at)

Index(
    "ix_raw_batches_pending",
    raw_batches.c.organization_id,
    raw_batches.c.received_at,
    postgresql_include=["readings"],
    postgresql_where=text("normalized_at IS NULL"),
)

ingest_accounting = Table(
    "ingest_accounting",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("width", SmallInteger, nullable=False),
    Column("begins", INSTANT, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("dead", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "width", "begins", "partition", name="pk_ingest_accounting"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_ingest_accounting_organization"),
    CheckConstraint("width IN (60, 3600)", name="ck_ingest_accounting_width"),
    postgresql_with={"fillfactor": 50},
)

reading_keys = Table(
    "reading_keys",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("device_id", UUID, nullable=False),
    Column("key", UUID, nullable=False),
    Column("raw_id", BigInteger, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("stored", Boolean, nullable=False),
    PrimaryKeyConstraint("organization_id", "device_id", "key", name="pk_reading_keys"),
)

series = Table(
    "series",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("port", Integer),
    Column("metric", Text, nullable=False),
    Column("unit", Text),
    Column("origin", Text),
    Column("declared_type", SmallInteger),
    PrimaryKeyConstraint("organization_id", "id", name="pk_series"),
    UniqueConstraint(
        "organization_id",
        "entity_id",
        "port",
        "metric",
        name="uq_series_entity",
        postgresql_nulls_not_distinct=True,
    ),
    ForeignKeyConstraint(
        ["organization_id", "entity_id"], ["entities.organization_id", "entities.id"], name="fk_series_entity"
    ),
    Index("ix_series_metric", "organization_id", "metric"),
)

telemetry_history = Table(
    "telemetry_history",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("series_id", BigInteger, nullable=False),
    Column("timestamp", INSTANT, nullable=False),
    Column("value", Double),
    Column("raw_id", BigInteger, nullable=False),
    Column("text", Text),
    PrimaryKeyConstraint("organization_id", "series_id", "timestamp", name="pk_telemetry_history"),
    postgresql_partition_by="RANGE (timestamp)",
)

latest_values = Table(
    "latest_values",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("series_id", BigInteger, nullable=False),
    Column("timestamp", INSTANT, nullable=False),
    Column("value", Double),
    Column("raw_id", BigInteger, nullable=False),
    Column("received_at", INSTANT),
    Column("text", Text),
    PrimaryKeyConstraint("organization_id", "series_id", name="pk_latest_values"),
    ForeignKeyConstraint(
        ["organization_id", "series_id"],
        ["series.organization_id", "series.id"],
        name="fk_latest_values_series",
    ),
    postgresql_with={"fillfactor": 50},
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("raw_id", BigInteger, nullable=False),
    Column("device_id", UUID, nullable=False),
    Column("stage", Text, nullable=False),
    Column("metric", Text),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", INSTANT, nullable=False),
    Column("resolved_at", INSTANT),
    Column("discarded_at", INSTANT),
    Column("discarded_by", Text),
    PrimaryKeyConstraint("organization_id", "id", name="pk_dead_letters"),
    UniqueConstraint(
        "organization_id",
        "raw_id",
        "stage",
        "metric",
        name="uq_dead_letters_reading",
        postgresql_nulls_not_distinct=True,
    ),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_dead_letters_organization"),
)
Index(
    "ix_dead_letters_received_at",
    dead_letters.c.organization_id,
    dead_letters.c.received_at,
    dead_letters.c.id,
)

stage_leases = Table(
    "stage_leases",
    metadata,
    Column("stage", Text, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("items", BigInteger, nullable=False, server_default=text("0")),
    Column("errors", BigInteger, nullable=False, server_default=text("0")),
    Column("busy_s", Double, nullable=False, server_default=text("0")),
    Column("delay_s", Double, nullable=False, server_default=text("0")),
    Column("delays", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("stage", "partition", name="pk_stage_leases"),
)

series_hours = Table(
    "series_hours",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("series_id", BigInteger, nullable=False),
    Column("hour", INSTANT, nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("points", Integer),
    Column("least_type", SmallInteger),
    Column("greatest_type", SmallInteger),
    Column("least", Double),
    Column("greatest", Double),
    Column("first", Double),
    Column("last", Double),
    Column("sum", Double),
    Column("sum_error", Double),
    Column("quarters", LargeBinary),
    PrimaryKeyConstraint("organization_id", "series_id", "hour", name="pk_series_hours"),
    ForeignKeyConstraint(
        ["organization_id", "series_id"],
        ["series.organization_id", "series.id"],
        name="fk_series_hours_series",
    ),
    CheckConstraint(
        "is_whole = (num_nulls(points, least_type, greatest_type, least, greatest, first, last, sum, sum_error) = 0)",
        name="ck_series_hours_whole",
    ),
)

dirty_hours = Table(
    "dirty_hours",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("series_id", BigInteger, nullable=False),
    Column("hour", INSTANT, nullable=False),
    Column("invalidated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "series_id", "hour", name="pk_dirty_hours"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_dirty_hours_organization"),
)
Index("ix_dirty_hours_invalidated_at", dirty_hours.c.organization_id, dirty_hours.c.invalidated_at)

hours_progress = Table(
    "hours_progress",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("until", INSTANT, nullable=False),
    Column("next", INSTANT),
    Column("series_id", BigInteger),
    Column("final_until", INSTANT, nullable=False, server_default=text("'-infinity'")),
    PrimaryKeyConstraint("organization_id", name="pk_hours_progress"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_hours_progress_organization"),
)

history_retention = Table(
    "history_retention",
    metadata,
    Column("is_only", Boolean, nullable=False, server_default=text("true")),
    Column("retained_from", INSTANT, nullable=False, server_default=text("'-infinity'")),
    Column("dropped_until", INSTANT, nullable=False, server_default=text("'-infinity'")),
    PrimaryKeyConstraint("is_only", name="pk_history_retention"),
    CheckConstraint("is_only", name="ck_history_retention_only"),
)
