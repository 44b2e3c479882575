"""Versions of stages in force: table. The migrations say the same in SQL."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

processor_versions = Table(
    "processor_versions",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("effective_from", INSTANT, nullable=False),
    Column("id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "stage", "effective_from", name="pk_processor_versions"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_processor_versions_organization"),
    CheckConstraint("version >= 1", name="ck_processor_versions_version"),
)
