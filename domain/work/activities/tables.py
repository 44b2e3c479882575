"""Tables of activities. The migrations say the same in SQL."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
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

activities = Table(
    "activities",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, Computed("'ACTIVITY'", persisted=True), nullable=False),
    Column("category", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("due_at", INSTANT),
    Column("checklist", JSONB, nullable=False, server_default=text("'[]'")),
    Column("template_id", UUID),
    Column("rule_id", UUID),
    Column("event_id", UUID),
    Column("target_id", UUID),
    Column("holds_place", Boolean, nullable=False, server_default=text("false")),
    Column("suggestion", JSONB(none_as_null=True)),
    PrimaryKeyConstraint("organization_id", "id", name="pk_activities"),
    ForeignKeyConstraint(
        ["organization_id", "template_id"],
        ["activity_templates.organization_id", "activity_templates.id"],
        name="fk_activities_template",
    ),
    CheckConstraint("NOT holds_place OR rule_id IS NOT NULL AND target_id IS NOT NULL", name="ck_activities_place"),
    ForeignKeyConstraint(
        ["organization_id", "id", "kind"],
        ["entities.organization_id", "entities.id", "entities.kind"],
        name="fk_activities_entity",
    ),
)
Index(
    "uq_activities_place",
    activities.c.organization_id,
    activities.c.rule_id,
    activities.c.target_id,
    unique=True,
    postgresql_where=text("holds_place"),
)
Index(
    "ix_activities_rule",
    activities.c.organization_id,
    activities.c.rule_id,
    activities.c.target_id,
    postgresql_where=text("rule_id IS NOT NULL"),
)
Index(
    "ix_activities_event",
    activities.c.organization_id,
    activities.c.event_id,
    postgresql_where=text("event_id IS NOT NULL"),
)

activity_steps = Table(
    "activity_steps",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("id", UUID, nullable=False),
    Column("activity_id", UUID, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text),
    Column("person_id", UUID),
    Column("item_id", Text),
    Column("event_id", UUID),
    Column("note", Text),
    PrimaryKeyConstraint("organization_id", "id", name="pk_activity_steps"),
    ForeignKeyConstraint(
        ["organization_id", "activity_id"],
        ["activities.organization_id", "activities.id"],
        name="fk_activity_steps_activity",
    ),
    CheckConstraint(
        "step IN ('CREATED', 'MOVED', 'ASSIGNED', 'ITEM', 'EVENT', 'SUGGESTED')", name="ck_activity_steps_step"
    ),
)
Index(
    "ix_activity_steps_activity",
    activity_steps.c.organization_id,
    activity_steps.c.activity_id,
    activity_steps.c.recorded_at,
    activity_steps.c.id,
)
Index(
    "ix_activity_steps_event",
    activity_steps.c.organization_id,
    activity_steps.c.event_id,
    postgresql_where=text("event_id IS NOT NULL"),
)
