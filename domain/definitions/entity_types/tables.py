"""Telemetry schemas of entity types, versioned by event time. The migrations say the same in SQL."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

telemetry_schemas = Table(
    "telemetry_schemas",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_type_id", UUID, nullable=False),
    Column("effective_from", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("schema", JSONB, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_type_id", "effective_from", name="pk_telemetry_schemas"),
    ForeignKeyConstraint(
        ["organization_id", "entity_type_id"],
        ["entity_types.organization_id", "entity_types.id"],
        name="fk_telemetry_schemas_entity_type",
        ondelete="CASCADE",
    ),
)
