"""Rollups and what waits for them: tables. The migrations say the same in SQL."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

rollups = Table(
    "rollups",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_rollups"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_rollups_organization"),
)
Index(
    "uq_rollups_name",
    rollups.c.organization_id,
    rollups.c.name,
    unique=True,
    postgresql_where=text("deleted_at IS NULL"),
)

rollup_entities = Table(
    "rollup_entities",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("rollup_id", UUID, nullable=False),
    Column("entity_id", UUID, nullable=False),
    PrimaryKeyConstraint("organization_id", "rollup_id", "entity_id", name="pk_rollup_entities"),
    ForeignKeyConstraint(
        ["organization_id", "rollup_id"], ["rollups.organization_id", "rollups.id"], name="fk_rollup_entities_rollup"
    ),
)
Index("ix_rollup_entities_entity", rollup_entities.c.organization_id, rollup_entities.c.entity_id)

rollup_partial_aggregates = Table(
    "rollup_partial_aggregates",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("key", UUID, nullable=False),
    Column("begins", INSTANT, nullable=False),
    Column("until", INSTANT, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    Column("error", Double, nullable=False),
    Column("error_left", Double, nullable=False),
    Column("written_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    PrimaryKeyConstraint("organization_id", "entity_id", "key", name="pk_rollup_partial_aggregates"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_rollup_partial_aggregates_organization"),
    CheckConstraint("begins < until", name="ck_rollup_partial_aggregates_span"),
    prefixes=["UNLOGGED"],
    postgresql_with={"fillfactor": 70},
)

rollup_input_changes = Table(
    "rollup_input_changes",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", "generation", name="pk_rollup_input_changes"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_rollup_input_changes_organization"),
    prefixes=["UNLOGGED"],
)
