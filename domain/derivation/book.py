"""Who derives what, and through which links readings touch it: remembered while links and configuration stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.derivation.derive import inputs_of, reach_us
from domain.derivation.formulas import MEMBER, FormulaSet, formulas_of
from domain.entity_types.tables import telemetry_schemas
from domain.telemetry.attribution import BEGIN_US, END_US, Link
from domain.telemetry.links import LINKED_KINDS, among, links_list
from domain.telemetry.packed import micros_of
from domain.telemetry.readings import NO_PORT
from graph.tables import entities, entity_types

REMEMBERED_MAX: Final = 500_000

_REVISION = text("SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id")


@dataclass(frozen=True, slots=True)
class Derivation:
    """What is derived for a type: the formulas by event time, the names they read, how long a value counts."""

    sets: tuple[FormulaSet, ...]
    inputs: frozenset[str]
    reach_us: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A link through which readings of one device port touch an entity that derives.

    port: NO_PORT for none. inputs: by the device's metric, the input that it is to the entity.
    """

    entity: bytes
    port: int
    begins_us: int
    ends_us: int
    inputs: Mapping[str, str]


@dataclass(slots=True)
class Book:
    """One organization's, as links and configuration stand at `revision`.

    types: by kind and name, those that derive. devices: passages by device. entities: what each derives, None
    where nothing. Both are filled as they are asked for; what was never asked for is absent.
    """

    revision: int
    types: Mapping[tuple[str, str], Derivation]
    devices: dict[bytes, list[Passage]] = field(default_factory=dict)
    entities: dict[bytes, Derivation | None] = field(default_factory=dict)


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
            types = _types(session, organization_id=organization_id)
            book = self._books[organization_id] = Book(revision, types)
        return book


def derivation_revision(session: Session, *, organization_id: int) -> int:
    """Return the revision at which links or configuration of anything derived last changed."""
    return int(session.execute(_REVISION, {"organization_id": organization_id}).scalar_one())


def book_devices(session: Session, *, organization_id: int, book: Book, devices: Collection[bytes]) -> None:
    """See to it that the book knows these devices (16 bytes each). Two statements at most."""
    if not book.types:
        return
    missing = [device for device in devices if device not in book.devices]
    if not missing:
        return
    found = links_list(session, organization_id=organization_id, device_ids=[UUID(bytes=device) for device in missing])
    book_entities(session, organization_id=organization_id, book=book, ids=[link.source_id for link in found])
    for device in missing:
        book.devices[device] = []
    for link in found:
        derivation = book.entities[link.source_id.bytes]
        if derivation is not None:
            book.devices[link.device_id.bytes].append(_passage(link, derivation))


def book_entities(session: Session, *, organization_id: int, book: Book, ids: Iterable[UUID]) -> None:
    """See to it that the book knows these entities. One statement at most."""
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
        book.entities[entity_id.bytes] = book.types.get(kinds.get(entity_id, ("", "")))


def _passage(link: Link, derivation: Derivation) -> Passage:
    port = NO_PORT if link.port is None else link.port
    names = {name: name for name in derivation.inputs} if link.mapping is None else link.mapping
    inputs = {name: metric for name, metric in names.items() if metric in derivation.inputs}
    return Passage(link.source_id.bytes, port, link.begins_us, link.ends_us, inputs)


def _types(session: Session, *, organization_id: int) -> dict[tuple[str, str], Derivation]:
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
    versions: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for row in rows:
        versions.setdefault((row.kind, row.name), []).append((micros_of(row.effective_from), row.schema))
    return {key: _derivation(found) for key, found in versions.items() if any(MEMBER in schema for _, schema in found)}


def _derivation(versions: list[tuple[int, Mapping[str, Any]]]) -> Derivation:
    ends = [begins for begins, _ in versions[1:]] + [END_US]
    sets = tuple(
        FormulaSet(max(begins, BEGIN_US), end, formulas_of(schema))
        for (begins, schema), end in zip(versions, ends, strict=True)
    )
    return Derivation(sets, inputs_of(sets), reach_us(sets))
