"""Groups of entities: tables. The migrations say the same in SQL."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZMULTIRANGE, UUID

from graph.metadata import metadata
from graph.tables import INSTANT

groups = Table(
    "groups",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("kind", Text, nullable=False),
    Column("filter", JSONB),
    Column("entity_ids", ARRAY(UUID), nullable=False, server_default=sql_text("'{}'")),
    Column("group_ids", ARRAY(UUID), nullable=False, server_default=sql_text("'{}'")),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_groups"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_groups_organization"),
    CheckConstraint("kind IN ('STATIC', 'DYNAMIC')", name="ck_groups_kind"),
    CheckConstraint("(kind = 'DYNAMIC') = (filter IS NOT NULL)", name="ck_groups_filter"),
)
Index(
    "uq_groups_name",
    groups.c.organization_id,
    groups.c.name,
    unique=True,
    postgresql_where=sql_text("deleted_at IS NULL"),
)

group_members = Table(
    "group_members",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("group_id", UUID, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("valid", TSTZMULTIRANGE, nullable=False),
    PrimaryKeyConstraint("organization_id", "group_id", "entity_id", name="pk_group_members"),
    ForeignKeyConstraint(
        ["organization_id", "group_id"], ["groups.organization_id", "groups.id"], name="fk_group_members_group"
    ),
    ForeignKeyConstraint(
        ["organization_id", "entity_id"],
        ["entities.organization_id", "entities.id"],
        name="fk_group_members_entity",
    ),
    CheckConstraint(
        "NOT isempty(valid) AND NOT lower_inf(valid) AND lower_inc(valid) AND NOT upper_inc(valid)",
        name="ck_group_members_valid",
    ),
)
Index("ix_group_members_entity", group_members.c.organization_id, group_members.c.entity_id)
