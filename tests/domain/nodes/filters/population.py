"""Entities of all kinds with whatever a filter looks at, and what fits a filter, in plain Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from domain.definitions.profiles.content import content_json
from domain.definitions.profiles.model import ProfileContent
from domain.nodes.filters.model import AttributeCondition, AttributeOperator, LatestCondition, ListFilter
from domain.nodes.lists import entity_list
from domain.nodes.orders import ListOrder
from domain.plant.devices.model import Connectivity
from graph.entities.model import Entity
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from graph.walk.snapshot.cache import Snapshots
from testing.rows import Plant, Value, at
from testing.world import World, day, new_id

ASSET, DEVICE, SPACE, PERSON = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE, EntityKind.PERSON
NOW = at(1000)
OFFLINE_AFTER = timedelta(minutes=15)
Op = AttributeOperator
_NONE = object()
CONTENT = json.dumps(content_json(ProfileContent(attributes={}, thresholds={}, formulas={}, rules=(), health={})))
READ: list[Value] = [1.0, 2.5, True, "on", "K\u00fcche"]
VALUES: list[Any] = [
    None, True, False, 0, 1, 1.0, -3, 2.5, 1e300, 2**63, "", "one", "ONE more", "K\u00fcche", "Ku\u0308che", "50%", "a_b",
    [], ["one", 2], {}, {"kW": 1}, {"kW": "one"}, [1, 2.5],
]  # fmt: skip


@dataclass
class Item:
    """An entity as the oracle knows it."""

    id: UUID
    kind: EntityKind
    name: str
    type: str | None
    status: str
    external_id: str | None
    attributes: dict[str, Any]
    created: datetime
    updated: datetime
    deleted: bool
    seen: datetime | None = None
    profile: UUID | None = None
    linked: bool = False
    events: bool = False
    below: bool = False
    # Latest points of metric `t`: (when, value).
    latest: list[tuple[datetime, Value]] = field(default_factory=list)


class Population:
    """Entities of all kinds with whatever a filter looks at, the same for each random number."""

    def __init__(self, world: World, owner: Engine, seed: int = 5, number: int = 60) -> None:
        self.world, self.owner, self.random = world, owner, Random(seed)  # noqa: S311
        self.o = world.organization_id
        self.profiles = [new_id(), new_id()]
        self.items: list[Item] = []
        with owner.begin() as connection:
            self.root = self._rows(connection, number)
            self._rule(connection)
        self._points()
        self._below()

    def run(self, connection: Connection, statement: str, **values: Any) -> None:
        connection.execute(text(statement), {"o": self.o, **values})

    def _rows(self, connection: Connection, number: int) -> UUID:
        random = self.random
        for name in ("T1", "T2"):
            for kind in EntityKind:
                self.run(
                    connection,
                    "INSERT INTO entity_types (organization_id, id, kind, name, created_at, updated_at)"
                    " VALUES (:o, gen_random_uuid(), :kind, :name, now(), now())", kind=kind, name=name,
                )  # fmt: skip
        for n, profile_id in enumerate(self.profiles):
            self.run(
                connection,
                "INSERT INTO asset_profiles (organization_id, id, name, created_at, updated_at)"
                " VALUES (:o, :id, :name, now(), now())",
                id=profile_id, name=f"p{n}",
            )  # fmt: skip
            self.run(
                connection,
                "INSERT INTO asset_profile_versions (organization_id, profile_id, number, effective_from, content,"
                " recorded_at, actor) VALUES (:o, :id, 1, now(), :content, now(), 'test')", id=profile_id, content=CONTENT,
            )  # fmt: skip
        for n in range(number):
            item = Item(
                id=new_id(),
                kind=random.choice([ASSET, ASSET, DEVICE, DEVICE, SPACE, PERSON]),
                name=random.choice(["Pump", "pump 2", "K\u00fcche", "Fan"]),
                type=random.choice([None, "T1", "T2"]),
                status=random.choice(["active", "spare"]),
                external_id=random.choice([None, f"x{n}"]),
                attributes=self.attributes(),
                created=day(random.randrange(4)),
                updated=day(random.randrange(4, 8)),
                deleted=random.random() < 0.1,
            )
            self.run(
                connection,
                "INSERT INTO entities (organization_id, id, kind, type, name, external_id, status, attributes, created_at,"
                " updated_at, deleted_at) VALUES (:o, :id, :kind, :type, :name, :external_id, :status, :attributes,"
                " :created, :updated, :deleted)",
                id=item.id, kind=item.kind, type=item.type, name=item.name, external_id=item.external_id,
                status=item.status, attributes=json.dumps(item.attributes), created=item.created, updated=item.updated,
                deleted=day(9) if item.deleted else None,
            )  # fmt: skip
            if item.kind is DEVICE:
                self.run(connection, "INSERT INTO devices (organization_id, id) VALUES (:o, :id)", id=item.id)
                item.seen = random.choice([None, NOW - OFFLINE_AFTER, NOW - OFFLINE_AFTER * 2])
                if item.seen is not None:
                    self.run(
                        connection,
                        "INSERT INTO device_presence (organization_id, device_id, last_seen_at) VALUES (:o, :id, :seen)",
                        id=item.id, seen=item.seen,
                    )  # fmt: skip
            if item.kind is ASSET:
                item.profile = random.choice([None, *self.profiles])
                self.run(
                    connection, "INSERT INTO assets (organization_id, id, profile_id) VALUES (:o, :id, :profile)",
                    id=item.id, profile=item.profile,
                )  # fmt: skip
            self.items.append(item)
        return next(item.id for item in self.items if item.kind is SPACE and not item.deleted)

    def attributes(self) -> dict[str, Any]:
        random = self.random
        made: dict[str, Any] = {}
        for name in ("a", "motor", normalize(random.choice(["NFC", "NFD"]), "K\u00fc")):
            if random.random() < 0.7:
                made[name] = random.choice(VALUES)
        return made

    def _rule(self, connection: Connection) -> None:
        rule_id = new_id()
        self.run(
            connection,
            "INSERT INTO rules (organization_id, id, name, created_at, updated_at) VALUES (:o, :id, 'r', now(), now())",
            id=rule_id,
        )  # fmt: skip
        for item in self.items:
            for cleared, withdrawn, dismissed in self.random.sample(
                [(False, False, False), (True, False, False), (False, True, False), (False, False, True)],
                self.random.randrange(3),
            ):
                event_id = new_id()
                self.run(
                    connection,
                    "INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at,"
                    " cleared_at, cleared_reason, severity, flaps, detected_at, withdrawn_at) VALUES (:o, :id, :rule, :entity,"
                    " '', :id, :at, :at, :cleared, :reason, 'HIGH', 0, :at, :withdrawn)",
                    id=event_id, rule=rule_id, entity=item.id, at=day(1), cleared=day(2) if cleared else None,
                    reason="CONDITION" if cleared else None, withdrawn=day(3) if withdrawn else None,
                )  # fmt: skip
                for kind in ("ACKNOWLEDGED", *(("DISMISSED",) if dismissed else ())):
                    self.run(
                        connection,
                        "INSERT INTO event_annotations (organization_id, id, event_id, kind, at, actor)"
                        " VALUES (:o, :id, :event, :kind, now(), 'a')", id=new_id(), event=event_id, kind=kind,
                    )  # fmt: skip
                item.events |= not (cleared or withdrawn or dismissed)

    def _points(self) -> None:
        """Links and points of the metric `t`: at a device its own, at an asset or a space through links."""
        random = self.random
        plant = Plant.__new__(Plant)
        plant._engine, plant._raw_id, plant.organization_id = self.owner, 0, self.o
        own: dict[tuple[UUID, int | None, str], list[tuple[datetime, Value]]] = {}
        for item in self.items:
            if item.kind is not DEVICE:
                continue
            for port, metric in random.sample([(None, "t"), (1, "t"), (None, "u"), (1, "u")], random.randrange(4)):
                points: list[tuple[datetime, Value]] = [
                    (at(minute), random.choice([*READ, float(random.randrange(3, 1000))]))
                    for minute in sorted(random.sample(range(0, 400, 50), random.randrange(1, 4)))
                ]
                plant.points(item.id, metric, points, port=port)
                own[item.id, port, metric] = points
            item.latest = [points[-1] for (of, _, metric), points in own.items() if of == item.id and metric == "t"]
        self._linked(own, plant)

    def _linked(self, own: Mapping[tuple[UUID, int | None, str], list[tuple[datetime, Value]]], plant: Plant) -> None:
        random = self.random
        devices = [item for item in self.items if item.kind is DEVICE and not item.deleted]
        for item in self.items:
            if item.kind not in (ASSET, SPACE) or item.deleted:
                continue
            candidates: list[tuple[datetime, bytes, int, str, Value]] = []
            for device in random.sample(devices, random.randrange(3)):
                port, mapping = random.choice([None, 1]), random.choice([None, {"u": "t"}, {"t": "t"}, {"t": "other"}])
                begins, ends = at(0), random.choice([None, at(200), at(2000)])
                plant.link(item.id, device.id, begins=begins, ends=ends, port=port, mapping=mapping)
                if ends is None:
                    device.linked = True
                    item.linked |= item.kind is ASSET
                for metric in ("t", "u"):
                    if (metric if mapping is None else mapping.get(metric)) == "t":
                        candidates += [
                            (when, device.id.bytes, port or -1, metric, value)
                            for when, value in own.get((device.id, port, metric), ())
                            if begins <= when < (ends or at(10**6))
                        ]
            best = max((when for when, *_ in candidates), default=None)
            if best is not None:
                _, _, _, _, value = min((c for c in candidates if c[0] == best), key=lambda c: (c[1], c[2], c[3]))
                item.latest = [(best, value)]

    def _below(self) -> None:
        """Locate an asset in the first space."""
        asset = next(item for item in self.items if item.kind is ASSET and not item.deleted)
        self.world.edge(asset.id, "LOCATED_IN", self.root)
        with self.world.session() as session:
            below = {
                row.target_id
                for row in session.execute(
                    text(
                        "SELECT target_id FROM entity_edges WHERE source_id IN (:a, :r)"
                        " AND relationship = 'MONITORED_BY' AND valid @> clock_timestamp()"
                    ),
                    {"a": asset.id, "r": self.root},
                )
            }
        for item in self.items:
            item.below = item.id in {self.root, asset.id, *below}

    def listed(
        self,
        where: ListFilter,
        *,
        first: int = 500,
        order: ListOrder = ListOrder.NAME_ASC,
        snapshots: Snapshots | None = None,
    ) -> list[UUID]:
        """Return what a list has, page by page, after comparing it with its total."""
        ids: list[UUID] = []
        page: Page[Entity] | None = None
        while page is None or page.has_next:
            with self.world.session(snapshots) as session:
                page = entity_list(
                    session, organization_id=self.o, where=where, now=NOW, offline_after=OFFLINE_AFTER, order=order,
                    page=PageRequest(first, None if page is None else page.keys[-1]),
                )  # fmt: skip
                assert page.total is not None
                total = page.total()
            ids += [item.id for item in page.items]
        assert total == len(ids)
        return ids


def fits(population: Population, where: ListFilter, item: Item) -> bool:
    """Whether an item fits a filter, deletion aside: the oracle."""
    checks = [
        where.kinds is None or item.kind in where.kinds,
        where.types is None or item.type in where.types,
        where.statuses is None or item.status in where.statuses,
        not where.search or any(where.search in (n or "").lower() for n in (item.name, item.external_id)),
        where.under_id is None or item.below,
        where.connectivity is None or (item.kind is DEVICE and where.connectivity is connectivity(item)),
        where.ids is None or item.id in where.ids,
        where.external_ids is None or item.external_id in where.external_ids,
        where.profile_id is None or item.profile == where.profile_id,
        where.is_linked is None or (item.kind in (DEVICE, ASSET) and item.linked is where.is_linked),
        where.has_open_events is None or item.events is where.has_open_events,
        where.created_from is None or item.created >= where.created_from,
        where.created_to is None or item.created < where.created_to,
        where.updated_from is None or item.updated >= where.updated_from,
        where.updated_to is None or item.updated < where.updated_to,
        where.attributes is None or (where.attributes and all(attribute_fits(a, item) for a in where.attributes)),
        where.latest is None or (where.latest and all(latest_fits(c, item) for c in where.latest)),
        all(fits(population, part, item) for part in where.every or ()),
        where.any_of is None or any(fits(population, part, item) for part in where.any_of),
        where.none_of is None or not fits(population, where.none_of, item),
    ]
    return all(checks)


def connectivity(item: Item) -> Connectivity:
    if item.seen is None:
        return Connectivity.NEVER_SEEN
    return Connectivity.ONLINE if item.seen >= NOW - OFFLINE_AFTER else Connectivity.OFFLINE


def attribute_fits(condition: AttributeCondition, item: Item) -> bool:
    value: Any = {normalize("NFC", name): inner for name, inner in item.attributes.items()}
    for name in normalize("NFC", condition.path).split("."):
        if isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else _NONE
        else:
            value = value.get(name, _NONE) if isinstance(value, dict) else _NONE
    return _OPERATORS[condition.operator](value, condition.value)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return normalize("NFC", one) == normalize("NFC", other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return (type(one) in (int, float) and type(other) in (int, float) and one == other) or one is other is None


def folded(value: str) -> str:
    return normalize("NFKD", value).lower().replace("\u0308", "")


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPERATORS: dict[AttributeOperator, Callable[[Any, Any], bool]] = {
    Op.EXISTS: lambda value, operand: (value is not _NONE) is operand,
    Op.EQ: same,
    Op.NE: lambda value, operand: not same(value, operand),
    Op.IN: lambda value, operand: any(same(value, one) for one in operand),
    Op.CONTAINS: lambda value, operand: isinstance(value, str) and folded(operand) in folded(value),
    Op.STARTS_WITH: lambda value, operand: isinstance(value, str) and folded(value).startswith(folded(operand)),
    Op.GT: lambda value, operand: number(value) and value > operand,
    Op.GTE: lambda value, operand: number(value) and value >= operand,
    Op.LT: lambda value, operand: number(value) and value < operand,
    Op.LTE: lambda value, operand: number(value) and value <= operand,
}


def latest_fits(condition: LatestCondition, item: Item) -> bool:
    if condition.metric != "t" or item.kind is PERSON:
        return condition.older_than is not None and item.kind is not PERSON
    if condition.older_than is not None:
        return all(when < NOW - condition.older_than for when, _ in item.latest)
    return any(value_fits(condition, value) for _, value in item.latest)


def value_fits(condition: LatestCondition, value: Value) -> bool:
    if isinstance(value, str):
        numbers = (condition.eq, condition.gt, condition.gte, condition.lt, condition.lte)
        return numbers == (None,) * 5 and condition.text is not None and same(value, condition.text)
    return (
        condition.text is None
        and (condition.eq is None or value == condition.eq)
        and (condition.gt is None or value > condition.gt)
        and (condition.gte is None or value >= condition.gte)
        and (condition.lt is None or value < condition.lt)
        and (condition.lte is None or value <= condition.lte)
    )
