"""Entities of every kind, and filters and orders of their lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select

from graph.absent import ABSENT, Absent
from graph.geometry.geojson import geojson_of_wkb
from graph.ids import EntityId
from graph.kinds import EntityKind


@dataclass(frozen=True, slots=True)
class Entity:
    """A node of the graph. geometry: WKB. All times are UTC; deleted_at None: it exists."""

    id: EntityId
    kind: EntityKind
    type: str | None
    name: str
    external_id: str | None
    status: str
    attributes: Mapping[str, Any]
    geometry: bytes | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def location(self) -> dict[str, Any] | None:
        """The geometry as GeoJSON; made at each call, for few readers need it."""
        return None if self.geometry is None else geojson_of_wkb(self.geometry)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDraft:
    """A draft of a new entity. status None: the default of its kind. location: GeoJSON."""

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    location: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPatch:
    """A patch of an entity: ABSENT stays as it is; None empties external_id, type and location, and attributes to {}.

    attributes are replaced whole; merge_attributes is merged into those that are stored (RFC 7396: null takes a member
    away): one of the two. if_updated_at: the `updated_at` the caller has seen; another refuses.
    """

    name: str | Absent = ABSENT
    external_id: str | Absent | None = ABSENT
    type: str | Absent | None = ABSENT
    status: str | Absent = ABSENT
    attributes: Mapping[str, Any] | Absent | None = ABSENT
    merge_attributes: Mapping[str, Any] | Absent | None = ABSENT
    location: Mapping[str, Any] | Absent | None = ABSENT
    if_updated_at: datetime | None = None


class EntityOrder(StrEnum):
    """Orders of lists; each ends with the id."""

    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    CREATED_ASC = "CREATED_ASC"
    CREATED_DESC = "CREATED_DESC"
    UPDATED_ASC = "UPDATED_ASC"
    UPDATED_DESC = "UPDATED_DESC"
    TYPE_ASC = "TYPE_ASC"
    TYPE_DESC = "TYPE_DESC"
    STATUS_ASC = "STATUS_ASC"
    STATUS_DESC = "STATUS_DESC"
    EXTERNAL_ID_ASC = "EXTERNAL_ID_ASC"
    EXTERNAL_ID_DESC = "EXTERNAL_ID_DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityFilter:
    """Which entities; None: no condition; an empty collection: none at all.

    search: a part of name or external id, without regard to case, accents and form. among: ids, or a query for them.
    also: one more condition, on the columns of `entities`. is_costly: to evaluate that takes longer than to sort what
    fits. is_deleted: the deleted ones instead of the others.
    """

    kinds: Collection[EntityKind] | None = None
    types: Collection[str] | None = None
    statuses: Collection[str] | None = None
    search: str | None = None
    among: Collection[EntityId] | Select[Any] | None = None
    also: ColumnElement[bool] | None = None
    is_costly: bool = False
    is_deleted: bool = False
