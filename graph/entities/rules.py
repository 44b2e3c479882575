"""Rules of entities, without a database: bounds and defaults. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from graph.absent import Absent
from graph.entities.model import EntityDraft, EntityPatch
from graph.entities.types import type_name_check
from graph.geometry.geojson import Geometry, geometry_of_geojson
from graph.json_bounds import json_object_check, text_check
from graph.json_merge import json_merged

NAME_MAX_CHARS: Final = 500
EXTERNAL_ID_MAX_CHARS: Final = 1_000
STATUS_MAX_CHARS: Final = 100
STATUS_DEFAULT: Final = "active"


def draft_values(draft: EntityDraft, *, status_default: str = STATUS_DEFAULT) -> dict[str, Any]:
    """Return the columns of a new entity. Raises BadInputError, LimitExceededError."""
    patch = EntityPatch(
        name=draft.name,
        external_id=draft.external_id,
        type=draft.type,
        status=status_default if draft.status is None else draft.status,
        attributes=draft.attributes,
        location=draft.location,
    )
    return patch_values(patch)


def patch_values(patch: EntityPatch, *, attributes: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Return the columns a patch sets. attributes: those that are stored. Raises BadInputError, LimitExceededError."""
    values: dict[str, Any] = {}
    if not isinstance(patch.name, Absent):
        values["name"] = text_check(patch.name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS)
    if not isinstance(patch.status, Absent):
        values["status"] = text_check(patch.status, path=("status",), min_chars=1, max_chars=STATUS_MAX_CHARS)
    if not isinstance(patch.external_id, Absent):
        values["external_id"] = _external_id(patch.external_id)
    if not isinstance(patch.type, Absent):
        values["type"] = None if patch.type is None else type_name_check(patch.type, path=("type",))
    given = _attributes(patch, attributes)
    if given is not None:
        values["attributes"] = given
    if not isinstance(patch.location, Absent):
        values |= _geometry_values(patch.location)
    return values


def _external_id(value: str | None) -> str | None:
    if value is None:
        return None
    return text_check(value, path=("externalId",), min_chars=1, max_chars=EXTERNAL_ID_MAX_CHARS)


def _attributes(patch: EntityPatch, stored: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the attributes that a patch leads to; None: they stay."""
    path = ("attributes",)
    if not isinstance(patch.attributes, Absent):
        return {} if patch.attributes is None else json_object_check(patch.attributes, path=path)
    if isinstance(patch.merge_attributes, Absent):
        return None
    if patch.merge_attributes is None:
        return {}
    merged: dict[str, Any] = json_merged(stored, json_object_check(patch.merge_attributes, path=path))
    # Together they may be more than each.
    return json_object_check(merged, path=path)


def _geometry_values(value: Mapping[str, Any] | None) -> dict[str, Any]:
    geometry: Geometry | None = None if value is None else geometry_of_geojson(value)
    return {
        "geometry": None if geometry is None else geometry.wkb,
        "bounds": None if geometry is None else geometry.bounds,
    }
