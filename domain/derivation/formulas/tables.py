"""Dirty windows, derived commits and faults: tables. The migrations say the same in SQL."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

dirty_windows = Table(
    "dirty_windows",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column(
        "slot",
        Integer,
        Computed(
            "get_byte(uuid_send(entity_id), 14) * 256 + get_byte(uuid_send(entity_id), 15)",
            persisted=True,
        ),
        nullable=False,
    ),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("batch_id", BigInteger),
    Column("created_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    PrimaryKeyConstraint("organization_id", "id", name="pk_dirty_windows"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_dirty_windows_organization"),
    CheckConstraint(
        "reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy',"
        " 'membership', 'rollup', 'rule', 'timer', 'profile', 'area', 'health', 'repair')",
        name="ck_dirty_windows_reason",
    ),
    CheckConstraint("begins < ends", name="ck_dirty_windows_span"),
)
Index("ix_dirty_windows_entity", dirty_windows.c.organization_id, dirty_windows.c.entity_id)

derivation_faults = Table(
    "derivation_faults",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("metric", Text, nullable=False),
    Column("last_at", INSTANT, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", "metric", name="pk_derivation_faults"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_derivation_faults_organization"),
)

derived_commits = Table(
    "derived_commits",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("committed_at", INSTANT, nullable=False),
    Column("series_ids", ARRAY(BigInteger), nullable=False),
    Column("begins", ARRAY(INSTANT), nullable=False),
    Column("ends", ARRAY(INSTANT), nullable=False),
    Column("corrects", Boolean, nullable=False),
    PrimaryKeyConstraint("organization_id", "partition", "position", name="pk_derived_commits"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_derived_commits_organization"),
)
Index("ix_derived_commits_committed_at", derived_commits.c.organization_id, derived_commits.c.committed_at)
