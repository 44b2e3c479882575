"""Who derives what, and through which links readings touch it: remembered while links and configuration stand."""

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
from domain.derivation.dependencies.watch import ANY_PORT, Watchers, watchers_read
from domain.derivation.formulas.configured import Configured, Derivation, configured_read
from domain.derivation.formulas.surroundings import UNKNOWN, History, Surroundings
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
class Passage:
    """A link through which readings of one device port touch an entity that derives or is watched.

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
class KnownEntity:
    """What follows from the points of one entity, read in one piece: what is not in it, does not follow.

    derivation: its formulas, None for none. assignments: the rules that judge it. is_counted: by a rollup. plan: how
    its health is judged. history: its attributes, where a formula reads any.
    """

    derivation: Derivation | None = None
    assignments: Sequence[Assignment] = ()
    is_counted: bool = False
    plan: Plan | None = None
    history: History = UNKNOWN

    @property
    def is_idle(self) -> bool:
        """Whether nothing follows."""
        return self.derivation is None and not self.is_watched

    @property
    def is_watched(self) -> bool:
        """Whether anything follows besides formulas."""
        return bool(self.assignments) or self.is_counted or self.plan is not None

    @property
    def is_read(self) -> bool:
        """Whether formulas or rules read its points."""
        return self.derivation is not None or bool(self.assignments)


@dataclass(slots=True)
class Book:
    """One organization's, as links and configuration stand at `revision`.

    configured: what is derived for what. devices: passages by device. entities: what follows from the points of each.
    Both are filled as they are asked for, an entry at a time and whole: ask `passages_of` and `entity_of`, which raise
    for what was never asked for, because absence says nothing. watchers: what follows from points besides formulas.
    areas: by external id, of spaces that formulas ask for, those that have one. plans: of health, by profile.
    """

    revision: int
    configured: Configured = field(default_factory=Configured)
    devices: dict[bytes, Sequence[Passage]] = field(default_factory=dict)
    entities: dict[bytes, KnownEntity] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    watchers: Watchers = field(default_factory=Watchers)
    plans: Mapping[UUID, Plan] = field(default_factory=dict)

    def entity_of(self, entity: bytes) -> KnownEntity:
        """Return what follows from an entity's points. Raises KeyError where `book_entities` was not asked for it."""
        return self.entities[entity]

    def passages_of(self, device: bytes) -> Sequence[Passage]:
        """Return what a device's readings touch. Raises KeyError where `book_devices` was not asked for it."""
        return self.devices[device]

    @property
    def shadow(self) -> int | None:
        """The version of the stage that runs in shadow, if any."""
        return self.configured.shadow

    @property
    def is_idle(self) -> bool:
        """Whether nothing follows from any point of the organization."""
        return self.configured.is_idle and self.watchers.is_idle

    def surroundings(self, derivation: Derivation, entities: Sequence[bytes], *, is_anew: bool) -> Surroundings:
        """Return what formulas read of these entities besides metrics. is_anew: no state is known at their begins."""
        histories = [self.entity_of(each).history for each in entities] if derivation.has_attributes else []
        return Surroundings(histories, self.areas, derivation.reach_us if is_anew and derivation.is_chained else 0)


class Books:
    """The books of all organizations that a process works for. Not for several threads at once."""

    def __init__(self) -> None:
        self._books: dict[int, Book] = {}

    def get(self, session: Session, *, organization_id: int, revision: int | None = None) -> Book:
        """Return the book as of now; the caller holds the organization's graph.

        revision: its derivation revision, where the caller has read it already. One statement where nothing changed.
        """
        if revision is None:
            revision = derivation_revision(session, organization_id=organization_id)
        book = self._books.get(organization_id)
        if book is None or book.revision != revision or len(book.devices) + len(book.entities) > REMEMBERED_MAX:
            book = self._books[organization_id] = _book(session, organization_id=organization_id, revision=revision)
        return book

    def drop(self, organization_id: int) -> None:
        """Forget an organization: a transaction failed that may have read it."""
        self._books.pop(organization_id, None)


def derivation_revision(session: Session, *, organization_id: int) -> int:
    """Return the revision at which links or configuration of anything derived last changed."""
    return int(session.execute(_REVISION, {"organization_id": organization_id}).scalar_one())


def book_devices(session: Session, *, organization_id: int, book: Book, devices: Collection[bytes]) -> None:
    """See to it that the book knows these devices (16 bytes each). Two statements at most.

    Nothing is known of any where it raises.
    """
    missing = [device for device in devices if device not in book.devices]
    if not missing:
        return
    if book.is_idle:
        book.devices.update((device, ()) for device in missing)
        return
    found = links_list(session, organization_id=organization_id, device_ids=[UUID(bytes=device) for device in missing])
    ids = [link.source_id for link in found]
    if not book.watchers.is_idle:
        ids += [UUID(bytes=device) for device in missing]
    book_entities(session, organization_id=organization_id, book=book, ids=ids)
    passages: dict[bytes, list[Passage]] = {device: [] for device in missing}
    if not book.watchers.is_idle:
        for device in missing:
            own = book.entity_of(device)
            if own.is_watched:
                names = {name: name for name in metrics_read(own.assignments)}
                passages[device].append(Passage(device, ANY_PORT, BEGIN_US, END_US, names, own.is_read))
    for link in found:
        source = book.entity_of(link.source_id.bytes)
        if not source.is_idle:
            passages[link.device_id.bytes].append(_passage(link, source))
    book.devices.update(passages)


def book_entities(session: Session, *, organization_id: int, book: Book, ids: Iterable[UUID]) -> None:
    """See to it that the book knows these entities. Two statements at most, and those that find what judges them.

    Nothing is known of any where it raises.
    """
    missing = {entity_id for entity_id in ids if entity_id.bytes not in book.entities}
    if not missing:
        return
    rows = session.execute(
        select(entities.c.id, entities.c.kind, entities.c.type, assets.c.profile_id)
        .outerjoin(assets, (assets.c.organization_id == entities.c.organization_id) & (assets.c.id == entities.c.id))
        .where(entities.c.organization_id == organization_id, any_of(entities.c.id, missing))
    )
    kinds: dict[UUID, Any] = {row.id: (row.kind, row.type, row.profile_id) for row in rows}
    derivations = {entity_id: book.configured.get(*kinds[entity_id]) for entity_id in kinds}
    judged = book.watchers.assignments(session, organization_id=organization_id, entity_ids=missing)
    reading = [entity_id for entity_id, each in derivations.items() if each is not None and each.has_attributes]
    histories: dict[UUID, History] = {}
    if reading:
        found = attribute_versions(session, organization_id=organization_id, entity_ids=reading)
        for entity_id, versions in found.items():
            since = [micros_of(at) for at, _ in versions]
            histories[entity_id] = History(since, [attributes for _, attributes in versions])
    known: dict[bytes, KnownEntity] = {}
    for entity_id in missing:
        kind, type_name, profile_id = kinds.get(entity_id, ("", None, None))
        known[entity_id.bytes] = KnownEntity(
            derivations.get(entity_id),
            judged.get(entity_id, ()),
            book.watchers.counts(kind, type_name),
            None if profile_id is None else book.plans.get(profile_id),
            histories.get(entity_id, UNKNOWN),
        )
    # Last, and at once: what is half read must not stand here as if it were all.
    book.entities.update(known)


def _passage(link: Link, source: KnownEntity) -> Passage:
    port = NO_PORT if link.port is None else link.port
    wanted = metrics_read(source.assignments)
    if source.derivation is not None:
        wanted |= source.derivation.inputs
    names = {name: name for name in wanted} if link.mapping is None else link.mapping
    inputs = {name: metric for name, metric in names.items() if metric in wanted}
    return Passage(link.source_id.bytes, port, link.begins_us, link.ends_us, inputs, source.is_read)


def _book(session: Session, *, organization_id: int, revision: int) -> Book:
    """Read what is configured. Six statements, or seven."""
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
    configured = configured_read(session, organization_id=organization_id, versions=versions, shadow=shadow)
    areas: dict[str, Area] = {}
    if names := configured.areas():
        areas = areas_get(session, organization_id=organization_id, kind=EntityKind.SPACE, external_ids=names)
    watchers = watchers_read(session, organization_id=organization_id)
    return Book(revision, configured, areas=areas, watchers=watchers, plans=plans_of(configured.in_force))
