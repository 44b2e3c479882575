"""What the groups that a filter names mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from domain.definitions.groups.model import Group, GroupKind
from domain.definitions.groups.queries import groups_get
from domain.nodes.filters.model import DEPTH_MAX, GROUP, PARTS_MAX, GroupMeaning, ListFilter, Path, group_error
from domain.nodes.filters.stored import filter_read, filters_within
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError


def groups_resolve(
    session: Session, *, organization_id: int, where: ListFilter, as_of: datetime | None = None
) -> ListFilter:
    """Return a filter with the meaning of each group that it names. A statement for each level of groups in groups.

    as_of: of the list, where it is not now. Raises NotFoundError for a group that there is not, BadInputError for a
    dynamic one with `as_of`, LimitExceededError where too many groups are named by each other. An error of a group's
    own filter names the group.
    """
    known: dict[UUID, Group | None] = {}
    filters: dict[UUID, ListFilter] = {}
    waiting = set(groups_named(where))
    while waiting:
        if len(known) + len(waiting) > PARTS_MAX:
            raise LimitExceededError(f"The groups of a filter may name {PARTS_MAX} groups.", path=("filter",))
        read = groups_get(session, organization_id=organization_id, ids=waiting)
        known |= dict.fromkeys(waiting) | {item.id: item for item in read.values() if item.deleted_at is None}
        fresh = {item.id: filter_read(item.filter) for item in read.values() if item.filter is not None}
        filters |= fresh
        waiting = {group_id for where_of in fresh.values() for group_id in groups_named(where_of)} - set(known)
    return _Resolution(known, filters, as_of).resolved(where, ("filter",), 0)


def groups_named(where: ListFilter) -> Iterator[UUID]:
    """Yield the groups that a filter names itself. Pure."""
    return (part.group_id for part in filters_within(where) if part.group_id is not None)


@dataclass
class _Resolution:
    """Puts the meaning of groups into filters. known: None for one that there is not. filters: of the dynamic ones."""

    known: Mapping[UUID, Group | None]
    filters: Mapping[UUID, ListFilter]
    as_of: datetime | None
    _meanings: dict[UUID, GroupMeaning] = field(default_factory=dict)

    def resolved(self, where: ListFilter, path: Path, depth: int) -> ListFilter:
        """Return a filter with the meaning of its groups. depth: in groups."""

        def inner(part: ListFilter, *place: str) -> ListFilter:
            return self.resolved(part, (*path, *place), depth)

        if not any(True for _ in groups_named(where)):
            return where
        every, any_of = (
            None if parts is None else [inner(part, name, str(n)) for n, part in enumerate(parts)]
            for name, parts in (("and", where.every), ("or", where.any_of))
        )
        return replace(
            where,
            group=None if where.group_id is None else self._meaning(where.group_id, (*path, *GROUP), depth),
            every=every,
            any_of=any_of,
            none_of=None if where.none_of is None else inner(where.none_of, "not"),
        )

    def _meaning(self, group_id: UUID, path: Path, depth: int) -> GroupMeaning:
        group = self.known.get(group_id)
        if group is None:
            raise NotFoundError(f"There is no group {group_id}.", path=path)
        if group.kind is GroupKind.STATIC:
            return GroupMeaning(group.name, None)
        if self.as_of is not None:
            raise BadInputError(dynamic_message(group.name), path=path)
        if group_id not in self._meanings:
            if depth == DEPTH_MAX:
                raise LimitExceededError(f"Groups may be nested {DEPTH_MAX} deep.", path=path)
            try:
                where = self.resolved(self.filters[group_id], path, depth + 1)
            except ArgusError as error:
                group_error(error, group.name, path)
                raise
            self._meanings[group_id] = GroupMeaning(group.name, where)
        return self._meanings[group_id]


def dynamic_message(name: str) -> str:
    """Return why the members of a dynamic group are known as of now alone."""
    return (
        f"The group {name!r} is DYNAMIC: its members are what fits its filter now. What fitted at another time is not "
        "known, for attributes, statuses and health are current values; leave asOf and knownAt out."
    )
