"""Who derives what, and through which links readings touch it: remembered while links and configuration stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.assets.tables import assets
from domain.derivation.configured import Configured, Derivation, configured_read
from domain.derivation.surroundings import UNKNOWN, History, Surroundings
from domain.derivation.versions import FIRST
from domain.derivation.watch import ANY_PORT, Watchers, watchers_read
from domain.feature_flags.names import DERIVE_SHADOW
from domain.feature_flags.tables import feature_flags
from domain.health.read import Plan, plans_of
from domain.processors.tables import processor_versions
from domain.rules.assignments import metrics_read
from domain.rules.model import Assignment
from domain.telemetry.attribution import BEGIN_US, END_US, Link
from domain.telemetry.links import among, links_list
from domain.telemetry.packed import micros_of
from domain.telemetry.readings import NO_PORT
from domain.telemetry.streams import DERIVE
from graph.entities.versions import attribute_versions
from graph.geometry.areas import Area, areas_get
from graph.kinds import EntityKind
from graph.tables import entities

REMEMBERED_MAX: Final = 500_000

_REVISION = text("SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id")


@dataclass(frozen=True, slots=True)
class Passage:
    """A link through which readings of one device port touch an entity that derives or is watched.

    port: NO_PORT for none, ANY_PORT for all. inputs: by the device's metric, the input that it is to the entity's
    formulas and rules. is_watched: something follows from the entity's points besides formulas.
    """

    entity: bytes
    port: int
    begins_us: int
    ends_us: int
    inputs: Mapping[str, str]
    is_watched: bool = False


@dataclass(slots=True)
class Book:
    """One organization's, as links and configuration stand at `revision`.

    configured: what is derived for what. devices: passages by device. entities: what each derives, None where nothing.
    Both are filled as they are asked for; what was never asked for is absent. watchers: what follows from points
    besides formulas; counted, assignments, scored: the entities that a rollup counts, those that rules judge, and
    those that have a health, with how it is judged. histories: the attributes of those of which a formula reads some.
    areas: by external id, of spaces that formulas ask for, those that have one. plans: of health, by profile.
    """

    revision: int
    configured: Configured = field(default_factory=Configured)
    devices: dict[bytes, list[Passage]] = field(default_factory=dict)
    entities: dict[bytes, Derivation | None] = field(default_factory=dict)
    histories: dict[bytes, History] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    watchers: Watchers = field(default_factory=Watchers)
    plans: Mapping[UUID, Plan] = field(default_factory=dict)
    counted: set[bytes] = field(default_factory=set)
    assignments: dict[bytes, Sequence[Assignment]] = field(default_factory=dict)
    scored: dict[bytes, Plan] = field(default_factory=dict)

    def watches(self, entity: bytes) -> bool:
        """Tell whether anything follows from an entity's points besides formulas."""
        return entity in self.counted or entity in self.assignments or entity in self.scored

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
        histories = [self.histories.get(each, UNKNOWN) for each in entities] if derivation.has_attributes else []
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


def derivation_revision(session: Session, *, organization_id: int) -> int:
    """Return the revision at which links or configuration of anything derived last changed."""
    return int(session.execute(_REVISION, {"organization_id": organization_id}).scalar_one())


def book_devices(session: Session, *, organization_id: int, book: Book, devices: Collection[bytes]) -> None:
    """See to it that the book knows these devices (16 bytes each). Two statements at most."""
    if book.is_idle:
        return
    missing = [device for device in devices if device not in book.devices]
    if not missing:
        return
    found = links_list(session, organization_id=organization_id, device_ids=[UUID(bytes=device) for device in missing])
    ids = [link.source_id for link in found]
    if not book.watchers.is_idle:
        ids += [UUID(bytes=device) for device in missing]
    book_entities(session, organization_id=organization_id, book=book, ids=ids)
    for device in missing:
        own = Passage(device, ANY_PORT, BEGIN_US, END_US, {}, is_watched=True)
        book.devices[device] = [own] if book.watches(device) else []
    for link in found:
        source = link.source_id.bytes
        if book.entities[source] is not None or book.watches(source):
            book.devices[link.device_id.bytes].append(_passage(book, link))


def book_entities(session: Session, *, organization_id: int, book: Book, ids: Iterable[UUID]) -> None:
    """See to it that the book knows these entities. Two statements at most, and those that find what judges them."""
    missing = {entity_id for entity_id in ids if entity_id.bytes not in book.entities}
    if not missing:
        return
    rows = session.execute(
        select(entities.c.id, entities.c.kind, entities.c.type, assets.c.profile_id)
        .outerjoin(assets, (assets.c.organization_id == entities.c.organization_id) & (assets.c.id == entities.c.id))
        .where(entities.c.organization_id == organization_id, among(entities.c.id, missing))
    )
    kinds: dict[UUID, Any] = {row.id: (row.kind, row.type, row.profile_id) for row in rows}
    for entity_id in missing:
        kind, type_name, profile_id = kinds.get(entity_id, ("", None, None))
        book.entities[entity_id.bytes] = book.configured.get(kind, type_name, profile_id)
        if profile_id in book.plans:
            book.scored[entity_id.bytes] = book.plans[profile_id]
        if book.watchers.counts(kind, type_name):
            book.counted.add(entity_id.bytes)
    judged = book.watchers.assignments(session, organization_id=organization_id, entity_ids=missing)
    book.assignments.update((entity_id.bytes, found) for entity_id, found in judged.items())
    reading = [e for e in missing if (derivation := book.entities[e.bytes]) is not None and derivation.has_attributes]
    if reading:
        found = attribute_versions(session, organization_id=organization_id, entity_ids=reading)
        for entity_id, versions in found.items():
            since = [micros_of(at) for at, _ in versions]
            book.histories[entity_id.bytes] = History(since, [attributes for _, attributes in versions])


def _passage(book: Book, link: Link) -> Passage:
    source = link.source_id.bytes
    port = NO_PORT if link.port is None else link.port
    derivation = book.entities[source]
    wanted = metrics_read(book.assignments.get(source, ()))
    if derivation is not None:
        wanted |= derivation.inputs
    names = {name: name for name in wanted} if link.mapping is None else link.mapping
    inputs = {name: metric for name, metric in names.items() if metric in wanted}
    return Passage(source, port, link.begins_us, link.ends_us, inputs, book.watches(source))


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
