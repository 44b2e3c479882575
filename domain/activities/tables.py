"""What activities have beside what every entity has. The migrations say the same in SQL."""

from sqlalchemy import (
    Column,
    Computed,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

activities = Table(
    "activities",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, Computed("'ACTIVITY'", persisted=True), nullable=False),
    Column("category", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("due_at", INSTANT),
    Column("checklist", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("organization_id", "id", name="pk_activities"),
    ForeignKeyConstraint(
        ["organization_id", "id", "kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_activities_entity",
    ),
)
