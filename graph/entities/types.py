"""Register the type name of an entity."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from graph.change import GraphChange, change_record
from graph.json_bounds import Path, text_check
from graph.kinds import EntityKind
from graph.tables import entity_types

TYPE_NAME_MAX_CHARS: Final = 200


def type_name_check(name: Any, *, path: Path) -> str:
    """Return a name a type can bear. Raises BadInputError for none or more than TYPE_NAME_MAX_CHARS."""
    return text_check(name, path=path, min_chars=1, max_chars=TYPE_NAME_MAX_CHARS)


def type_ensure(session: Session, *, change: GraphChange, kind: EntityKind, name: str) -> None:
    """Register a type under this name, without a description or a telemetry schema, unless there is one."""
    known = session.scalar(
        select(entity_types.c.id).where(
            entity_types.c.organization_id == change.organization_id,
            entity_types.c.kind == kind,
            entity_types.c.name == name,
        )
    )
    if known is not None:
        return
    type_id = change.new_id()
    session.execute(
        insert(entity_types),
        {
            "organization_id": change.organization_id,
            "id": type_id,
            "kind": kind,
            "name": name,
            "attributes": {},
            "created_at": change.recorded,
            "updated_at": change.recorded,
        },
    )
    change_record(
        session,
        change=change,
        action="created",
        subject_type="entity_type",
        subject_id=type_id,
        before=None,
        after={
            "id": str(type_id),
            "kind": kind.value,
            "name": name,
            "description": None,
            "telemetrySchema": {},
            "attributes": {},
        },
    )
