"""Set feature flags. Triggers apply the consequences in the same transaction."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.definitions.feature_flags.model import FeatureFlag
from domain.definitions.feature_flags.queries import feature_flag_get
from domain.definitions.feature_flags.tables import feature_flags
from graph.change import GraphChange, change_record
from graph.errors import BadInputError


def feature_flag_set(session: Session, *, change: GraphChange, name: str, value: Any) -> FeatureFlag:
    """Set a flag; its current value changes nothing.

    Raises NotFoundError for a flag the code does not know, BadInputError for a value it cannot have.
    """
    organization_id = change.organization_id
    before = feature_flag_get(session, organization_id=organization_id, name=name)
    if not before.kind.allows(value):
        allowed = ", ".join(orjson.dumps(item).decode() for item in before.kind.allowed)
        raise BadInputError(f"{name} can be one of {allowed}.", path=("value",))
    if before.value == value:
        return before
    flag_id = session.execute(
        select(feature_flags.c.id).where(
            feature_flags.c.organization_id == organization_id, feature_flags.c.name == name
        )
    ).scalar_one_or_none()
    flag_id = change.new_id() if flag_id is None else flag_id
    statement = upsert(feature_flags).values(
        organization_id=organization_id,
        name=name,
        id=flag_id,
        value=value,
        updated_at=change.recorded,
        updated_by=change.actor,
    )
    changed = {column: statement.excluded[column] for column in ("value", "updated_at", "updated_by")}
    session.execute(statement.on_conflict_do_update(constraint="pk_feature_flags", set_=changed))
    change_record(
        session,
        change=change,
        action="updated",
        subject_type="feature_flag",
        subject_id=flag_id,
        before={"name": name, "value": before.value},
        after={"name": name, "value": value},
    )
    return feature_flag_get(session, organization_id=organization_id, name=name)
