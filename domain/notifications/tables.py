"""Calls of webhooks, and with what they are signed: tables. The migrations say the same in SQL."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("secret", Text, nullable=False),
    Column("rotated_at", INSTANT, nullable=False),
    Column("rotated_by", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", name="pk_webhook_secrets"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_webhook_secrets_organization"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("change_id", BigInteger, nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("url", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'PENDING'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", INSTANT, nullable=False),
    Column("last_error", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_notifications"),
    UniqueConstraint("organization_id", "change_id", name="uq_notifications_change"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_notifications_organization"),
    CheckConstraint("state IN ('PENDING', 'DELIVERED', 'DEAD')", name="ck_notifications_state"),
)
Index("ix_notifications_due", notifications.c.due_at, postgresql_where=text("state = 'PENDING'"))
Index("ix_notifications_event", notifications.c.organization_id, notifications.c.event_id)
Index(
    "ix_notifications_created_at",
    notifications.c.organization_id,
    notifications.c.created_at,
    notifications.c.id,
)
