"""Versions in shadow and how they differ: tables. The migrations say the same in SQL."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

shadows = Table(
    "shadows",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("compared", BigInteger, nullable=False, server_default=text("0")),
    Column("different", BigInteger, nullable=False, server_default=text("0")),
    Column("omitted", BigInteger, nullable=False, server_default=text("0")),
    Column("errors", BigInteger, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    PrimaryKeyConstraint("organization_id", "stage", name="pk_shadows"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_shadows_organization"),
)

shadow_differences = Table(
    "shadow_differences",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("metric", Text, nullable=False),
    Column("timestamp", INSTANT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("value", Double),
    Column("shadow_version", Integer, nullable=False),
    Column("shadow_value", Double),
    PrimaryKeyConstraint("organization_id", "stage", "entity_id", "timestamp", "metric", name="pk_shadow_differences"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_shadow_differences_organization"),
)
Index(
    "ix_shadow_differences_timestamp",
    shadow_differences.c.organization_id,
    shadow_differences.c.stage,
    shadow_differences.c.timestamp,
    shadow_differences.c.entity_id,
    shadow_differences.c.metric,
)
