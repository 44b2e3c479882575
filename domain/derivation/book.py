"""Who derives what, and through which links readings touch it: remembered while links and configuration stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.derivation.derive import chained_of, inputs_of, reach_us
from domain.derivation.formulas import MEMBER, FormulaSet, formulas_of
from domain.derivation.surroundings import UNKNOWN, History, Surroundings
from domain.derivation.versions import FIRST
from domain.derivation.watch import ANY_PORT, Watchers, watchers_read
from domain.entity_types.tables import telemetry_schemas
from domain.feature_flags.names import DERIVE_SHADOW
from domain.feature_flags.tables import feature_flags
from domain.processors.tables import processor_versions
from domain.telemetry.attribution import BEGIN_US, END_US, Link
from domain.telemetry.links import LINKED_KINDS, among, links_list
from domain.telemetry.packed import micros_of
from domain.telemetry.readings import NO_PORT
from domain.telemetry.streams import DERIVE
from graph.entities.versions import attribute_versions
from graph.geometry.areas import Area, areas_get
from graph.kinds import EntityKind
from graph.tables import entities, entity_types

T = TypeVar("T")

REMEMBERED_MAX: Final = 500_000

_REVISION = text("SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id")


@dataclass(frozen=True, slots=True)
class Derivation:
    """What is derived for a type: the formulas by event time, the names they read, how long a value counts.

    sets: each with the version in force. shadow: the same by the version in shadow, where another is in force.
    is_chained: derived metrics are read by others. has_attributes: any formula reads some. areas: the spaces it asks.
    """

    sets: tuple[FormulaSet, ...]
    inputs: frozenset[str]
    reach_us: int
    shadow: tuple[FormulaSet, ...] = ()
    is_chained: bool = False
    has_attributes: bool = False
    areas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Passage:
    """A link through which readings of one device port touch an entity that derives or is watched.

    port: NO_PORT for none, ANY_PORT for all. inputs: by the device's metric, the input that it is to the entity's
    formulas. is_watched: something follows from the entity's points besides.
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

    types: by kind and name, those that derive. shadow: the version that runs in shadow, if any. devices: passages by
    device. entities: what each derives, None where nothing. Both are filled as they are asked for; what was never
    asked for is absent. watchers: what follows from points besides formulas; watched: the entities from whose points
    anything does. histories: the attributes of those of which a formula reads some. areas: by external id, of
    spaces that formulas ask for, those that have one.
    """

    revision: int
    types: Mapping[tuple[str, str], Derivation]
    shadow: int | None = None
    devices: dict[bytes, list[Passage]] = field(default_factory=dict)
    entities: dict[bytes, Derivation | None] = field(default_factory=dict)
    histories: dict[bytes, History] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    watchers: Watchers = field(default_factory=Watchers)
    watched: set[bytes] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        """Whether nothing follows from any point of the organization."""
        return not self.types and self.watchers.is_idle

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
        book.devices[device] = [own] if device in book.watched else []
    for link in found:
        source = link.source_id.bytes
        if book.entities[source] is not None or source in book.watched:
            passage = _passage(link, book.entities[source], is_watched=source in book.watched)
            book.devices[link.device_id.bytes].append(passage)


def book_entities(session: Session, *, organization_id: int, book: Book, ids: Iterable[UUID]) -> None:
    """See to it that the book knows these entities. Two statements at most."""
    missing = {entity_id for entity_id in ids if entity_id.bytes not in book.entities}
    if not missing:
        return
    rows = session.execute(
        select(entities.c.id, entities.c.kind, entities.c.type).where(
            entities.c.organization_id == organization_id, among(entities.c.id, missing)
        )
    )
    kinds: dict[UUID, Any] = {row.id: (row.kind, row.type) for row in rows}
    for entity_id in missing:
        kind, type_name = kinds.get(entity_id, ("", None))
        book.entities[entity_id.bytes] = book.types.get((kind, type_name or ""))
        if book.watchers.watches(kind, type_name):
            book.watched.add(entity_id.bytes)
    reading = [e for e in missing if (derivation := book.entities[e.bytes]) is not None and derivation.has_attributes]
    if reading:
        found = attribute_versions(session, organization_id=organization_id, entity_ids=reading)
        for entity_id, versions in found.items():
            since = [micros_of(at) for at, _ in versions]
            book.histories[entity_id.bytes] = History(since, [attributes for _, attributes in versions])


def _passage(link: Link, derivation: Derivation | None, *, is_watched: bool) -> Passage:
    port = NO_PORT if link.port is None else link.port
    wanted = frozenset[str]() if derivation is None else derivation.inputs
    names = {name: name for name in wanted} if link.mapping is None else link.mapping
    inputs = {name: metric for name, metric in names.items() if metric in wanted}
    return Passage(link.source_id.bytes, port, link.begins_us, link.ends_us, inputs, is_watched)


def _book(session: Session, *, organization_id: int, revision: int) -> Book:
    """Read what is configured. Four statements, or five."""
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
    types = _types(session, organization_id=organization_id, versions=versions, shadow=shadow)
    names = frozenset(name for derivation in types.values() for name in derivation.areas)
    areas: dict[str, Area] = {}
    if names:
        areas = areas_get(session, organization_id=organization_id, kind=EntityKind.SPACE, external_ids=names)
    watchers = watchers_read(session, organization_id=organization_id)
    return Book(revision, types, shadow, areas=areas, watchers=watchers)


def _types(
    session: Session, *, organization_id: int, versions: Sequence[tuple[int, int]], shadow: int | None
) -> dict[tuple[str, str], Derivation]:
    rows = session.execute(
        select(
            entity_types.c.kind,
            entity_types.c.name,
            telemetry_schemas.c.effective_from,
            telemetry_schemas.c.schema,
        )
        .join_from(
            telemetry_schemas,
            entity_types,
            (entity_types.c.organization_id == telemetry_schemas.c.organization_id)
            & (entity_types.c.id == telemetry_schemas.c.entity_type_id),
        )
        .where(telemetry_schemas.c.organization_id == organization_id, entity_types.c.kind.in_(LINKED_KINDS))
        .order_by(entity_types.c.kind, entity_types.c.name, telemetry_schemas.c.effective_from)
    )
    schemas: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for row in rows:
        schemas.setdefault((row.kind, row.name), []).append((micros_of(row.effective_from), row.schema))
    return {
        key: _derivation(found, versions, shadow)
        for key, found in schemas.items()
        if any(MEMBER in schema for _, schema in found)
    }


def _derivation(
    schemas: Sequence[tuple[int, Mapping[str, Any]]], versions: Sequence[tuple[int, int]], shadow: int | None
) -> Derivation:
    """schemas, versions: each with the time from which it is in force, ascending."""
    sets = tuple(
        FormulaSet(max(begins, since), min(ends, until), formulas, version)
        for begins, ends, formulas in _spans([(max(b, BEGIN_US), formulas_of(schema)) for b, schema in schemas])
        for since, until, version in _spans(versions)
        if max(begins, since) < min(ends, until)
    )
    of_shadow = tuple(replace(each, version=shadow) for each in sets if shadow is not None and each.version != shadow)
    expressions = [e for each in sets for formula in each.formulas if (e := formula.expression) is not None]
    return Derivation(
        sets,
        inputs_of(sets),
        reach_us(sets),
        of_shadow,
        is_chained=bool(chained_of(sets)),
        has_attributes=any(e.attributes for e in expressions),
        areas=frozenset(area for e in expressions for area in e.areas),
    )


def _spans(begun: Sequence[tuple[int, T]]) -> list[tuple[int, int, T]]:
    """Return each with its begin and its end, which is where the next begins."""
    ends = [begins for begins, _ in begun[1:]] + [END_US]
    return [(begins, end, what) for (begins, what), end in zip(begun, ends, strict=True)]
