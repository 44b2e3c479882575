"""The dependency index: which entities depend on the readings of which devices, cached for one revision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.base.streams import DERIVE
from domain.definitions.feature_flags.names import DERIVE_SHADOW
from domain.definitions.feature_flags.tables import feature_flags
from domain.definitions.processors.tables import processor_versions
from domain.definitions.processors.versions import FIRST
from domain.derivation.dependencies.consumers import ANY_PORT, Consumers, consumers_read
from domain.derivation.formulas.config import Derivation, DerivationConfig, derivation_config_read
from domain.derivation.formulas.context import UNKNOWN, FormulaContext, History
from domain.derivation.health.read import Plan, plans_of
from domain.plant.assets.tables import assets
from domain.rules.assignments import metrics_read
from domain.rules.model import Assignment
from domain.telemetry.model.attribution import BEGIN_US, END_US, Link
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.store.links import links_list
from graph.entities.versions import attribute_versions
from graph.geometry.areas import Area, areas_get
from graph.kinds import EntityKind
from graph.sql import any_of
from graph.tables import entities

REMEMBERED_MAX: Final = 500_000

_REVISION = text("SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A link through which readings of one device port affect an entity that has formulas or consumers.

    port: NO_PORT for none, ANY_PORT for all: a device's own readings. inputs: by the device's metric, the input that it
    is to the entity's formulas and rules. is_whole: these are all that any of them reads; False where none reads any.
    """

    entity: bytes
    port: int
    begins_us: int
    ends_us: int
    inputs: Mapping[str, str]
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Dependents:
    """Everything that depends on the points of one entity, read in one piece.

    derivation: its formulas, None for none. assignments: the rules that evaluate it. is_counted: by a rollup. plan: how
    its health is evaluated. history: its attributes, where a formula reads any.
    """

    derivation: Derivation | None = None
    assignments: Sequence[Assignment] = ()
    is_counted: bool = False
    plan: Plan | None = None
    history: History = UNKNOWN

    @property
    def is_idle(self) -> bool:
        """Whether nothing depends on its points."""
        return self.derivation is None and not self.has_consumers

    @property
    def has_consumers(self) -> bool:
        """Whether rules, rollups or health depend on its points."""
        return bool(self.assignments) or self.is_counted or self.plan is not None

    @property
    def is_read(self) -> bool:
        """Whether formulas or rules read its points."""
        return self.derivation is not None or bool(self.assignments)


@dataclass(slots=True)
class DependencyIndex:
    """The index of which entities depend on the points of which, in one organization, at a `revision` of its graph.

    config: what is derived for what. devices: dependencies by device. entities: what depends on the points of each.
    Both are filled on demand, an entry at a time and whole: use `dependencies_of` and `entity_of`, which raise for what
    was never loaded, because absence from a cache proves nothing. consumers: rules and rollups that read points.
    areas: by external id, of spaces that formulas ask for, those that have one. plans: of health, by profile.
    """

    revision: int
    config: DerivationConfig = field(default_factory=DerivationConfig)
    devices: dict[bytes, Sequence[Dependency]] = field(default_factory=dict)
    entities: dict[bytes, Dependents] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    consumers: Consumers = field(default_factory=Consumers)
    plans: Mapping[UUID, Plan] = field(default_factory=dict)

    def entity_of(self, entity: bytes) -> Dependents:
        """Return what depends on an entity's points. Raises KeyError unless `dependency_entities` has loaded it."""
        return self.entities[entity]

    def dependencies_of(self, device: bytes) -> Sequence[Dependency]:
        """Return the dependencies of a device's readings.

        Raises KeyError unless `dependency_devices` has loaded it.
        """
        return self.devices[device]

    @property
    def shadow(self) -> int | None:
        """The version of the stage that runs in shadow, if any."""
        return self.config.shadow

    @property
    def is_idle(self) -> bool:
        """Whether nothing depends on any point of the organization."""
        return self.config.is_idle and self.consumers.is_idle

    def formula_context(
        self, derivation: Derivation, entities: Sequence[bytes], *, is_recompute: bool
    ) -> FormulaContext:
        """Return what formulas read of these entities besides metrics. is_recompute: no state is known at the start."""
        histories = [self.entity_of(entity).history for entity in entities] if derivation.has_attributes else []
        return FormulaContext(
            histories, self.areas, derivation.reach_us if is_recompute and derivation.is_chained else 0
        )


class DependencyCache:
    """A process's cache of dependency indexes, by organization. Not thread-safe."""

    def __init__(self) -> None:
        self._indexes: dict[int, DependencyIndex] = {}

    def get(self, session: Session, *, organization_id: int, revision: int | None = None) -> DependencyIndex:
        """Return the dependency index as of now; the caller holds the organization's graph.

        revision: its derivation revision, where the caller has read it already. One statement where nothing changed.
        """
        if revision is None:
            revision = derivation_revision(session, organization_id=organization_id)
        index = self._indexes.get(organization_id)
        if index is None or index.revision != revision or len(index.devices) + len(index.entities) > REMEMBERED_MAX:
            index = self._indexes[organization_id] = _index_read(
                session, organization_id=organization_id, revision=revision
            )
        return index

    def drop(self, organization_id: int) -> None:
        """Drop an organization's index, after a transaction failed that may have read it."""
        self._indexes.pop(organization_id, None)


def derivation_revision(session: Session, *, organization_id: int) -> int:
    """Return the revision at which links or configuration of anything derived last changed."""
    return int(session.execute(_REVISION, {"organization_id": organization_id}).scalar_one())


def dependency_devices(
    session: Session, *, organization_id: int, index: DependencyIndex, devices: Collection[bytes]
) -> None:
    """Load these devices (16 bytes each) into the index. Two statements at most.

    If it raises, none of them has been loaded.
    """
    missing = [device for device in devices if device not in index.devices]
    if not missing:
        return
    if index.is_idle:
        index.devices.update((device, ()) for device in missing)
        return
    links = links_list(session, organization_id=organization_id, device_ids=[UUID(bytes=device) for device in missing])
    ids = [link.source_id for link in links]
    if not index.consumers.is_idle:
        ids += [UUID(bytes=device) for device in missing]
    dependency_entities(session, organization_id=organization_id, index=index, ids=ids)
    by_device: dict[bytes, list[Dependency]] = {device: [] for device in missing}
    if not index.consumers.is_idle:
        for device in missing:
            own = index.entity_of(device)
            if own.has_consumers:
                names = {name: name for name in metrics_read(own.assignments)}
                by_device[device].append(Dependency(device, ANY_PORT, BEGIN_US, END_US, names, own.is_read))
    for link in links:
        source = index.entity_of(link.source_id.bytes)
        if not source.is_idle:
            by_device[link.device_id.bytes].append(_dependency_of(link, source))
    index.devices.update(by_device)


def dependency_entities(session: Session, *, organization_id: int, index: DependencyIndex, ids: Iterable[UUID]) -> None:
    """Load these entities into the index. Two statements at most, and those of `assignments_of`.

    If it raises, none of them has been loaded.
    """
    missing = {entity_id for entity_id in ids if entity_id.bytes not in index.entities}
    if not missing:
        return
    rows = session.execute(
        select(entities.c.id, entities.c.kind, entities.c.type, assets.c.profile_id)
        .outerjoin(assets, (assets.c.organization_id == entities.c.organization_id) & (assets.c.id == entities.c.id))
        .where(entities.c.organization_id == organization_id, any_of(entities.c.id, missing))
    )
    kinds: dict[UUID, Any] = {row.id: (row.kind, row.type, row.profile_id) for row in rows}
    derivations = {entity_id: index.config.get(*kinds[entity_id]) for entity_id in kinds}
    assignments = index.consumers.assignments(session, organization_id=organization_id, entity_ids=missing)
    reading = [
        entity_id
        for entity_id, derivation in derivations.items()
        if derivation is not None and derivation.has_attributes
    ]
    histories: dict[UUID, History] = {}
    if reading:
        versions_by_entity = attribute_versions(session, organization_id=organization_id, entity_ids=reading)
        for entity_id, versions in versions_by_entity.items():
            since = [micros_of(at) for at, _ in versions]
            histories[entity_id] = History(since, [attributes for _, attributes in versions])
    known: dict[bytes, Dependents] = {}
    for entity_id in missing:
        kind, type_name, profile_id = kinds.get(entity_id, ("", None, None))
        known[entity_id.bytes] = Dependents(
            derivations.get(entity_id),
            assignments.get(entity_id, ()),
            index.consumers.counts(kind, type_name),
            None if profile_id is None else index.plans.get(profile_id),
            histories.get(entity_id, UNKNOWN),
        )
    # Last, and at once: the index never holds entities that were read only in part.
    index.entities.update(known)


def _dependency_of(link: Link, source: Dependents) -> Dependency:
    port = NO_PORT if link.port is None else link.port
    wanted = metrics_read(source.assignments)
    if source.derivation is not None:
        wanted |= source.derivation.inputs
    names = {name: name for name in wanted} if link.mapping is None else link.mapping
    inputs = {name: metric for name, metric in names.items() if metric in wanted}
    return Dependency(link.source_id.bytes, port, link.begins_us, link.ends_us, inputs, source.is_read)


def _index_read(session: Session, *, organization_id: int, revision: int) -> DependencyIndex:
    """Read the configuration of everything derived. Six statements, or seven."""
    shadow = session.execute(
        select(feature_flags.c.value).where(
            feature_flags.c.organization_id == organization_id, feature_flags.c.name == DERIVE_SHADOW
        )
    ).scalar_one_or_none()
    rows = session.execute(
        select(processor_versions.c.effective_from, processor_versions.c.version)
        .where(processor_versions.c.organization_id == organization_id, processor_versions.c.stage == DERIVE)
        .order_by(processor_versions.c.effective_from)
    )
    versions = [(BEGIN_US, FIRST), *((micros_of(row.effective_from), row.version) for row in rows)]
    config = derivation_config_read(session, organization_id=organization_id, versions=versions, shadow=shadow)
    areas: dict[str, Area] = {}
    if names := config.areas():
        areas = areas_get(session, organization_id=organization_id, kind=EntityKind.SPACE, external_ids=names)
    consumers = consumers_read(session, organization_id=organization_id)
    return DependencyIndex(revision, config, areas=areas, consumers=consumers, plans=plans_of(config.in_force))
