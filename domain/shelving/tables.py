"""When nothing follows from events: tables. The migrations say the same in SQL."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

shelves = Table(
    "shelves",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("rule_id", UUID),
    Column("entity_id", UUID),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    Column("note", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "id", name="pk_shelves"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_shelves_organization"),
    ForeignKeyConstraint(["organization_id", "rule_id"], ["rules.organization_id", "rules.id"], name="fk_shelves_rule"),
    ForeignKeyConstraint(
        ["organization_id", "entity_id"], ["entities.organization_id", "entities.id"], name="fk_shelves_entity"
    ),
    CheckConstraint("num_nonnulls(rule_id, entity_id) >= 1", name="ck_shelves_what"),
    CheckConstraint("begins < ends", name="ck_shelves_span"),
)
Index("ix_shelves_ends", shelves.c.organization_id, shelves.c.ends)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("under_id", UUID),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    Column("note", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "id", name="pk_maintenance_windows"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_maintenance_windows_organization"),
    ForeignKeyConstraint(
        ["organization_id", "under_id"],
        ["entities.organization_id", "entities.id"],
        name="fk_maintenance_windows_under",
    ),
    CheckConstraint("begins < ends", name="ck_maintenance_windows_span"),
)
Index("ix_maintenance_windows_ends", maintenance_windows.c.organization_id, maintenance_windows.c.ends)
