"""Tables of persons. The migrations say the same in SQL."""

from sqlalchemy import Column, Computed, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata

persons = Table(
    "persons",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, Computed("'PERSON'", persisted=True), nullable=False),
    Column("email", Text),
    PrimaryKeyConstraint("organization_id", "id", name="pk_persons"),
    ForeignKeyConstraint(
        ["organization_id", "id", "kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_persons_entity",
    ),
)
