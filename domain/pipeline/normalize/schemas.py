"""Find the telemetry schemas of devices within a stage's transaction."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, smallint_array, text_array, uuid_array
from domain.base.packed import MetricType, micros_of
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.schemas import MetricSchema, SchemaVersions, schema_compile
from domain.telemetry.model.stage_cache import OrganizationSchemas, PendingCacheUpdates, StageCache
from domain.telemetry.store.points import PointColumns

# So many devices are remembered per organization.
DEVICES_MAX = 200_000

# A row per version and its devices: a schema crosses the wire once however many devices there are. A device whose
# type has no schema is refused where its series have units or types of an earlier one.
_FIND = text(
    """
    WITH typed AS (
        SELECT u.n, e.id AS device_id, t.id AS type_id
        FROM unnest(:devices) WITH ORDINALITY AS u (d, n)
        JOIN entities e ON e.organization_id = :organization_id AND e.id = u.d
        LEFT JOIN entity_types t ON t.organization_id = e.organization_id AND t.kind = e.kind AND t.name = e.type
    ), schemed AS (
        SELECT s.entity_type_id, s.effective_from, s.schema FROM telemetry_schemas s
        WHERE s.organization_id = :organization_id AND s.entity_type_id IN (SELECT type_id FROM typed)
    )
    SELECT s.entity_type_id, s.effective_from, s.schema,
        (SELECT array_agg((d.n - 1)::int) FROM typed d WHERE d.type_id = s.entity_type_id) AS places
    FROM schemed s
    UNION ALL
    SELECT NULL, NULL, NULL, array_agg((d.n - 1)::int) FROM typed d
    WHERE NOT EXISTS (SELECT FROM schemed s WHERE s.entity_type_id = d.type_id) AND EXISTS (
        SELECT FROM series r
        WHERE r.organization_id = :organization_id AND r.entity_id = d.device_id
            AND num_nonnulls(r.unit, r.declared_type) > 0)
    ORDER BY effective_from
    """
)

_UNITS = text(
    """
    SELECT s.id, s.entity_id, s.metric, s.unit, s.declared_type, l."timestamp" FROM unnest(:series) AS u (s)
    JOIN series s ON s.organization_id = :organization_id AND s.id = u.s
    JOIN latest_values l ON l.organization_id = :organization_id AND l.series_id = u.s
    """
)
_UNITS_SET = text(
    """
    UPDATE series s SET unit = u.x, declared_type = nullif(u.y, -1) FROM unnest(:series, :units, :types) AS u (s, x, y)
    WHERE s.organization_id = :organization_id AND s.id = u.s
    """
)


def schemas_of(
    session: Session, *, organization_id: int, revision: int, devices: Iterable[bytes], stage_cache: StageCache
) -> Mapping[bytes, SchemaVersions]:
    """Return the schemas of devices by their type, without those that have none; at most one statement.

    revision: as `input_revision` has it; the transaction holds the graph. What is read at it was committed, so
    it is remembered even if the transaction is not.
    """
    known = stage_cache.schemas.get(organization_id)
    if known is None or known.revision != revision or len(known.by_device) > DEVICES_MAX:
        known = stage_cache.schemas[organization_id] = OrganizationSchemas(revision)
    wanted = set(devices)
    missing = sorted(wanted - known.by_device.keys())
    if missing:
        schemas = _read(session, organization_id, missing)
        known.by_device |= {device: schemas.get(device) for device in missing}
        known.has_any = known.has_any or bool(schemas)
    if not known.has_any:
        return {}
    return {device: versions for device in wanted if (versions := known.by_device[device]) is not None}


def _read(session: Session, organization_id: int, devices: list[bytes]) -> dict[bytes, SchemaVersions]:
    arrays_enable(session)
    rows = session.execute(_FIND, {"organization_id": organization_id, "devices": uuid_array(b"".join(devices))}).all()
    by_type: dict[uuid.UUID, tuple[list[int], list[MetricSchema]]] = {}
    by_device: dict[bytes, SchemaVersions] = {}
    for row in rows:
        begins, schemas = by_type.setdefault(row.entity_type_id, ([], []))
        versions = SchemaVersions(begins, schemas)
        _version_add(row, begins, schemas)
        by_device |= {devices[place]: versions for place in row.places or ()}
    return by_device


def _version_add(row: Any, begins: list[int], schemas: list[MetricSchema]) -> None:
    if row.effective_from is not None:
        begins.append(micros_of(row.effective_from))
        schemas.append(schema_compile(row.schema))


def units_to_check(
    *,
    organization_id: int,
    readings: Readings,
    reading_of: NDArray[np.int32],
    points: PointColumns,
    schemas: Mapping[bytes, SchemaVersions],
    stage_cache: StageCache,
) -> set[int]:
    """Return the series whose unit or type these points may change. reading_of: each point's reading."""
    known = stage_cache.schemas.get(organization_id)
    units_checked_until = {} if known is None else known.units_checked_until
    order = np.lexsort((points.at, points.series))
    newest = order[np.r_[points.series[order][1:] != points.series[order][:-1], np.True_]] if len(order) else order
    columns = (points.series[newest].tolist(), points.at[newest].tolist(), reading_of[newest].tolist())
    return {
        series
        for series, at, place in zip(*columns, strict=True)
        if at >= units_checked_until.get(series, -math.inf) and readings.devices[place] in schemas
    }


def units_reconcile(
    session: Session,
    *,
    organization_id: int,
    revision: int,
    schemas: Mapping[bytes, SchemaVersions],
    notes: PendingCacheUpdates,
) -> None:
    """Reconcile the unit and type of series with the schema in force at their latest point.

    notes.units_to_check: the series. Of devices that are not in `schemas` nothing changes.
    """
    if not notes.units_to_check:
        return
    arrays_enable(session)
    parameters = {"organization_id": organization_id, "series": bigint_array(sorted(notes.units_to_check))}
    units_checked_until: dict[int, float] = {}
    other: dict[int, tuple[bytes | None, int]] = {}
    for row in session.execute(_UNITS, parameters):
        versions = schemas.get(row.entity_id.bytes)
        if versions is None:
            continue
        at = micros_of(row.timestamp)
        schema = versions.at(at)
        unit = None if schema is None else schema.units.get(row.metric)
        kind = None if schema is None else schema.kinds.get(row.metric)
        # What has a unit is a number, also where the schema does not say so besides.
        declared = int(MetricType[kind]) if kind is not None else None if unit is None else int(MetricType.NUMBER)
        units_checked_until[row.id] = versions.until(at)
        if (unit, declared) != (row.unit, row.declared_type):
            other[row.id] = None if unit is None else unit.encode(), -1 if declared is None else declared
    if other:
        changed = {
            "series": bigint_array(list(other)),
            "units": text_array(unit for unit, _ in other.values()),
            "types": smallint_array([declared for _, declared in other.values()]),
        }
        session.execute(_UNITS_SET, {"organization_id": organization_id, **changed})
    notes.units_checked_until[organization_id] = (revision, units_checked_until)
