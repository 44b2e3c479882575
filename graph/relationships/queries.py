"""Read an organization's relationships."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from graph.errors import BadInputError, NotFoundError
from graph.json_bounds import text_is_storable
from graph.kinds import EntityKind
from graph.nearest import did_you_mean
from graph.relationships.builtin import BUILT_IN
from graph.relationships.model import Exclusive, Relationship
from graph.tables import relationships

# Every organization has them, and none is ever removed.
_BUILT_IN_NAMES: Final = frozenset(relationship.name for relationship in BUILT_IN)


def relationship_list(session: Session, *, organization_id: int) -> list[Relationship]:
    """Return all relationships by name, retired ones too: edges may still bear them."""
    rows = session.execute(
        select(relationships).where(relationships.c.organization_id == organization_id).order_by(relationships.c.name)
    )
    return [relationship_of_row(row) for row in rows]


def relationships_by_name(session: Session, *, organization_id: int) -> dict[str, Relationship]:
    """Return all relationships, by name."""
    return {
        relationship.name: relationship for relationship in relationship_list(session, organization_id=organization_id)
    }


def relationship_get(session: Session, *, organization_id: int, name: str) -> Relationship:
    """Return one relationship. Raises NotFoundError."""
    row = None
    if text_is_storable(name):
        this = (relationships.c.organization_id == organization_id, relationships.c.name == name)
        row = session.execute(select(relationships).where(*this)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no relationship {name!r}.", path=("name",))
    return relationship_of_row(row)


def relationship_names_check(
    session: Session, *, organization_id: int, names: Collection[str] | None, path: Sequence[str] = ("relationships",)
) -> None:
    """Refuse unknown names, so that a misspelt one is not an empty answer. Raises BadInputError at `path`.

    One statement, and one more for names that are like an unknown one; none where all are built in.
    """
    if not names or _BUILT_IN_NAMES.issuperset(names):
        return
    storable = list(filter(text_is_storable, names))
    known = session.scalars(
        select(relationships.c.name).where(
            relationships.c.organization_id == organization_id,
            relationships.c.name.in_(storable),
        )
    ).all()
    unknown = sorted(set(names) - set(known))
    if unknown:
        every = relationship_list(session, organization_id=organization_id)
        raise relationship_unknown(unknown[0], every, path=path)


def relationship_unknown(
    name: str, every: Iterable[Relationship], *, path: Sequence[str] = ("relationship",)
) -> BadInputError:
    """Return the error for an unknown name, with those that are like it."""
    known = sorted(relationship.name for relationship in every if relationship.retired_at is None)
    return BadInputError(f"There is no relationship {name!r}.{did_you_mean(name, known)}", path=path)


def relationship_of_row(row: Row[Any]) -> Relationship:
    """Return the relationship a row of the table holds."""
    among = row.exclusive_among
    return Relationship(
        row.name,
        row.inverse,
        frozenset(map(EntityKind, row.source_kinds)),
        frozenset(map(EntityKind, row.target_kinds)),
        row.hierarchy,
        None if row.exclusive is None else Exclusive(row.exclusive),
        None if among is None else frozenset(map(EntityKind, among)),
        row.built_in,
        row.retired_at,
    )
