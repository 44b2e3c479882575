"""Templates of activities: table. The migrations say the same in SQL."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

activity_templates = Table(
    "activity_templates",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("type", Text),
    Column("default_priority", Text),
    Column("default_assigned_role", Text),
    Column("checklist", JSONB, nullable=False, server_default=text("'[]'")),
    Column("due_in", INTERVAL),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_activity_templates"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_activity_templates_organization"),
)
Index(
    "uq_activity_templates_name",
    activity_templates.c.organization_id,
    activity_templates.c.name,
    unique=True,
    postgresql_where=text("deleted_at IS NULL"),
)
