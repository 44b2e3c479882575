"""Buckets that wait to be recomputed, of rollups and of health: table. The migrations say the same in SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

# Increases whenever dirty buckets are taken; buckets invalidated since have a greater number than those taken.
dirty_buckets_generation = Sequence("dirty_buckets_generation", metadata=metadata, data_type=BigInteger, cache=1)
dirty_buckets = Table(
    "dirty_buckets",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("computation", Text, nullable=False),
    Column("computation_id", UUID, nullable=False),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    PrimaryKeyConstraint(
        "organization_id",
        "entity_id",
        "computation",
        "computation_id",
        "begins",
        "generation",
        name="pk_dirty_buckets",
    ),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_dirty_buckets_organization"),
    CheckConstraint("computation IN ('ROLLUP', 'HEALTH', 'HEALTH_PROPAGATION')", name="ck_dirty_buckets_computation"),
    CheckConstraint("begins < ends", name="ck_dirty_buckets_span"),
)
Index("ix_dirty_buckets_created_at", dirty_buckets.c.organization_id, dirty_buckets.c.created_at)
