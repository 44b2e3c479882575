"""Parse import records from lines of a file or a mutation's list. Pure; docs/how-to/import.md has the form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NoReturn
from uuid import UUID

from domain.configuration.profiles.operations import NAME_MAX_CHARS
from domain.exchange.fields import IGNORED_FIELDS, OWN_FIELDS
from domain.exchange.imports.records import EdgeRecord, EntityRecord, Record, Ref, RelationshipRecord, TypeRecord
from domain.exchange.tables.cells import ERRORS, CellError, CellForm
from domain.exchange.tables.times import CellTimes, TimeError
from domain.plant.devices.links import link_metadata_check
from domain.plant.devices.operations import device_details
from domain.plant.persons.operations import person_details
from domain.work.activities.operations import activity_details
from graph.absent import ABSENT
from graph.errors import BadInputError
from graph.instants import instant_read, instant_text
from graph.json_bounds import json_object_check, text_check
from graph.kinds import EntityKind
from graph.relationships.model import Exclusive
from graph.texts import text_nfc

_ENTITY: Final = {
    "kind", "name", "externalId", "id", "type", "status", "attributes", "location", "deletedAt",
}.union(*OWN_FIELDS.values())  # fmt: skip
_IGNORED: Final = frozenset().union(*IGNORED_FIELDS.values())
_EDGE: Final = {"source", "relationship", "target", "port", "exclusive", "validFrom", "validUntil", "metadata"}
_TYPE: Final = {"kind", "name", "description", "attributes", "telemetrySchema"}
_RELATIONSHIP: Final = {"name", "inverse", "sourceKinds", "targetKinds", "hierarchy", "exclusive"}
_TIMES: Final = {"validFrom", "validUntil", "deletedAt", "dueAt"}
_ALL_OWN: Final = _IGNORED.union(*OWN_FIELDS.values())


def record_read(value: Any, *, line: int | None = None) -> Record:
    """Return the record an object describes. Raises BadInputError at the field at fault."""
    if not isinstance(value, Mapping):
        raise BadInputError("A record is a JSON object, on a line of its own.")
    readers: dict[Any, tuple[set[str], Callable[[Mapping[str, Any], int | None], Record]]] = {
        "entity": (_ENTITY | _IGNORED, _entity),
        "edge": (_EDGE, _edge),
        "entityType": (_TYPE, _type),
        "relationship": (_RELATIONSHIP, _relationship),
    }
    sort = value.get("record")
    if not isinstance(sort, str) or sort not in readers:
        raise BadInputError(f"record is one of {', '.join(readers)}; it was {sort!r}.", path=("record",))
    known, reader = readers[sort]
    unknown = sorted(set(value) - known - {"record"})
    if unknown:
        raise BadInputError(f"A record of an {sort} has no {unknown[0]!r}.", path=(unknown[0],))
    return reader(value, line)


def _entity(members: Mapping[str, Any], line: int | None) -> EntityRecord:
    kind = _kind(members.get("kind"), "kind")
    ignored = IGNORED_FIELDS.get(kind, frozenset())
    foreign = sorted((set(members) & _ALL_OWN) - OWN_FIELDS[kind] - ignored)
    if foreign:
        raise BadInputError(f"A {kind.value.lower()} has no {foreign[0]}.", path=(foreign[0],))
    deleted_at = _instant(members, "deletedAt")
    if deleted_at is not None and members.get("id") is None:
        raise BadInputError("An entity that was deleted is found by its id.", path=("id",))
    return EntityRecord(
        kind=kind,
        name=_text(members, "name") or "",
        external_id=_text(members, "externalId"),
        id=_id(members, "id"),
        type=_text(members, "type"),
        status=_text(members, "status"),
        attributes=_json(members, "attributes"),
        location=_object(members, "location"),
        details=_details(kind, members),
        profile=_profile(members) if "profile" in members else ABSENT,
        ignored=tuple(sorted(ignored & set(members))),
        deleted_at=deleted_at,
        given=frozenset(name for name in ("name", "type", "status", "attributes", "location") if name in members),
        line=line,
    )


def _details(kind: EntityKind, members: Mapping[str, Any]) -> dict[str, Any]:
    if kind is EntityKind.DEVICE and "firmwareVersion" in members:
        return device_details(_text(members, "firmwareVersion"))
    if kind is EntityKind.PERSON and "email" in members:
        return person_details(_text(members, "email"))
    if kind is EntityKind.ACTIVITY:
        return activity_details(
            category=members.get("category", ABSENT),
            priority=members.get("priority", ABSENT),
            due_at=_instant(members, "dueAt") if "dueAt" in members else ABSENT,
            checklist=members.get("checklist", ABSENT),
        )
    return {}


def _profile(members: Mapping[str, Any]) -> str | None:
    name = members["profile"]
    return None if name is None else text_check(name, path=("profile",), min_chars=1, max_chars=NAME_MAX_CHARS)


def _edge(members: Mapping[str, Any], line: int | None) -> EdgeRecord:
    port = members.get("port")
    if port is not None and (not isinstance(port, int) or isinstance(port, bool)):
        raise BadInputError("port is a whole number.", path=("port",))
    exclusive = members.get("exclusive")
    if exclusive is not None and not isinstance(exclusive, bool):
        raise BadInputError("exclusive is true or false.", path=("exclusive",))
    relationship = _text(members, "relationship") or ""
    metadata = link_metadata_check(_json(members, "metadata"), relationship=relationship)
    return EdgeRecord(
        source=_ref(members, "source"),
        relationship=relationship,
        target=_ref(members, "target"),
        port=port,
        exclusive=exclusive,
        valid_from=_instant(members, "validFrom"),
        valid_until=_instant(members, "validUntil"),
        metadata=metadata,
        line=line,
    )


def _type(members: Mapping[str, Any], line: int | None) -> TypeRecord:
    return TypeRecord(
        kind=_kind(members.get("kind"), "kind"),
        name=_text(members, "name") or "",
        description=_text(members, "description"),
        attributes=_json(members, "attributes"),
        telemetry_schema=_object(members, "telemetrySchema"),
        line=line,
    )


def _relationship(members: Mapping[str, Any], line: int | None) -> RelationshipRecord:
    hierarchy, exclusive = members.get("hierarchy", False), members.get("exclusive")
    if not isinstance(hierarchy, bool):
        raise BadInputError("hierarchy is true or false.", path=("hierarchy",))
    if exclusive is not None and exclusive not in list(Exclusive):
        raise BadInputError(f"exclusive is one of {', '.join(Exclusive)}, or null.", path=("exclusive",))
    kinds = {}
    for name in ("sourceKinds", "targetKinds"):
        value = members.get(name)
        if not isinstance(value, list):
            raise BadInputError(f"{name} is an array of kinds.", path=(name,))
        kinds[name] = frozenset(_kind(item, name, str(place)) for place, item in enumerate(value))
    return RelationshipRecord(
        name=_text(members, "name") or "",
        inverse=_text(members, "inverse") or "",
        source_kinds=kinds["sourceKinds"],
        target_kinds=kinds["targetKinds"],
        hierarchy=hierarchy,
        exclusive=None if exclusive is None else Exclusive(exclusive),
        line=line,
    )


def _ref(members: Mapping[str, Any], name: str) -> Ref:
    value = members.get(name)
    if isinstance(value, str):
        return Ref(external_id=value)
    if not isinstance(value, Mapping) or set(value) - {"kind", "externalId", "id"}:
        message = f"{name} is an external id, or an object of kind and externalId, or of id."
        raise BadInputError(message, path=(name,))
    external_id, entity_id = value.get("externalId"), value.get("id")
    if (external_id is None) == (entity_id is None) and external_id is None:
        raise BadInputError(f"{name} needs an externalId or an id.", path=(name,))
    return Ref(
        external_id=_text(value, "externalId", name),
        kind=None if value.get("kind") is None else _kind(value["kind"], name, "kind"),
        id=_id(value, "id", name),
    )


def _kind(value: Any, *path: str) -> EntityKind:
    try:
        return EntityKind(value)
    except ValueError:
        raise BadInputError(f"A kind is one of {', '.join(EntityKind)}; it was {value!r}.", path=path) from None


def _text(members: Mapping[str, Any], name: str, *under: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInputError(f"{name} is a text.", path=(*under, name))
    return value if value is None else text_nfc(value)


def _object(members: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = members.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise BadInputError(f"{name} is a JSON object.", path=(name,))
    return value


def _json(members: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a member in the form in which it is read again, so that it can be compared with what is stored."""
    return json_object_check(_object(members, name) or {}, path=(name,))


def _id(members: Mapping[str, Any], name: str, *under: str) -> UUID | None:
    value = _text(members, name, *under)
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise BadInputError(f"{name} is a UUID.", path=(*under, name)) from None


def _instant(members: Mapping[str, Any], name: str) -> datetime | None:
    value = _text(members, name)
    if value is None:
        return None
    try:
        instant = instant_read(value)
    except ValueError:
        raise BadInputError(f"{name} is not an instant between the years 1 and 9999.", path=(name,)) from None
    if instant is None:
        message = f"{name} is an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z."
        raise BadInputError(message, path=(name,))
    return instant


def columns_check(columns: Collection[str]) -> None:
    """Refuse columns that no table of entities or of edges has. Raises BadInputError."""
    named = set(columns) - {""}
    for needed, fields, more in (
        ({"source", "relationship", "target"}, _EDGE, {"sourceKind", "targetKind"}),
        ({"kind", "name"}, _ENTITY, {"longitude", "latitude"}),
    ):
        if needed <= named:
            unknown = sorted(
                name for name in named - fields - more - {"record"} if not name.startswith(("attributes.", "metadata."))
            )
            if unknown:
                message = f"There is no column {unknown[0]!r}: {', '.join(sorted(fields | more))}, attributes.NAME."
                raise BadInputError(message, path=("file",))
            return
    message = "The first line of a CSV file names the columns: kind and name, or source, relationship and target."
    raise BadInputError(message, path=("file",))


def row_read(row: Mapping[str, str], form: CellForm, times: CellTimes) -> dict[str, Any]:
    """Return the object that a row of a CSV file describes; an empty cell says nothing. Raises BadInputError.

    Columns are named as the fields are; `attributes.NAME` and `metadata.NAME` are members, JSON where the cell is some
    and text where not, with numbers as the form writes them, and absent where it says so; times are as `times` reads
    them; `source` and `target` are external ids, `sourceKind` and `targetKind` their kinds; `longitude` and `latitude`
    make a point.
    """
    stripped = {name: cell.strip() for name, cell in row.items()}
    cells = {name: cell for name, cell in stripped.items() if cell and cell not in form.absent}
    record: dict[str, Any] = {"record": "edge" if "relationship" in row and "source" in row else "entity"}
    for name, cell in cells.items():
        head, dot, member = name.partition(".")
        if dot and head in {"attributes", "metadata"}:
            if not form.is_absent(cell):
                record.setdefault(head, {})[member] = _member(cell, form, path=(head, member))
        elif cell.lower() in ERRORS:
            raise BadInputError(f"{cell!r} is an error of the spreadsheet that wrote the file.", path=(name,))
        elif name not in {"sourceKind", "targetKind", "longitude", "latitude", "record"}:
            record[name] = _field(name, cell, times)
    for end in ("source", "target"):
        if f"{end}Kind" in cells and end in record:
            record[end] = {"kind": cells[f"{end}Kind"], "externalId": record[end]}
    if "longitude" in cells or "latitude" in cells:
        record["location"] = _point(cells, form)
    return record


def _field(name: str, cell: str, times: CellTimes) -> Any:
    if name in {"location", "checklist", "port", "exclusive"}:
        return _json_or_text(cell)
    if name not in _TIMES:
        return cell
    try:
        return instant_text(times.instant(cell))
    except TimeError as error:
        raise BadInputError(str(error), path=(name,)) from None


def _point(cells: Mapping[str, str], form: CellForm) -> dict[str, Any]:
    at = [form.number(cells.get(name, "")) for name in ("longitude", "latitude")]
    if None in at:
        raise BadInputError("longitude and latitude are numbers of degrees.", path=("longitude",))
    return {"type": "Point", "coordinates": at}


def _member(cell: str, form: CellForm, *, path: tuple[str, str]) -> Any:
    if form.decimal == ".":
        return _json_or_text(cell)
    text = cell.strip()
    try:
        number = form.number(text)
    except CellError as error:
        raise BadInputError(str(error), path=path) from None
    if number is None and CellForm().number(text) is not None:
        message = f"{text!r} has a decimal point, where {form.decimal!r} is the decimal sign."
        raise BadInputError(message, path=path)
    return _json_or_text(cell) if number is None else number


def _json_or_text(cell: str) -> Any:
    if (folded := cell.lower()) in {"true", "false"}:
        # Spreadsheets write them in capital letters.
        return folded == "true"
    try:
        return json.loads(cell, parse_constant=_no_constant, object_pairs_hook=members_once)
    except (ValueError, RecursionError):
        return cell


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object. Raises ValueError where it has a name twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        msg = f"an object has the name {twice!r} twice"
        raise ValueError(msg)
    return members


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError(name)
