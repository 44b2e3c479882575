"""Timers of health, and since when assets are measured: tables. The migrations say the same in SQL."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

health_timers = Table(
    "health_timers",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", "due_at", name="pk_health_timers"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_health_timers_organization"),
)
Index("ix_health_timers_due_at", health_timers.c.organization_id, health_timers.c.due_at)

# since: the first reading of an asset, as its series of health has it. An asset that was never measured has no row.
health_measured = Table(
    "health_measured",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("since", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", name="pk_health_measured"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_health_measured_organization"),
)
