"""Filters as they are stored: JSON in the contract's names. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.nodes.filters.model import AttributeCondition, AttributeOperator, LatestCondition, ListFilter
from domain.plant.devices.model import Connectivity
from graph.instants import instant_read, instant_text
from graph.kinds import EntityKind

# Members that are kept as they are.
_PLAIN: Final = {
    "types": "types",
    "statuses": "statuses",
    "search": "search",
    "externalIds": "external_ids",
    "healthBelow": "health_below",
    "healthAbove": "health_above",
    "isLinked": "is_linked",
    "hasOpenEvents": "has_open_events",
}
_IDS: Final = {"underId": "under_id", "profileId": "profile_id", "groupId": "group_id"}
_INSTANTS: Final = {
    "createdFrom": "created_from",
    "createdTo": "created_to",
    "updatedFrom": "updated_from",
    "updatedTo": "updated_to",
}
_LISTS: Final = {"and": "every", "or": "any_of"}
_COMPARISONS: Final = ("eq", "gt", "gte", "lt", "lte", "text")


def filter_json(where: ListFilter) -> dict[str, Any]:
    """Return a filter as JSON, without what is not given."""
    given: dict[str, Any] = {}
    for name, own in _PLAIN.items():
        value = getattr(where, own)
        given[name] = list(value) if isinstance(value, (list, tuple, set, frozenset)) else value
    given |= {name: _text(getattr(where, own)) for name, own in _IDS.items()}
    given |= {name: _instant(getattr(where, own)) for name, own in _INSTANTS.items()}
    given["kinds"] = None if where.kinds is None else [kind.value for kind in where.kinds]
    given["ids"] = None if where.ids is None else sorted(set(map(str, where.ids)))
    given["connectivity"] = None if where.connectivity is None else where.connectivity.value
    if where.attributes is not None:
        given["attributes"] = [{"path": one.path, one.operator.value: one.value} for one in where.attributes]
    if where.latest is not None:
        given["latest"] = list(map(_latest_json, where.latest))
    for name, own in _LISTS.items():
        inner = getattr(where, own)
        given[name] = None if inner is None else list(map(filter_json, inner))
    given["not"] = None if where.none_of is None else filter_json(where.none_of)
    return {name: value for name, value in given.items() if value is not None}


def filter_read(given: Mapping[str, Any]) -> ListFilter:
    """Return the filter that was stored as this JSON."""
    members: dict[str, Any] = {own: given.get(name) for name, own in _PLAIN.items()}
    members |= {own: UUID(given[name]) if name in given else None for name, own in _IDS.items()}
    members |= {own: instant_read(given[name]) if name in given else None for name, own in _INSTANTS.items()}
    if "kinds" in given:
        members["kinds"] = list(map(EntityKind, given["kinds"]))
    if "ids" in given:
        members["ids"] = frozenset(map(UUID, given["ids"]))
    if "connectivity" in given:
        members["connectivity"] = Connectivity(given["connectivity"])
    if "attributes" in given:
        members["attributes"] = list(map(_attribute_read, given["attributes"]))
    if "latest" in given:
        members["latest"] = list(map(_latest_read, given["latest"]))
    members |= {own: list(map(filter_read, given[name])) for name, own in _LISTS.items() if name in given}
    if "not" in given:
        members["none_of"] = filter_read(given["not"])
    return ListFilter(**members)


def filters_within(where: ListFilter) -> Iterator[ListFilter]:
    """Yield a filter and those inside it, but not the filters of groups that it names."""
    waiting = [where]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [*(part.every or ()), *(part.any_of or ()), *(() if part.none_of is None else (part.none_of,))]


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)


def _latest_json(condition: LatestCondition) -> dict[str, Any]:
    given: dict[str, Any] = {"metric": condition.metric}
    given |= {name: value for name in _COMPARISONS if (value := getattr(condition, name)) is not None}
    if condition.older_than is not None:
        given["olderThan"] = msgspec.to_builtins(condition.older_than)
    return given


def _latest_read(given: Mapping[str, Any]) -> LatestCondition:
    older_than = given.get("olderThan")
    return LatestCondition(
        metric=given["metric"],
        **{name: given.get(name) for name in _COMPARISONS},
        older_than=None if older_than is None else msgspec.convert(older_than, timedelta),
    )


def _attribute_read(given: Mapping[str, Any]) -> AttributeCondition:
    [operator] = [name for name in given if name != "path"]
    return AttributeCondition(path=given["path"], operator=AttributeOperator(operator), value=given[operator])
