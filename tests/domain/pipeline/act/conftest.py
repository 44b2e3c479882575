"""Rules, events and their changes, as the tables that the act stage reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.pipeline.act.apply import AppliedActions
from domain.pipeline.act.operations import event_actions_apply
from domain.work.activities.model import ActivityDetails
from domain.work.activities.queries import activity_details_get
from domain.work.activity_templates.operations import activity_template_create
from graph.kinds import EntityKind
from graph.tenancy import organization_set
from testing.world import World, day, new_id

NOW = day(100)
# Every optional field of a template.
TEMPLATE: dict[str, Any] = {
    "description": "Find out why, and cool it.",
    "type": "cooling",
    "default_priority": "high",
    "default_assigned_role": "technician",
    "checklist": [{"text": "Look", "id": "look", "note": {"tools": ["torch"]}}, "Mend"],
    "due_in": timedelta(hours=2),
}


@dataclass(frozen=True, slots=True)
class Alarms:
    """Events in an organization, inserted by hand, and the act stage."""

    world: World
    owner: Engine
    pipeline: Engine

    def rule(self, **action: Any) -> UUID:
        """Make a rule with an action."""
        rule_id = new_id()
        self._run("INSERT INTO rules VALUES (:o, :id, 'Too warm', now(), now())", id=rule_id)
        self.version(rule_id, day(0), **action)
        return rule_id

    def version(self, rule_id: UUID, effective_from: datetime, **action: Any) -> UUID:
        """Give a rule another action from an instant of event time on."""
        version_id = new_id()
        self._run(
            "INSERT INTO rule_versions (organization_id, rule_id, effective_from, id, condition, severity, action,"
            " escalation, max_events, per_us, is_active, recorded_at, actor)"
            " VALUES (:o, :id, :at, :version, '{}', 'HIGH', :action, '[]', 12, 1, true, now(), 'test')",
            id=rule_id, at=effective_from, version=version_id, action=json.dumps(action),
        )  # fmt: skip
        return version_id

    def carried(self, event_id: UUID, version_id: UUID, severity: str) -> None:
        """Have another version of its rule go on with an event."""
        self._run(
            "UPDATE events SET version_id = :version, severity = :severity WHERE organization_id = :o AND id = :id",
            id=event_id, version=version_id, severity=severity,
        )  # fmt: skip

    def opened(self, rule_id: UUID, entity_id: UUID, at: datetime, **more: Any) -> UUID:
        """Open an event."""
        event_id = new_id()
        self._run(
            "INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, severity, began_at,"
            " opened_at, flaps, detected_at, suppressed_until)"
            " VALUES (:o, :id, :rule, :entity, '', :id, 'HIGH', :at, :at, 0, now(), :suppressed_until)",
            id=event_id, rule=rule_id, entity=entity_id, at=at, suppressed_until=more.pop("suppressed_until", None),
        )  # fmt: skip
        self.changed(event_id, "OPENED", at, **more)
        return event_id

    def cleared(self, event_id: UUID, at: datetime) -> None:
        """Clear an event."""
        self._run(
            "UPDATE events SET cleared_at = :at, cleared_reason = 'CONDITION' WHERE organization_id = :o AND id = :id",
            id=event_id, at=at,
        )  # fmt: skip
        self.changed(event_id, "CLEARED", at)

    def withdrawn(self, event_id: UUID, at: datetime) -> None:
        """Have the data never have had an event."""
        self._run("UPDATE events SET withdrawn_at = :at WHERE organization_id = :o AND id = :id", id=event_id, at=at)
        self.changed(event_id, "WITHDRAWN", at)

    def changed(self, event_id: UUID, kind: str, at: datetime, *, side_effects_disabled: bool = False) -> None:
        """Leave an event change waiting."""
        self._run(
            "INSERT INTO event_changes (organization_id, event_id, kind, at, side_effects_disabled)"
            " VALUES (:o, :id, :kind, :at, :side_effects_disabled)",
            id=event_id, kind=kind, at=at, side_effects_disabled=side_effects_disabled,
        )  # fmt: skip

    def act(self, now: datetime, **options: Any) -> AppliedActions:
        """Apply waiting event changes, in a transaction of the pipeline's role."""
        with Session(self.pipeline) as session, session.begin():
            organization_set(session, organization_id=self.world.organization_id)
            return event_actions_apply(
                session, organization_id=self.world.organization_id, now=now, new_id=new_id, **options
            )

    def waiting(self) -> int:
        """Count waiting event changes."""
        with Session(self.owner) as session:
            counted: int = session.execute(
                text("SELECT count(*) FROM event_changes WHERE processed_at IS NULL")
            ).scalar_one()
            return counted

    def activities(self) -> list[tuple[UUID, str, ActivityDetails]]:
        """Return all activities with status and details, the first made first."""
        with self.world.session() as session:
            rows = session.execute(
                text("SELECT id, status FROM entities WHERE kind = 'ACTIVITY' AND deleted_at IS NULL ORDER BY id")
            ).all()
            details = activity_details_get(
                session, organization_id=self.world.organization_id, ids=[row.id for row in rows]
            )
        return [(row.id, row.status, details[row.id]) for row in rows]

    def _run(self, statement: str, **values: Any) -> None:
        with Session(self.owner) as session, session.begin():
            session.execute(text(statement), {"o": self.world.organization_id, **values})


@pytest.fixture
def alarms(world: World, engine: Callable[[str], Engine]) -> Alarms:
    return Alarms(world, engine("owner"), engine("pipeline"))


@pytest.fixture
def template(alarms: Alarms) -> UUID:
    """A template with every optional field."""
    with alarms.world.changing() as (session, change):
        return activity_template_create(session, change=change, name="Cool it", **TEMPLATE).id


@pytest.fixture
def asset(alarms: Alarms) -> UUID:
    return alarms.world.entity(EntityKind.ASSET)
