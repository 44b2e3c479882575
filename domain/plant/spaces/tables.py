"""Tables of spaces. The migrations say the same in SQL."""

from sqlalchemy import Column, Computed, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata

spaces = Table(
    "spaces",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, Computed("'SPACE'", persisted=True), nullable=False),
    PrimaryKeyConstraint("organization_id", "id", name="pk_spaces"),
    ForeignKeyConstraint(
        ["organization_id", "id", "kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_spaces_entity",
    ),
)
