"""Tables of devices. The migrations say the same in SQL."""

from sqlalchemy import (
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

devices = Table(
    "devices",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, Computed("'DEVICE'", persisted=True), nullable=False),
    Column("firmware_version", Text),
    PrimaryKeyConstraint("organization_id", "id", name="pk_devices"),
    ForeignKeyConstraint(
        ["organization_id", "id", "kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_devices_entity",
    ),
)

device_tokens = Table(
    "device_tokens",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("device_id", UUID, nullable=False),
    Column("token_hash", BYTEA, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("revoked_at", INSTANT),
    Column("issued_by", Text, nullable=False),
    Column("expires_at", INSTANT),
    Column("last_used_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_device_tokens"),
    UniqueConstraint("token_hash", name="uq_device_tokens_token_hash"),
    ForeignKeyConstraint(
        ["organization_id", "device_id"],
        ["devices.organization_id", "devices.id"],
        name="fk_device_tokens_device",
    ),
)
Index("ix_device_tokens_device", device_tokens.c.organization_id, device_tokens.c.device_id)

device_presence = Table(
    "device_presence",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("device_id", UUID, nullable=False),
    Column("last_seen_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "device_id", name="pk_device_presence"),
    ForeignKeyConstraint(
        ["organization_id", "device_id"],
        ["devices.organization_id", "devices.id"],
        name="fk_device_presence_device",
    ),
)
Index("ix_device_presence_last_seen_at", device_presence.c.organization_id, device_presence.c.last_seen_at)
