"""Replays: table. The migrations say the same in SQL."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

replays = Table(
    "replays",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    Column("device_ids", ARRAY(UUID)),
    Column("dry_run", Boolean, nullable=False),
    Column("side_effects", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("total", BigInteger, nullable=False, server_default=text("0")),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("changes", JSONB, nullable=False, server_default=text("'{}'")),
    Column("device_id", UUID),
    Column("timestamp", INSTANT),
    Column("message", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("started_at", INSTANT),
    Column("touched_at", INSTANT),
    Column("finished_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_replays"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_replays_organization"),
    CheckConstraint(
        "state IN ('QUEUED', 'RUNNING', 'FINISHED', 'CANCELLED', 'FAILED')",
        name="ck_replays_state",
    ),
    CheckConstraint("begins < ends", name="ck_replays_span"),
)
Index("ix_replays_created_at", replays.c.organization_id, replays.c.created_at, replays.c.id)
Index(
    "ix_replays_open",
    replays.c.state,
    postgresql_where=text("state IN ('QUEUED', 'RUNNING')"),
)
