"""Walk the graph: related entities, traversals, shortest paths, what is below."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Select, String, Uuid, bindparam, cast, func, select, text
from sqlalchemy.orm import Session

from graph.direction import Direction
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.instants import Moment, moment_resolve
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest, page_of_all, page_of_sorted
from graph.relationships.queries import relationship_names_check
from graph.tables import entities
from graph.walk.below import below_select
from graph.walk.model import (
    DEPTH_MAX,
    LIMIT_MAX,
    STARTS_MAX,
    STEPS_MAX,
    Path,
    Reached,
    Step,
    WalkEngine,
)
from graph.walk.snapshot.cache import INFO_KEY, Snapshots
from graph.walk.snapshot.model import micros_of
from graph.walk.snapshot.walk import SnapshotWalk
from graph.walk.sql import SqlWalk


def walk_engine(session: Session, *, organization_id: int, moment: Moment) -> WalkEngine:
    """Return the engine that answers for this moment. The one place that chooses.

    The snapshot, where the session brings snapshots along, for what is believed now; SQL for what was believed
    before, for a transaction that has changed the graph, and while a snapshot is being read.
    """
    return _snapshot_walk(session, organization_id, moment) or SqlWalk(session, organization_id, moment)


def _snapshot_walk(session: Session, organization_id: int, moment: Moment) -> SnapshotWalk | None:
    snapshots: Snapshots | None = session.info.get(INFO_KEY)
    clock = moment.clock
    if snapshots is None or clock is None or clock.own:
        return None
    if moment.known_at is not None and moment.known_at < clock.recorded:
        return None
    snapshot = snapshots.get(session, organization_id=organization_id, revision=clock.revision, recorded=clock.recorded)
    if snapshot is None:
        return None
    return SnapshotWalk(snapshot, micros_of(moment.as_of), SqlWalk(session, organization_id, moment))


def related_pages(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    relationships: Collection[str],
    page: PageRequest,
    direction: Direction = Direction.OUT,
    kinds: Collection[EntityKind] | None = None,
    types: Collection[str] | None = None,
    depth: int = 1,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[EntityId, Page[EntityId]]:
    """Return one page of the entities within `depth` hops of each entity: nearest first, each once, without itself.

    kinds, types: which to return; the walk passes through others all the same.
    The number of statements depends on the depth, never on the number of entities.
    Raises BadInputError for a depth outside 1..32, an unknown relationship or a foreign cursor.
    """
    step = _step_of(relationships, direction, depth, kinds, types)
    _steps_check([step])
    relationship_names_check(session, organization_id=organization_id, names=relationships)
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
    engine = walk_engine(session, organization_id=organization_id, moment=moment)
    reached = engine.reach_each(starts=[EntityId(entity_id) for entity_id in entity_ids], step=step)
    return {start: _page(start_reached, page) for start, start_reached in reached.items()}


def traverse(
    session: Session,
    *,
    organization_id: int,
    start_ids: Sequence[UUID],
    steps: Sequence[Step],
    limit: int = 1_000,
    with_edges: bool = False,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Reached:
    """Walk several steps; return the nodes that the last one selects, nearest first, each once; see `WalkEngine.reach`.

    Raises NotFoundError for a start that does not exist, BadInputError for a limit outside 1..10000, a depth
    outside 1..32, no step or an unknown relationship, LimitExceededError above STEPS_MAX or STARTS_MAX.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise BadInputError(f"limit must lie between 1 and {LIMIT_MAX}; it was {limit}.", path=("limit",))
    if len(start_ids) > STARTS_MAX:
        message = f"A walk starts from at most {STARTS_MAX} entities."
        raise LimitExceededError(message, path=("startIds",))
    _steps_check(steps, path=("steps",))
    _relationships_check(session, organization_id, steps)
    starts = entities_check(session, organization_id=organization_id, ids=start_ids, path="startIds")
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
    engine = walk_engine(session, organization_id=organization_id, moment=moment)
    return engine.reach(starts=starts, steps=steps, limit=limit, with_edges=with_edges)


def path(
    session: Session,
    *,
    organization_id: int,
    from_id: UUID,
    to_id: UUID,
    relationships: Collection[str] | None = None,
    direction: Direction = Direction.ANY,
    depth_max: int = 16,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Path | None:
    """Return a shortest path of at most `depth_max` edges, or None. relationships None: over all.

    Raises NotFoundError for an end that does not exist, BadInputError for a depth outside 1..32.
    """
    if not 1 <= depth_max <= DEPTH_MAX:
        raise BadInputError(f"maxDepth must lie between 1 and {DEPTH_MAX}; it was {depth_max}.", path=("maxDepth",))
    relationship_names_check(session, organization_id=organization_id, names=relationships)
    [begin] = entities_check(session, organization_id=organization_id, ids=[from_id], path="fromId")
    [end] = entities_check(session, organization_id=organization_id, ids=[to_id], path="toId")
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
    return walk_engine(session, organization_id=organization_id, moment=moment).path(
        from_id=begin,
        to_id=end,
        relationships=None if relationships is None else tuple(sorted(set(relationships))),
        direction=direction,
        depth_max=depth_max,
    )


def below(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[EntityId]:
    """Return these entities and all that is below them, in the order of their ids; see `graph.walk.below`.

    Raises NotFoundError for one that does not exist.
    """
    roots = entities_check(session, organization_id=organization_id, ids=entity_ids, path="underId")
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
    return walk_engine(session, organization_id=organization_id, moment=moment).below(roots=roots)


def below_among(session: Session, *, organization_id: int, entity_ids: Sequence[UUID], moment: Moment) -> Select[UUID]:
    """Return the ids of these entities and all that is below them as a query, to be used inside another.

    Walked beforehand where there is a snapshot; else the query walks when it is run.
    """
    walk = _snapshot_walk(session, organization_id, moment)
    indices = None if walk is None else walk.below_indices(roots=[EntityId(entity_id) for entity_id in entity_ids])
    if walk is None or indices is None:
        return below_select(organization_id=organization_id, entity_ids=entity_ids, moment=moment)
    # One text, for a parameter of many UUIDs is slower than the walk.
    ids = bindparam("below_ids", "{" + ",".join(walk.snapshot.nodes.hexes(indices)) + "}", String, unique=True)
    below_ids = func.unnest(cast(ids, ARRAY(Uuid))).column_valued("id")
    return select(below_ids)


def entities_check(session: Session, *, organization_id: int, ids: Sequence[UUID], path: str) -> list[EntityId]:
    """Return the ids, each once, if all exist, deleted ones too. Raises NotFoundError at the first that does not.

    The error's path is `path`, with the place where there are several.
    """
    wanted = list(dict.fromkeys(ids))
    known = set(
        session.scalars(
            select(entities.c.id).where(
                entities.c.organization_id == organization_id,
                entities.c.id == text("ANY (CAST(:ids AS uuid[]))").bindparams(ids=wanted),
            )
        )
    )
    for place, entity_id in enumerate(ids):
        if entity_id not in known:
            where = (path,) if len(ids) == 1 and not path.endswith("s") else (path, str(place))
            raise NotFoundError(f"There is no entity {entity_id}.", path=where)
    return [EntityId(item) for item in wanted]


def _relationships_check(session: Session, organization_id: int, steps: Sequence[Step]) -> None:
    """Refuse unknown names, at their step. One statement where there is none."""
    names = {name for step in steps for name in step.relationships or ()}
    try:
        relationship_names_check(session, organization_id=organization_id, names=names)
    except BadInputError:
        for place, step in enumerate(steps):
            path = ("steps", str(place), "relationships")
            relationship_names_check(session, organization_id=organization_id, names=step.relationships, path=path)
        raise


def _step_of(
    relationships: Collection[str],
    direction: Direction,
    depth: int,
    kinds: Collection[EntityKind] | None,
    types: Collection[str] | None,
) -> Step:
    return Step(
        tuple(sorted(set(relationships))),
        direction,
        depth,
        None if kinds is None else frozenset(kinds),
        None if types is None else frozenset(types),
    )


def _steps_check(steps: Sequence[Step], *, path: tuple[str, ...] = ()) -> None:
    if not steps:
        raise BadInputError("A walk needs at least one step.", path=path)
    if len(steps) > STEPS_MAX:
        raise LimitExceededError(f"A walk has at most {STEPS_MAX} steps.", path=path)
    for place, step in enumerate(steps):
        if not 1 <= step.depth <= DEPTH_MAX:
            where = (*path, str(place), "depth") if path else ("depth",)
            raise BadInputError(f"depth must lie between 1 and {DEPTH_MAX}; it was {step.depth}.", path=where)


def _page(reached: Reached, page: PageRequest) -> Page[EntityId]:
    def key(place: int) -> tuple[int, str]:
        return reached.depths[place], str(reached.ids[place])

    if page.is_whole and len(reached.ids) <= page.size:
        # Most have few.
        return page_of_all(reached.ids, name="related", key=key)
    # By their places, so that no more keys are computed than are looked at.
    places = page_of_sorted(range(len(reached.ids)), page, name="related", types=(int, str), key=key)
    return places.of([reached.ids[place] for place in places.items])
