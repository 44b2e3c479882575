"""Tables of an organization's own."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

api_keys = Table(
    "api_keys",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("key_hash", BYTEA, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", INSTANT),
    Column("last_used_at", INSTANT),
    Column("revoked_at", INSTANT),
    # The entities below which the key is good; NULL: it is not confined.
    Column("under_ids", ARRAY(UUID)),
    PrimaryKeyConstraint("organization_id", "id", name="pk_api_keys"),
    Unique("key_hash", name="uq_api_keys_key_hash"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_api_keys_organization"),
    CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="ck_api_keys_role"),
)

session_ends_number = Sequence("session_ends_number", metadata=metadata, data_type=BigInteger, cache=1)
session_ends = Table(
    "session_ends",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    # Tokens of the subject that were issued before are refused.
    Column("ended_at", INSTANT, nullable=False),
    Column("number", BigInteger, session_ends_number, nullable=False, server_default=session_ends_number.next_value()),
    PrimaryKeyConstraint("organization_id", "subject", name="pk_session_ends"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_session_ends_organization"),
)
Index("ix_session_ends_number", session_ends.c.number)
