"""Feature flags: table. The migrations say the same in SQL."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

feature_flags = Table(
    "feature_flags",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("id", UUID, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("updated_by", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "name", name="pk_feature_flags"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_feature_flags_organization"),
)
