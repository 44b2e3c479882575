"""Asset profiles and their versions: tables. The migrations say the same in SQL."""

from sqlalchemy import (
    CheckConstraint,
    Column,
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

asset_profiles = Table(
    "asset_profiles",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_asset_profiles"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_asset_profiles_organization"),
)
Index(
    "uq_asset_profiles_name",
    asset_profiles.c.organization_id,
    asset_profiles.c.name,
    unique=True,
    postgresql_where=text("deleted_at IS NULL"),
)

asset_profile_versions = Table(
    "asset_profile_versions",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("profile_id", UUID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("effective_from", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    PrimaryKeyConstraint("organization_id", "profile_id", "number", name="pk_asset_profile_versions"),
    ForeignKeyConstraint(
        ["organization_id", "profile_id"],
        ["asset_profiles.organization_id", "asset_profiles.id"],
        name="fk_asset_profile_versions_profile",
    ),
    CheckConstraint("number >= 1", name="ck_asset_profile_versions_number"),
)
