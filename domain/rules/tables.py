"""Rules, events, and what the evaluation remembers: tables. The migrations say the same in SQL."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from graph.metadata import metadata
from graph.tables import INSTANT, TransactionId


def _organization(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=f"fk_{table}_organization")


def _owned_by(table: str, column: str, owner: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", column],
        [f"{owner}.organization_id", f"{owner}.id"],
        name=f"fk_{table}_{owner.removesuffix('s')}",
    )


def _of_profile(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "profile_id"],
        ["asset_profiles.organization_id", "asset_profiles.id"],
        name=f"fk_{table}_profile",
    )


def _of_group(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "group_id"], ["groups.organization_id", "groups.id"], name=f"fk_{table}_group"
    )


rules = Table(
    "rules",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    Column("profile_id", UUID),
    PrimaryKeyConstraint("organization_id", "id", name="pk_rules"),
    _organization("rules"),
    _of_profile("rules"),
)
Index(
    "ix_rules_profile",
    rules.c.organization_id,
    rules.c.profile_id,
    postgresql_where=text("profile_id IS NOT NULL"),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("rule_id", UUID, nullable=False),
    Column("effective_from", INSTANT, nullable=False),
    Column("id", UUID, nullable=False),
    Column("condition", JSONB, nullable=False),
    Column("severity", Text, nullable=False),
    Column("entity_id", UUID),
    Column("kind", Text),
    Column("type", Text),
    Column("under_id", UUID),
    Column("action", JSONB, nullable=False),
    Column("escalation", JSONB, nullable=False),
    Column("max_events", Integer, nullable=False),
    Column("per_us", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("profile_id", UUID),
    Column("group_id", UUID),
    PrimaryKeyConstraint("organization_id", "rule_id", "effective_from", name="pk_rule_versions"),
    _owned_by("rule_versions", "rule_id", "rules"),
    _of_profile("rule_versions"),
    _of_group("rule_versions"),
    CheckConstraint(
        "num_nonnulls(entity_id, type, under_id, profile_id, group_id) <= 1", name="ck_rule_versions_scope"
    ),
)
Index(
    "ix_rule_versions_group",
    rule_versions.c.organization_id,
    rule_versions.c.group_id,
    postgresql_where=text("group_id IS NOT NULL"),
)
Index(
    "ix_rule_versions_never_heard",
    rule_versions.c.organization_id,
    postgresql_where=text("jsonb_path_exists(condition, '$.**.everHeard ? (@ == false)')"),
)

events = Table(
    "events",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("rule_id", UUID, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("version_id", UUID, nullable=False),
    Column("began_at", INSTANT, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("cleared_at", INSTANT),
    Column("cleared_reason", Text),
    Column("severity", Text, nullable=False),
    Column("value", Double),
    Column("flaps", Integer, nullable=False),
    Column("detected_at", INSTANT, nullable=False),
    Column("withdrawn_at", INSTANT),
    Column("suppressed_until", INSTANT),
    Column("opening_processed_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_events"),
    _owned_by("events", "rule_id", "rules"),
    CheckConstraint("(cleared_at IS NULL) = (cleared_reason IS NULL)", name="ck_events_cleared"),
)
Index(
    "ix_events_entity",
    events.c.organization_id,
    events.c.entity_id,
    events.c.rule_id,
    events.c.key,
    events.c.opened_at,
)
Index(
    "ix_events_open",
    events.c.organization_id,
    events.c.entity_id,
    postgresql_where=text("cleared_at IS NULL AND withdrawn_at IS NULL"),
)
Index("ix_events_opened", events.c.organization_id, events.c.opened_at, events.c.id)
Index(
    "ix_events_rule",
    events.c.organization_id,
    events.c.rule_id,
    events.c.opened_at,
    postgresql_where=text("withdrawn_at IS NULL"),
)
Index(
    "ix_events_suppressed",
    events.c.organization_id,
    events.c.suppressed_until,
    postgresql_where=text("suppressed_until IS NOT NULL"),
)

event_annotations = Table(
    "event_annotations",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    PrimaryKeyConstraint("organization_id", "id", name="pk_event_annotations"),
    _owned_by("event_annotations", "event_id", "events"),
    CheckConstraint("kind IN ('ACKNOWLEDGED', 'DISMISSED', 'COMMENT')", name="ck_event_annotations_kind"),
)
Index(
    "ix_event_annotations_event",
    event_annotations.c.organization_id,
    event_annotations.c.event_id,
    event_annotations.c.at,
)

event_corrections = Table(
    "event_corrections",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("recorded_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    PrimaryKeyConstraint("organization_id", "id", name="pk_event_corrections"),
    _owned_by("event_corrections", "event_id", "events"),
)
Index(
    "ix_event_corrections_event",
    event_corrections.c.organization_id,
    event_corrections.c.event_id,
    event_corrections.c.id,
)

event_changes = Table(
    "event_changes",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("side_effects_disabled", Boolean, nullable=False),
    Column("processed_at", INSTANT),
    Column("due_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "id", name="pk_event_changes"),
    _organization("event_changes"),
    CheckConstraint(
        "kind IN ('OPENED', 'CLEARED', 'REOPENED', 'CORRECTED', 'WITHDRAWN', 'ESCALATED', 'DEESCALATED')",
        name="ck_event_changes_kind",
    ),
)
Index("ix_event_changes_waiting", event_changes.c.recorded_at, postgresql_where=text("processed_at IS NULL"))

event_updates = Table(
    "event_updates",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("what", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("transaction", TransactionId, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("cluster", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "transaction", "id", name="pk_event_updates"),
)

rule_timers = Table(
    "rule_timers",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("rule_id", UUID, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", "rule_id", "key", name="pk_rule_timers"),
    _organization("rule_timers"),
)
Index("ix_rule_timers_due", rule_timers.c.due_at)

rule_states = Table(
    "rule_states",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("rule_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", "rule_id", "key", "at", name="pk_rule_states"),
    _organization("rule_states"),
)
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
    ForeignKeyConstraint(["organization_id", "rule_id"], ["rules.organization_id", "rules.id"], name="fk_shelves_rule"),
    ForeignKeyConstraint(
        ["organization_id", "entity_id"], ["entities.organization_id", "entities.id"], name="fk_shelves_entity"
    ),
    CheckConstraint("num_nonnulls(rule_id, entity_id) >= 1", name="ck_shelves_what"),
    CheckConstraint("begins < ends", name="ck_shelves_span"),
)
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
suppression_invalidations = Table(
    "suppression_invalidations",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("begins", INSTANT, nullable=False),
    Column("ends", INSTANT, nullable=False),
    Column("done_at", INSTANT),
    Column("done_id", UUID),
    PrimaryKeyConstraint("organization_id", "begins", "ends", name="pk_suppression_invalidations"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_suppression_invalidations_organization"),
)
Index("ix_shelves_ends", shelves.c.organization_id, shelves.c.ends)
Index("ix_maintenance_windows_ends", maintenance_windows.c.organization_id, maintenance_windows.c.ends)
