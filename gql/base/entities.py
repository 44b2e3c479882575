"""Shared by the five kinds: the interfaces Node and Entity, lists of entities, their filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar

import strawberry
from strawberry.types.lazy_type import LazyType

from domain.base.packed import Aggregate
from domain.nodes.names import NameKind
from domain.nodes.orders import ListOrder
from domain.plant.devices.model import Connectivity
from domain.telemetry.model.fill import Fill
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.latest import latest_read
from gql.base.batched import batched
from gql.base.connections import Connection, Rows, paged
from gql.base.context import Info
from gql.base.converters import converts, to_object
from gql.base.descriptions import enum_described
from gql.base.loaders import load, load_many
from gql.base.related import names_of, page_load, related_connections
from gql.base.scalars import JSON, DateTime, Duration, GeoJSON
from graph.changes import Change, entities_as_recorded
from graph.direction import Direction
from graph.edges.pages import edge_history_pages, edges_pages
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind
from graph.paging import PageRequest

if TYPE_CHECKING:
    from gql.plant.assets import Asset
    from gql.plant.devices import Device
    from gql.plant.edges import Edge
    from gql.plant.persons import Person
    from gql.plant.spaces import Space
    from gql.telemetry.telemetry import LatestPoint, TelemetrySeries
    from gql.work.activities import Activity

E = TypeVar("E", bound="Entity")

# An alias of a lazy type says its name only when it is resolved, which is too late inside another type.
if TYPE_CHECKING:
    EdgeConnection: TypeAlias = "Connection[Edge]"
    DeviceConnection: TypeAlias = "Connection[Device]"
    AssetConnection: TypeAlias = "Connection[Asset]"
    SpaceConnection: TypeAlias = "Connection[Space]"
    PersonConnection: TypeAlias = "Connection[Person]"
    ActivityConnection: TypeAlias = "Connection[Activity]"
else:
    EdgeConnection = Connection[LazyType("Edge", "gql.plant.edges")]
    DeviceConnection = Connection[LazyType("Device", "gql.plant.devices")]
    AssetConnection = Connection[LazyType("Asset", "gql.plant.assets")]
    SpaceConnection = Connection[LazyType("Space", "gql.plant.spaces")]
    PersonConnection = Connection[LazyType("Person", "gql.plant.persons")]
    ActivityConnection = Connection[LazyType("Activity", "gql.work.activities")]
SeriesType = Annotated["TelemetrySeries", strawberry.lazy("gql.telemetry.telemetry")]
LatestType = Annotated["LatestPoint", strawberry.lazy("gql.telemetry.telemetry")]

EntityKindEnum = enum_described(
    EntityKind,
    "What kind of entity it is. Its type is finer, and is data.",
    DEVICE="A source of readings: a sensor, a meter, a controller, a gateway.",
    ASSET="A piece of equipment: a machine, a system, a part.",
    SPACE="A place: a site, a building, a floor, a room, a zone.",
    PERSON="A person who works in the plant.",
    ACTIVITY="Work for a person: an inspection, a repair, a round.",
)
DirectionEnum = enum_described(
    Direction,
    "Direction in which edges are followed.",
    OUT="From source to target.",
    IN="From target to source.",
    ANY="Both ways, whichever way an edge points.",
)
ConnectivityEnum = enum_described(
    Connectivity,
    "Whether a device is heard, by the time of receipt and never by the timestamps of its readings.",
    ONLINE="It was heard recently.",
    OFFLINE="It was heard once, but not recently.",
    NEVER_SEEN="It was never heard.",
)
AggregateEnum = enum_described(
    Aggregate,
    "How the points of one bucket become one value. Booleans count as 0 and 1.",
    MEAN="Arithmetic mean of the numbers.",
    MIN="The least of the numbers.",
    MAX="The greatest of the numbers.",
    SUM="Sum of the numbers, exact and rounded once; null beyond the range of doubles.",
    COUNT="Number of points, texts included; null where there are none.",
    FIRST="The earliest point of the bucket, which may be a text.",
    LAST="The latest point of the bucket, which may be a text.",
    MEDIAN="The middle one of the numbers; between two, their mean.",
    P05="5th percentile of the numbers, on a straight line between the two nearest.",
    P95="95th percentile of the numbers, on a straight line between the two nearest.",
    STDDEV="Standard deviation of the numbers as a sample (n - 1); null where there are fewer than two.",
    TIME_WEIGHTED_MEAN="Mean over time: each number counts for as long as it holds, until the next one, the end of the "
    "link that it was read through, or now. The last one before the bucket counts from the start of the bucket or of "
    "the range, so that a bucket without points has a value, too. Time without a number does not count.",
    DELTA="Net change: the last number minus the last one before the bucket, however old; where there is none, minus "
    "the first one of the bucket. Null where the bucket has no numbers.",
    INCREASE="Growth of a counter: the sum of what each number exceeds the one before it, which may lie before the "
    "bucket and the range, however old. A smaller number than before is a reset: all of it counts as growth. Through "
    "each link of an asset or a space a counter of its own is read: the first number of a link adds nothing, so that a "
    "replaced meter is no growth, and the counters of several links at once are added up. What lies between two points "
    "belongs to the bucket of the later one, so that the sum of all buckets is the growth over the range. Null where "
    "the bucket has no numbers.",
    RATE="INCREASE per second: over the seconds of the bucket that lie within the range and are not in the future.",
)
FillEnum = enum_described(
    Fill,
    "What a bucket without a value holds.",
    NONE="It stays null.",
    PREVIOUS="The value of the last bucket before it that has one, also from before the range. Of buckets that begin "
    "in the future: null.",
    LINEAR="A point of the straight line between the buckets before and after it that have numbers; null before the "
    "first and after the last of the range.",
)
EntityOrderEnum = enum_described(
    ListOrder,
    "Order of a list of entities. Where two are equal, their ids decide.",
    name="EntityOrder",
    NAME_ASC="By name, ascending.",
    NAME_DESC="By name, descending.",
    CREATED_ASC="By time of creation, the oldest first.",
    CREATED_DESC="By time of creation, the newest first.",
    UPDATED_ASC="By time of the last change, the latest last.",
    UPDATED_DESC="By time of the last change, the latest first.",
    TYPE_ASC="By the name of the type, ascending; those without one first.",
    TYPE_DESC="By the name of the type, descending; those without one last.",
    STATUS_ASC="By status, ascending.",
    STATUS_DESC="By status, descending.",
    EXTERNAL_ID_ASC="By external id, ascending; those without one first.",
    EXTERNAL_ID_DESC="By external id, descending; those without one last.",
    LAST_SEEN_ASC="By when a device was last heard, the longest ago first; those never heard, and all else, last.",
    LAST_SEEN_DESC="By when a device was last heard, the latest first; those never heard, and all else, last.",
    HEALTH_ASC="By health as of now, the worst first; those without a score, and all else, last. Of a list with more "
    "than 20,000 assets with a profile it is LIMIT_EXCEEDED.",
    HEALTH_DESC="By health as of now, the best first; otherwise as HEALTH_ASC.",
)


# The relationships that let a device measure or control something.
LINKS: Final = ("MONITORED_BY", "CONTROLLED_BY")
# By kind, filled as their modules are imported.
ENTITY_TYPES: Final[dict[EntityKind, type[Entity]]] = {}


def of_kind(kind: EntityKind) -> Callable[[type[E]], type[E]]:
    """Register the schema type of a kind of entities. A decorator."""

    def register(made: type[E]) -> type[E]:
        ENTITY_TYPES[kind] = made
        return made

    return register


async def _related(
    entities: Sequence[Entity], info: Info, relationships: Sequence[str], *, page: PageRequest, **arguments: Any
) -> list[EntityConnection]:
    return await related_connections(info, entities, relationships, page, **arguments)


async def _latest(
    entities: Sequence[Entity], info: Info, metrics: Sequence[str] | None = None
) -> list[list[LatestPoint]]:
    ids = [entity.row.id for entity in entities]
    points = await load_many(
        info.context, latest_read, ids, ids_as="entity_ids", is_short=True, metrics=names_of(metrics)
    )
    if metrics is not None:
        for of_one in points:
            _metrics_unmatched(info, metrics, {point.metric for point in of_one or ()})
    return [list(map(to_object, of_one or ())) for of_one in points]


@strawberry.interface
class Node:
    """Anything with an id."""

    id: strawberry.ID


@strawberry.type
class EntityRecord:
    """An entity's own fields as Argus had recorded them by an instant (system time).

    Attributes:
        name: Name for people.
        type: Name of the entity's type; null: none.
        status: Status as text.
        external_id: The organization's own identifier; null: none.
        attributes: JSON object of the organization's own attributes.
        location: Where it is: a GeoJSON geometry, WGS 84, longitude first; null: not known.
        recorded_at: When this state was recorded: the last change up to that instant.
        actor: Who recorded it: the subject of the token.
    """

    name: str
    type: str | None
    status: str
    external_id: str | None
    attributes: JSON
    location: GeoJSON | None
    recorded_at: DateTime
    actor: str
    deleted_at: DateTime | None


@strawberry.interface
class Entity(Node):
    """A node of the graph: a device, an asset, a space, a person or an activity.

    Its own fields are current. For what it is connected to, `asOf` picks what was true in the world at that instant and
    `knownAt` what Argus had recorded by then; both default to now.

    Attributes:
        kind: What kind of entity it is. It never changes.
        name: Name for people; need not be unique.
        external_id: The organization's own identifier: serial number, tag, URI. Unique per kind; null: none.
        type: Name of the entity's type, e.g. 'AHU', as listed by `entityTypes`; null: none.
        status: Status as text: `active` by default, and `open` for an activity.
        attributes: JSON object of the organization's own attributes.
    """

    row: strawberry.Private[EntityRow]
    kind: EntityKindEnum  # type: ignore[valid-type]
    name: str
    external_id: str | None
    type: str | None
    status: str
    attributes: JSON
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime | None

    @strawberry.field
    def location(self) -> GeoJSON | None:
        """Where it is: a GeoJSON geometry, WGS 84, longitude first. Null: not known."""
        result = self.row.location
        return None if result is None else GeoJSON(result)

    @strawberry.field
    async def as_recorded(self, info: Info, at: DateTime) -> EntityRecord | None:
        """The entity's own fields as Argus had recorded them by an instant; null: it did not exist yet.

        Args:
            at: The instant (system time).
        """
        change = await load(info.context, entities_as_recorded, self.row.id, at=at)
        return None if change is None else _record(change)

    @strawberry.field
    @paged()
    async def edges(
        self,
        info: Info,
        *,
        page: PageRequest,
        direction: DirectionEnum = Direction.ANY,  # type: ignore[valid-type]
        relationships: list[str] | None = None,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> EdgeConnection | None:
        """Edges that begin or end at the entity, at an instant, in a stable order."""
        rows = await page_load(
            info, edges_pages, self.row.id, page,
            direction=direction, relationships=names_of(relationships), as_of=as_of, known_at=known_at,
        )  # fmt: skip
        return Connection(rows=rows, show=to_object)

    @strawberry.field
    @paged()
    @batched(_related)
    async def related(
        self,
        info: Info,
        relationships: list[str],
        *,
        page: PageRequest,
        direction: DirectionEnum = Direction.OUT,  # type: ignore[valid-type]
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
        types: list[str] | None = None,
        depth: int = 1,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> EntityConnection | None:
        """Entities reached over these relationships, nearest first, each once, without the entity itself.

        Args:
            relationships: Names of the relationships to follow.
            kinds: Only entities of these kinds; others are passed through all the same. Default: of all kinds.
            types: Only entities of these types, by name; others are passed through all the same. Default: of all types.
        """
        [connection] = await _related(
            [self], info, relationships, page=page, direction=direction, kinds=kinds, types=types, depth=depth,
            as_of=as_of, known_at=known_at,
        )  # fmt: skip
        return connection

    @strawberry.field
    @paged()
    async def edge_history(
        self, info: Info, *, page: PageRequest, relationships: list[str] | None = None
    ) -> EdgeConnection | None:
        """Every edge the entity ever had, ended and retracted ones too, newest valid time first."""
        rows = await page_load(info, edge_history_pages, self.row.id, page, relationships=names_of(relationships))
        return Connection(rows=rows, show=to_object)

    @strawberry.field
    async def telemetry(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        metrics: list[str] | None = None,
        to: DateTime | None = None,
        bucket: Duration | None = None,
        aggregate: AggregateEnum = Aggregate.MEAN,  # type: ignore[valid-type]
        timezone: str = "UTC",
        max_points: int = 1000,
        fill: FillEnum = Fill.NONE,  # type: ignore[valid-type]
    ) -> list[SeriesType] | None:
        """Series of the entity over [from, to), which must not be empty. Persons and activities have none.

        Without `bucket`: stored points, at most `maxPoints` of each series. With `bucket`: one value per bucket, null
        where there is no data and `fill` has none; at most 10,000 buckets x series, else LIMIT_EXCEEDED.

        Args:
            from_: Start of the range of event time, inclusive.
            to: End of the range of event time, exclusive. Default: now.
            bucket: Length of a bucket, e.g. PT15M, P1D or P1M. Default: stored points, not aggregated.
            max_points: Most stored points per series, 1 to 10,000. Where there are more, they are thinned so that the
                shape stays.
            fill: What a bucket without a value holds. Without `bucket`, another than NONE is BAD_USER_INPUT.
        """
        result = await load(
            info.context, telemetry_read, self.row.id, ids_as="entity_ids",
            metrics=names_of(metrics), from_=from_, to=to,
            bucket=None if bucket is None else (bucket.months, bucket.length),
            aggregate=aggregate, timezone=timezone, max_points=max_points, fill=fill,
            now=clock(info),
        )  # fmt: skip
        if metrics is not None:
            _metrics_unmatched(info, metrics, {series.metric for series in result or () if not series.is_empty})
        return [to_object(series, self) for series in result or ()]

    @strawberry.field
    @batched(_latest)
    async def latest(self, info: Info, metrics: list[str] | None = None) -> list[LatestType] | None:
        """The latest point of each series of the entity."""
        [points] = await _latest([self], info, metrics=metrics)
        return points


EntityConnection = Connection[Entity]


@converts(EntityRow)
def to_entity(row: EntityRow) -> Entity:
    """Convert an entity to the type of its kind."""
    made: Entity = ENTITY_TYPES[row.kind](
        id=strawberry.ID(str(row.id)),
        row=row,
        kind=row.kind,
        name=row.name,
        external_id=row.external_id,
        type=row.type,
        status=row.status,
        attributes=JSON(row.attributes),
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        deleted_at=None if row.deleted_at is None else DateTime(row.deleted_at),
    )
    return made


def to_entity_connection(rows: Rows[EntityRow]) -> Connection[Any]:
    """Convert a page of entities to a connection: of all kinds, or of the one that its field declares."""
    return EntityConnection(rows=rows, show=to_entity)


def _record(change: Change) -> EntityRecord:
    state = change.after
    assert state is not None  # noqa: S101  (no entity is ever removed, so that each entry has a state after it)
    location, deleted = state["location"], state["deletedAt"]
    return EntityRecord(
        name=state["name"],
        type=state["type"],
        status=state["status"],
        external_id=state["externalId"],
        attributes=JSON(state["attributes"]),
        location=None if location is None else GeoJSON(location),
        recorded_at=DateTime(change.recorded_at),
        actor=change.actor,
        deleted_at=None if deleted is None else DateTime(datetime.fromisoformat(deleted)),
    )


def clock(info: Info) -> datetime:
    """Return the time at which the operation looks: the same for all its fields, so that they batch."""
    loaders = info.context.loaders
    if "clock" not in loaders:
        loaders["clock"] = info.context.services.clock()
    now: datetime = loaders["clock"]
    return now


def _metrics_unmatched(info: Info, metrics: Sequence[str], present: set[str]) -> None:
    """Note which of the metrics that were named are not among those that have a point."""
    for place, name in enumerate(metrics):
        if name not in present:
            info.context.unmatched_add(NameKind.METRIC, name, "metrics", str(place))
