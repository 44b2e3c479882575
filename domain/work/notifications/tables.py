"""Calls of webhooks, what they are signed with, and what processes count: tables. Migrations say the same in SQL."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
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
    Column("previous_secret", Text),
    Column("previous_until", INSTANT),
    PrimaryKeyConstraint("organization_id", name="pk_webhook_secrets"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_webhook_secrets_organization"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("event_id", UUID),
    Column("url", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'PENDING'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", INSTANT, nullable=False),
    Column("last_error", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Column("destination", Text, nullable=False, server_default=text("'-'")),
    Column("claimed_by", Text),
    Column("losses", Integer, nullable=False, server_default=text("0")),
    Column("give_up_at", INSTANT, nullable=False, server_default=text("clock_timestamp() + interval '1 day'")),
    Column("sequence", Integer),
    PrimaryKeyConstraint("organization_id", "id", name="pk_notifications"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_notifications_organization"),
    CheckConstraint("state IN ('PENDING', 'DELIVERED', 'DEAD')", name="ck_notifications_state"),
)
Index(
    "ix_notifications_due",
    notifications.c.organization_id,
    notifications.c.destination,
    notifications.c.due_at,
    postgresql_where=text("state = 'PENDING'"),
)
Index(
    "ix_notifications_first",
    notifications.c.organization_id,
    notifications.c.destination,
    notifications.c.due_at,
    postgresql_where=text("state = 'PENDING' AND attempts = 0"),
)
Index("ix_notifications_claimed", notifications.c.claimed_by, postgresql_where=text("claimed_by IS NOT NULL"))
Index(
    "ix_notifications_created_at",
    notifications.c.organization_id,
    notifications.c.created_at,
    notifications.c.id,
)
Index(
    "uq_notifications_sequence",
    notifications.c.organization_id,
    notifications.c.event_id,
    notifications.c.url,
    notifications.c.sequence,
    unique=True,
)

event_notification_states = Table(
    "event_notification_states",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("url", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "event_id", "url", name="pk_event_notification_states"),
    ForeignKeyConstraint(
        ["organization_id", "event_id"],
        ["events.organization_id", "events.id"],
        name="fk_event_notification_states_event",
    ),
    CheckConstraint("state IN ('OPEN', 'CLEARED', 'WITHDRAWN')", name="ck_event_notification_states_state"),
)

work_counts = Table(
    "work_counts",
    metadata,
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("counted_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("name", "label", name="pk_work_counts"),
)
