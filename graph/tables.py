"""Tables of the temporal entity graph. The migrations say the same in SQL; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, TSTZRANGE, UUID, ExcludeConstraint
from sqlalchemy.types import UserDefinedType

from graph.metadata import metadata

INSTANT = TIMESTAMP(timezone=True)
_KINDS = "kind IN ('DEVICE', 'ASSET', 'SPACE', 'PERSON', 'ACTIVITY')"
_LIVE = text("deleted_at IS NULL")


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's xid8: the number of a transaction, as text."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name."""
        return "xid8"


class Box(UserDefinedType[str]):
    """PostgreSQL's `box`: two corners, written '((x1,y1),(x2,y2))'."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name in DDL."""
        return "box"


organizations = Table(
    "organizations",
    metadata,
    Column("id", Integer, Identity(always=True)),
    Column("public_id", UUID, nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    # Callers and readings of the organization are refused since then.
    Column("suspended_at", INSTANT),
    PrimaryKeyConstraint("id", name="pk_organizations"),
    UniqueConstraint("public_id", name="uq_organizations_public_id"),
    UniqueConstraint("slug", name="uq_organizations_slug"),
    CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="ck_organizations_slug"),
)

graph_clocks = Table(
    "graph_clocks",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("last_recorded", INSTANT, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("derivation_revision", BigInteger, nullable=False, server_default=text("0")),
    Column("input_revision", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("organization_id", name="pk_graph_clocks"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_graph_clocks_organization"),
)

# Erasures of entities, of which `migrations/functions/erasures.sql` does the work.
erasures = Table(
    "erasures",
    metadata,
    Column("organization_id", Integer, nullable=False),
    # What the entity is called from then on, wherever something of it has to stay.
    Column("id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    # Until it is finished: the entity, its names, and how far the audit trail has been looked through.
    Column("entity_id", UUID),
    Column("names", ARRAY(Text)),
    Column("trail_at", INSTANT),
    Column("trail_id", UUID),
    Column("finished_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_erasures"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_erasures_organization"),
    CheckConstraint(
        "(finished_at IS NULL) = (entity_id IS NOT NULL) AND (entity_id IS NULL) = (names IS NULL)",
        name="ck_erasures_finished",
    ),
    Index("uq_erasures_entity", "organization_id", "entity_id", unique=True),
)

entity_types = Table(
    "entity_types",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("attributes", JSONB, nullable=False, server_default=text("'{}'")),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "id", name="pk_entity_types"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_entity_types_organization"),
    UniqueConstraint("organization_id", "kind", "name", name="uq_entity_types_kind_name"),
    CheckConstraint(_KINDS, name="ck_entity_types_kind"),
)

entities = Table(
    "entities",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("type", Text),
    Column("name", Text, nullable=False),
    Column("external_id", Text),
    Column("status", Text, nullable=False),
    Column("attributes", JSONB, nullable=False, server_default=text("'{}'")),
    Column("geometry", BYTEA),
    Column("bounds", Box),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_entities"),
    UniqueConstraint("organization_id", "id", "kind", name="uq_entities_id_kind"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_entities_organization"),
    ForeignKeyConstraint(
        ["organization_id", "kind", "type"],
        ["entity_types.organization_id", "entity_types.kind", "entity_types.name"],
        name="fk_entities_type",
        onupdate="CASCADE",
    ),
    CheckConstraint(_KINDS, name="ck_entities_kind"),
    CheckConstraint("(geometry IS NULL) = (bounds IS NULL)", name="ck_entities_geometry"),
)
Index(
    "uq_entities_external_id",
    entities.c.organization_id,
    entities.c.kind,
    entities.c.external_id,
    unique=True,
    postgresql_where=text("external_id IS NOT NULL AND deleted_at IS NULL"),
)
for _column in ("name", "created_at", "updated_at"):
    Index(
        f"ix_entities_{_column}",
        entities.c.organization_id,
        entities.c.kind,
        entities.c[_column],
        entities.c.id,
        postgresql_where=_LIVE,
    )
Index(
    "ix_entities_deleted",
    *(entities.c[_column] for _column in ("organization_id", "kind", "name", "id")),
    postgresql_where=text("deleted_at IS NOT NULL"),
)
Index(
    "ix_entities_type",
    entities.c.organization_id,
    entities.c.type,
    entities.c.kind,
    postgresql_where=text("type IS NOT NULL"),
)
Index(
    "ix_entities_bounds",
    entities.c.organization_id,
    entities.c.bounds,
    postgresql_using="gist",
    postgresql_where=text("bounds IS NOT NULL"),
)

Index(
    "ix_entities_name_parts",
    entities.c.organization_id,
    func.text_folded(entities.c.name).label("name_folded"),
    func.text_folded(entities.c.external_id).label("external_id_folded"),
    postgresql_using="gin",
    postgresql_ops={"name_folded": "gin_trgm_ops", "external_id_folded": "gin_trgm_ops"},
    postgresql_where=_LIVE,
)

relationships = Table(
    "relationships",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("inverse", Text, nullable=False),
    Column("source_kinds", ARRAY(Text), nullable=False),
    Column("target_kinds", ARRAY(Text), nullable=False),
    Column("hierarchy", Boolean, nullable=False),
    Column("exclusive", Text),
    Column("exclusive_among", ARRAY(Text)),
    Column("built_in", Boolean, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("retired_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "name", name="pk_relationships"),
    UniqueConstraint("organization_id", "inverse", name="uq_relationships_inverse"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_relationships_organization"),
    CheckConstraint("name ~ '^[A-Z][A-Z0-9_]{0,62}$'", name="ck_relationships_name"),
    CheckConstraint("exclusive IN ('SOURCE', 'TARGET', 'TARGET_PORT')", name="ck_relationships_exclusive"),
)

_BELIEVED = text("upper(recorded) IS NULL")

entity_edges = Table(
    "entity_edges",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("edge_id", UUID, nullable=False),
    Column("relationship", Text, nullable=False),
    Column("source_id", UUID, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("target_id", UUID, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("port", Integer),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("valid", TSTZRANGE, nullable=False),
    Column("recorded", TSTZRANGE, nullable=False),
    Column("place", Text),
    Column("exclusive", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("organization_id", "id", name="pk_entity_edges"),
    ForeignKeyConstraint(
        ["organization_id", "relationship"],
        ["relationships.organization_id", "relationships.name"],
        name="fk_entity_edges_relationship",
    ),
    ForeignKeyConstraint(
        ["organization_id", "source_id", "source_kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_entity_edges_source",
    ),
    ForeignKeyConstraint(
        ["organization_id", "target_id", "target_kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_entity_edges_target",
    ),
    CheckConstraint(
        "NOT isempty(valid) AND NOT lower_inf(valid) AND lower_inc(valid) AND NOT upper_inc(valid)",
        name="ck_entity_edges_valid",
    ),
    CheckConstraint(
        "NOT isempty(recorded) AND NOT lower_inf(recorded) AND lower_inc(recorded) AND NOT upper_inc(recorded)",
        name="ck_entity_edges_recorded",
    ),
    CheckConstraint("source_id <> target_id", name="ck_entity_edges_no_loop"),
    CheckConstraint("port >= 0", name="ck_entity_edges_port"),
    ExcludeConstraint(
        ("organization_id", "="),
        ("source_id", "="),
        ("target_id", "="),
        ("relationship", "="),
        (text("coalesce(port, -1)"), "="),
        ("valid", "&&"),
        name="ex_entity_edges_believed",
        where=_BELIEVED,
    ),
    ExcludeConstraint(
        ("organization_id", "="),
        ("place", "="),
        ("valid", "&&"),
        name="ex_entity_edges_exclusive",
        where=text("upper_inf(recorded) AND exclusive"),
    ),
    ExcludeConstraint(
        ("organization_id", "="),
        ("place", "="),
        (text("(exclusive::integer)"), "<>"),
        ("valid", "&&"),
        name="ex_entity_edges_shared",
        where=text("upper_inf(recorded) AND place IS NOT NULL"),
    ),
    CheckConstraint("place IS NOT NULL OR NOT exclusive", name="ck_entity_edges_exclusive"),
    ExcludeConstraint(("organization_id", "="), ("edge_id", "="), ("recorded", "&&"), name="ex_entity_edges_version"),
)
Index("ix_entity_edges_source", *(entity_edges.c[c] for c in ("organization_id", "source_id", "relationship")))
Index("ix_entity_edges_target", *(entity_edges.c[c] for c in ("organization_id", "target_id", "relationship")))
Index("ix_entity_edges_recorded", entity_edges.c.organization_id, func.lower(entity_edges.c.recorded))
Index(
    "ix_entity_edges_renaming",
    entity_edges.c.organization_id,
    postgresql_where=text("jsonb_typeof(metadata -> 'metrics_mapping') = 'object'"),
)
Index(
    "ix_entity_edges_closed",
    entity_edges.c.organization_id,
    func.upper(entity_edges.c.recorded),
    postgresql_where=text("upper(recorded) IS NOT NULL"),
)

changes = Table(
    "changes",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", UUID, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("reason", Text),
    PrimaryKeyConstraint("organization_id", "id", name="pk_changes"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_changes_organization"),
)
Index("ix_changes_recorded_at", changes.c.organization_id, changes.c.recorded_at, changes.c.id)
Index("ix_changes_subject", changes.c.organization_id, changes.c.subject_id, changes.c.recorded_at)
