"""Install an organization's relationships, and create, rename and retire its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from graph.change import GraphChange, change_record
from graph.errors import BadInputError, ConflictError, LimitExceededError
from graph.kinds import EntityKind
from graph.relationships.builtin import BUILT_IN
from graph.relationships.model import Exclusive, Relationship
from graph.relationships.queries import relationship_get, relationship_list
from graph.tables import relationships

RELATIONSHIPS_MAX = 256

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
# A relationship goes by its name; the audit trail goes by ids. This is the root of the ids made of names.
_NAMESPACE = UUID("6f1c5a0e-7b0d-5d43-9a52-3f6d0b1e77c2")


def relationships_install(session: Session, *, organization_id: int, now: datetime) -> None:
    """Copy the built-in relationships into a new organization."""
    session.execute(insert(relationships), [_row(organization_id, built_in, now) for built_in in BUILT_IN])


def relationship_create(
    session: Session,
    *,
    change: GraphChange,
    name: str,
    inverse: str,
    source_kinds: Collection[EntityKind],
    target_kinds: Collection[EntityKind],
    hierarchy: bool = False,
    exclusive: Exclusive | None = None,
) -> Relationship:
    """Register a relationship of the organization's own.

    Raises BadInputError for a name that is not upper case letters, digits and underscores (at most 63) or an
    end without kinds, ConflictError where name or inverse is taken, LimitExceededError at RELATIONSHIPS_MAX.
    """
    _name_check(name, path="name")
    _name_check(inverse, path="inverse")
    if name == inverse:
        raise BadInputError("A relationship and its inverse need different names.", path=("inverse",))
    for kinds, path in ((source_kinds, "sourceKinds"), (target_kinds, "targetKinds")):
        if not kinds:
            raise BadInputError("An end needs at least one kind.", path=(path,))
    if len(relationship_list(session, organization_id=change.organization_id)) >= RELATIONSHIPS_MAX:
        raise LimitExceededError(f"An organization has at most {RELATIONSHIPS_MAX} relationships.")
    _taken_check(session, change, name, path="name")
    _taken_check(session, change, inverse, path="inverse")
    created = Relationship(name, inverse, frozenset(source_kinds), frozenset(target_kinds), hierarchy, exclusive)
    session.execute(insert(relationships), _row(change.organization_id, created, change.recorded))
    _record(session, change, "created", None, created)
    return created


def relationship_rename_inverse(session: Session, *, change: GraphChange, name: str, inverse: str) -> Relationship:
    """Give one of the organization's own relationships another inverse name.

    Raises NotFoundError, BadInputError, and ConflictError for a built-in one or where the name is taken.
    """
    before = _own(session, change, name)
    _name_check(inverse, path="inverse")
    if inverse == before.inverse:
        return before
    _taken_check(session, change, inverse, path="inverse")
    return _change(session, change, before, "updated", {"inverse": inverse})


def relationship_retire(session: Session, *, change: GraphChange, name: str) -> Relationship:
    """Retire a relationship: no new edges from now on. Existing ones stay and are still walked.

    Raises NotFoundError, and ConflictError for a built-in one.
    """
    before = _own(session, change, name)
    if before.retired_at is not None:
        return before
    return _change(session, change, before, "retired", {"retired_at": change.recorded})


def _own(session: Session, change: GraphChange, name: str) -> Relationship:
    relationship = relationship_get(session, organization_id=change.organization_id, name=name)
    if relationship.built_in:
        raise ConflictError(f"{name} is built in and cannot be changed.", path=("name",))
    return relationship


def _change(
    session: Session, change: GraphChange, before: Relationship, action: str, values: Mapping[str, Any]
) -> Relationship:
    session.execute(
        update(relationships)
        .where(relationships.c.organization_id == change.organization_id, relationships.c.name == before.name)
        .values(**values)
    )
    after = relationship_get(session, organization_id=change.organization_id, name=before.name)
    _record(session, change, action, before, after)
    return after


def _name_check(name: str, *, path: str) -> None:
    if not _NAME.fullmatch(name):
        message = "A relationship's name is upper case letters, digits and underscores, at most 63."
        raise BadInputError(message, path=(path,))


def _taken_check(session: Session, change: GraphChange, name: str, *, path: str) -> None:
    taken = session.scalar(
        select(relationships.c.name).where(
            relationships.c.organization_id == change.organization_id,
            or_(relationships.c.name == name, relationships.c.inverse == name),
        )
    )
    if taken is not None:
        raise ConflictError(f"{name} already names the relationship {taken} or its inverse.", path=(path,))


def _row(organization_id: int, relationship: Relationship, now: datetime) -> dict[str, Any]:
    among = relationship.exclusive_among
    return {
        "organization_id": organization_id,
        "name": relationship.name,
        "inverse": relationship.inverse,
        "source_kinds": sorted(relationship.source_kinds),
        "target_kinds": sorted(relationship.target_kinds),
        "hierarchy": relationship.hierarchy,
        "exclusive": relationship.exclusive,
        "exclusive_among": None if among is None else sorted(among),
        "built_in": relationship.built_in,
        "created_at": now,
    }


def _record(
    session: Session, change: GraphChange, action: str, before: Relationship | None, after: Relationship
) -> None:
    change_record(
        session,
        change=change,
        action=action,
        subject_type="relationship",
        subject_id=uuid5(_NAMESPACE, f"{change.organization_id}:{after.name}"),
        before=None if before is None else _state(before),
        after=_state(after),
    )


def _state(relationship: Relationship) -> dict[str, Any]:
    retired = relationship.retired_at
    return {
        "name": relationship.name,
        "inverse": relationship.inverse,
        "sourceKinds": sorted(relationship.source_kinds),
        "targetKinds": sorted(relationship.target_kinds),
        "hierarchy": relationship.hierarchy,
        "exclusive": relationship.exclusive,
        "retiredAt": None if retired is None else retired.isoformat(),
    }
