"""Tables of assets. The migrations say the same in SQL."""

from sqlalchemy import Column, Computed, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from graph.metadata import metadata

assets = Table(
    "assets",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, Computed("'ASSET'", persisted=True), nullable=False),
    Column("profile_id", UUID),
    PrimaryKeyConstraint("organization_id", "id", name="pk_assets"),
    ForeignKeyConstraint(
        ["organization_id", "id", "kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_assets_entity",
    ),
    ForeignKeyConstraint(
        ["organization_id", "profile_id"],
        ["asset_profiles.organization_id", "asset_profiles.id"],
        name="fk_assets_profile",
    ),
)
Index(
    "ix_assets_profile",
    assets.c.organization_id,
    assets.c.profile_id,
    assets.c.id,
    postgresql_where=text("profile_id IS NOT NULL"),
)
