"""Members of groups: add and remove those of static ones, from or at an instant of valid time; list those of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, cast, func, select, text, true
from sqlalchemy.orm import Session

from domain.definitions.groups.model import Group, GroupKind
from domain.definitions.groups.queries import group_get, groups_get, is_member, member_counts
from domain.definitions.groups.tables import group_members
from domain.nodes.filters.conditions import entity_filter
from domain.nodes.filters.groups import dynamic_message
from domain.nodes.filters.model import ListFilter
from domain.nodes.lists import entity_list
from graph.change import Audit, GraphChange, changes_record
from graph.entities.model import Entity
from graph.entities.pages import entity_conditions
from graph.entities.queries import entities_get
from graph.entities.rows import ENTITY_COLUMNS, entity_of_row
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.instants import instant_text, instant_utc, moment_resolve
from graph.keyset import Keyset
from graph.paging import Page, PageRequest, page_of_read
from graph.tables import entities

ENTITIES_MAX: Final = 1_000
MEMBERS_MAX: Final = 200_000
SPANS_MAX: Final = 100
_HERE: Final = "m.organization_id = :organization_id AND m.group_id = :group_id"
_GIVEN: Final = f"{_HERE} AND m.entity_id = ANY (CAST(:ids AS uuid[]))"
_FROM_THEN_ON: Final = "tstzmultirange(tstzrange(CAST(:at AS timestamptz), NULL))"
# Statements made of constants.
_READ: Final = text(f"SELECT m.entity_id, m.valid FROM group_members m WHERE {_GIVEN}")  # noqa: S608
_ADD: Final = text(
    f"""
    INSERT INTO group_members AS m (organization_id, group_id, entity_id, valid)
    SELECT :organization_id, :group_id, u.id, {_FROM_THEN_ON} FROM unnest(CAST(:ids AS uuid[])) AS u (id)
    ON CONFLICT ON CONSTRAINT pk_group_members DO UPDATE SET valid = m.valid + excluded.valid
        WHERE NOT m.valid @> excluded.valid
    RETURNING m.entity_id, m.valid
    """  # noqa: S608
)
_REMOVE_WHOLLY: Final = text(
    f"DELETE FROM group_members m WHERE {_GIVEN} AND m.valid <@ {_FROM_THEN_ON} RETURNING m.entity_id"  # noqa: S608
)
_REMOVE: Final = text(
    f"""
    UPDATE group_members m SET valid = m.valid - {_FROM_THEN_ON} WHERE {_GIVEN} AND m.valid && {_FROM_THEN_ON}
    RETURNING m.entity_id, m.valid
    """  # noqa: S608
)
_COUNT: Final = text(f"SELECT count(*) FROM group_members m WHERE {_HERE}")  # noqa: S608


# The order of the members of a static group: by name.
_KEYSET: Final = Keyset("group_members", {"sorted_by": entities.c.name, "id": entities.c.id})


def group_members_add(
    session: Session, *, change: GraphChange, group_id: UUID, entity_ids: Sequence[UUID], begins: datetime | None
) -> Group:
    """Make entities members of a static group from an instant on, None: from now on, until they are removed.

    Whoever is a member at some of that time is one all of it then; whoever is one all of it already stays as it is.
    Raises NotFoundError for the group, and for an entity that there is not or that is deleted; BadInputError for a
    dynamic group; LimitExceededError above ENTITIES_MAX, or where the group would have more than MEMBERS_MAX members or
    an entity more than SPANS_MAX spans.
    """
    group = _static(session, change, group_id, entity_ids)
    at = change.recorded if begins is None else instant_utc(begins, path="from")
    known = entities_get(session, organization_id=change.organization_id, ids=entity_ids)
    for place, entity_id in enumerate(entity_ids):
        entity = known.get(EntityId(entity_id))
        if entity is None or entity.deleted_at is not None:
            how = "There is no entity" if entity is None else f"The entity {entity.name!r} is deleted:"
            raise NotFoundError(f"{how} {entity_id}.", path=("entityIds", str(place)))
    values = _parameters(change, group_id, sorted(known), at)
    before = _spans(session.execute(_READ, values))
    after = _spans(session.execute(_ADD, values))
    if session.execute(_COUNT, values).scalar_one() > MEMBERS_MAX:
        raise LimitExceededError(f"A group may have {MEMBERS_MAX} members.", path=("entityIds",))
    for place, entity_id in enumerate(entity_ids):
        if len(after.get(entity_id, ())) > SPANS_MAX:
            message = f"{entity_id} may become a member {SPANS_MAX} times."
            raise LimitExceededError(message, path=("entityIds", str(place)))
    _record(session, change=change, group=group, action="member_added", before=before, after=after)
    return group


def group_members_remove(
    session: Session, *, change: GraphChange, group_id: UUID, entity_ids: Sequence[UUID], at: datetime | None
) -> Group:
    """End the membership of entities in a static group at an instant, None: now. Nothing is left of it from then on.

    Raises NotFoundError for the group, and for an entity that is no member then nor later; BadInputError for a dynamic
    group; LimitExceededError above ENTITIES_MAX.
    """
    group = _static(session, change, group_id, entity_ids)
    instant = change.recorded if at is None else instant_utc(at, path="at")
    values = _parameters(change, group_id, sorted(set(entity_ids)), instant)
    before = _spans(session.execute(_READ, values))
    after: dict[UUID, list[dict[str, str | None]]] = {key: [] for key in session.scalars(_REMOVE_WHOLLY, values)}
    after |= _spans(session.execute(_REMOVE, values))
    for place, entity_id in enumerate(entity_ids):
        if entity_id not in after:
            message = f"{entity_id} is no member of the group {group.name!r} then or later."
            raise NotFoundError(message, path=("entityIds", str(place)))
    _record(session, change=change, group=group, action="member_removed", before=before, after=after)
    return group


def group_members_pages(
    session: Session,
    *,
    organization_id: int,
    ids: Sequence[UUID],
    page: PageRequest,
    now: datetime,
    offline_after: timedelta,
    as_of: datetime | None = None,
) -> dict[UUID, Page[Entity] | ArgusError]:
    """Return one page of the members of each group, by name, or why there is none. Arguments: see `entity_filter`.

    Statements: three for the static groups together, and those of a list for each dynamic one.
    """
    pages: dict[UUID, Page[Entity] | ArgusError] = {}
    groups = groups_get(session, organization_id=organization_id, ids=ids)
    static = [group.id for group in groups.values() if group.kind is GroupKind.STATIC]
    try:
        if static:
            moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=None)
            pages |= _static_pages(session, organization_id, static, page, moment.as_of)
    except ArgusError as error:
        pages |= dict.fromkeys(static, error)
    for group in groups.values():
        if group.kind is GroupKind.STATIC:
            continue
        try:
            if as_of is not None:
                raise BadInputError(dynamic_message(group.name), path=("asOf",))
            pages[group.id] = entity_list(
                session,
                organization_id=organization_id,
                where=ListFilter(group_id=group.id),
                page=page,
                now=now,
                offline_after=offline_after,
            )
        except ArgusError as error:
            pages[group.id] = error
    return pages


def group_members_count(
    session: Session, *, organization_id: int, ids: Sequence[UUID], now: datetime, offline_after: timedelta
) -> dict[UUID, int | ArgusError]:
    """Return how many members each group has now, or why that is not known. now, offline_after: see `entity_filter`.

    A dynamic group whose filter names what is gone has none: nothing fits it.
    Statements: three, and those of the filter of each dynamic group.
    """
    groups = groups_get(session, organization_id=organization_id, ids=ids)
    moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    static = [group.id for group in groups.values() if group.kind is GroupKind.STATIC]
    counted = member_counts(session, organization_id=organization_id, ids=static, as_of=moment.as_of) if static else {}
    counts: dict[UUID, int | ArgusError] = {group_id: counted.get(group_id, 0) for group_id in static}
    for group in groups.values():
        if group.kind is GroupKind.DYNAMIC:
            counts[group.id] = _fitting(session, organization_id, group, now, offline_after)
    return counts


def _static_pages(
    session: Session, organization_id: int, ids: Sequence[UUID], page: PageRequest, as_of: datetime
) -> dict[UUID, Page[Entity]]:
    """Return one page of the members of each static group. One statement, and one more for all totals if requested."""
    requested = func.unnest(cast(list(ids), ARRAY(Uuid))).table_valued("id").render_derived("requested")
    of_one = (
        select(*ENTITY_COLUMNS, entities.c.name.label("sorted_by"))
        .join_from(
            group_members,
            entities,
            (entities.c.organization_id == group_members.c.organization_id)
            & (entities.c.id == group_members.c.entity_id),
        )
        .where(
            group_members.c.organization_id == organization_id,
            group_members.c.group_id == requested.c.id,
            is_member(as_of),
            entities.c.deleted_at.is_(None),
        )
    )
    listed = _KEYSET.limited(of_one, page).lateral("listed")
    rows: dict[UUID, list[Any]] = {group_id: [] for group_id in ids}
    order = (listed.c.sorted_by, listed.c.id)
    directed = [column.desc() if page.is_backward else column.asc() for column in order]
    of_all = select(listed, requested.c.id.label("group_id")).select_from(requested.join(listed, true()))
    for row in session.execute(of_all.order_by(*directed)):
        rows[row.group_id].append(row)
    totals: dict[UUID, int] = {}

    def total(group_id: UUID) -> int:
        if not totals:
            totals.update(dict.fromkeys(ids, 0))
            totals.update(member_counts(session, organization_id=organization_id, ids=ids, as_of=as_of))
        return totals[group_id]

    pages = {}
    for group_id, of_group in rows.items():
        result = page_of_read(of_group, page, key=_KEYSET.key, total=partial(total, group_id))
        pages[group_id] = result.of([entity_of_row(row) for row in result.items])
    return pages


def _fitting(
    session: Session, organization_id: int, group: Group, now: datetime, offline_after: timedelta
) -> int | ArgusError:
    try:
        where = entity_filter(
            session,
            organization_id=organization_id,
            where=ListFilter(group_id=group.id),
            now=now,
            offline_after=offline_after,
        )
    except NotFoundError:
        return 0
    except ArgusError as error:
        return error
    statement = select(func.count()).select_from(entities).where(*entity_conditions(organization_id, where))
    return int(session.execute(statement).scalar_one())


def _static(session: Session, change: GraphChange, group_id: UUID, entity_ids: Sequence[UUID]) -> Group:
    group = group_get(session, organization_id=change.organization_id, group_id=group_id, path=("groupId",))
    if group.kind is GroupKind.DYNAMIC:
        message = f"The group {group.name!r} is DYNAMIC: its members are what fits its filter."
        raise BadInputError(message, path=("groupId",))
    if len(entity_ids) > ENTITIES_MAX:
        message = f"entityIds names {len(entity_ids)} entities; at most {ENTITIES_MAX} are taken at once."
        raise LimitExceededError(message, path=("entityIds",))
    return group


def _parameters(change: GraphChange, group_id: UUID, ids: Sequence[UUID], at: datetime) -> dict[str, Any]:
    return {"organization_id": change.organization_id, "group_id": group_id, "ids": list(ids), "at": at}


def _spans(rows: Iterable[Any]) -> dict[UUID, list[dict[str, str | None]]]:
    """Return the spans of members as the audit trail has them, by entity."""
    return {
        row.entity_id: [
            {"from": instant_text(span.lower), "until": None if span.upper is None else instant_text(span.upper)}
            for span in row.valid
        ]
        for row in rows
    }


def _record(
    session: Session,
    *,
    change: GraphChange,
    group: Group,
    action: str,
    before: Mapping[UUID, Sequence[Any]],
    after: Mapping[UUID, Sequence[Any]],
) -> None:
    audits = [
        Audit(
            action=action,
            subject_type="group",
            subject_id=group.id,
            before={"group": group.name, "entityId": str(entity_id), "valid": list(before.get(entity_id, ()))},
            after={"group": group.name, "entityId": str(entity_id), "valid": list(spans)},
        )
        for entity_id, spans in after.items()
    ]
    changes_record(session, change=change, audits=audits)
