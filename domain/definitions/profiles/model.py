"""Asset profiles: shared attributes, formulas, rules and health settings of assets, in versions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileContent:
    """The content of a version; all JSON, validated (content.py).

    attributes: defaults. thresholds: by metric. formulas: as the `derived` member of a telemetry schema. rules: rules
    whose scope is the assets of the profile. health: freshness, weights, bucket.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    formulas: Mapping[str, Any] = field(default_factory=dict)
    rules: Sequence[Mapping[str, Any]] = ()
    health: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """A version. In force from `effective_from` of event time until the next one is. All times are UTC."""

    number: int
    effective_from: datetime
    recorded_at: datetime
    actor: str
    content: ProfileContent


@dataclass(frozen=True, slots=True)
class AssetProfile:
    """A profile with its newest version. type: of the assets made from it. All times are UTC."""

    id: UUID
    name: str
    type: str | None
    newest: ProfileVersion
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
