"""Failed items: table. The migrations say the same in SQL."""

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata
from graph.tables import INSTANT

failed_items = Table(
    "failed_items",
    metadata,
    Column("organization_id", Integer),
    Column("id", UUID, nullable=False),
    Column("queue", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("holds", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_failed_at", INSTANT, nullable=False),
    Column("last_failed_at", INSTANT, nullable=False),
    Column("due_at", INSTANT),
    Column("resolved_at", INSTANT),
    PrimaryKeyConstraint("id", name="pk_failed_items"),
    UniqueConstraint(
        "organization_id", "queue", "item", name="uq_failed_items_item", postgresql_nulls_not_distinct=True
    ),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_failed_items_organization"),
)
Index(
    "ix_failed_items_open",
    failed_items.c.queue,
    failed_items.c.organization_id,
    failed_items.c.holds,
    postgresql_where=text("resolved_at IS NULL"),
)
Index(
    "ix_failed_items_last_failed_at",
    failed_items.c.organization_id,
    failed_items.c.last_failed_at,
    failed_items.c.id,
)
