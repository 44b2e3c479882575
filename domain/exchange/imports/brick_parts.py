"""Merge what several nodes of a Brick model say of one thing, so that what belongs together stays together. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from domain.exchange.imports.brick_words import LISTS

Values = dict[str, list[Any]]
Series = list[tuple[str, str | None]]

VALUE: Final = "value"
SERIES_ID: Final = "hasTimeseriesId"
SERIES_STORE: Final = "storedAt"
# What these are called as attributes.
_SERIES_NAMES: Final = {SERIES_ID: "timeseriesId", SERIES_STORE: "timeseriesStore"}


def one_or_list(name: str, items: list[Any]) -> Any:
    """Return the one item of an attribute, or the list where there are several, or where it is always one."""
    return items[0] if len(items) == 1 and name not in LISTS else items


def object_of(content: Values) -> dict[str, Any]:
    """Return what a node says as an object."""
    return {name: one_or_list(name, items) for name, items in content.items()}


def quantities_merge(name: str, literals: Sequence[Any], nodes: Sequence[Values]) -> Values:
    """Return the attributes that the literals and nodes of one predicate become.

    Values of which the same is said besides, such as their unit, are an attribute and another for the unit. Where they
    differ in it, each is an object with its value and its unit. Nodes without a value are objects.

    >>> quantities_merge("area", [], [{"value": [2], "unit": ["M2"]}, {"value": [1], "unit": ["M2"]}])
    {'area': [1, 2], 'areaUnit': ['M2']}
    >>> quantities_merge("area", [], [{"value": [2]}, {"value": [1], "unit": ["M2"]}])
    {'area': [{'value': 1, 'unit': 'M2'}, {'value': 2}]}
    """
    objects = _distinct(map(object_of, nodes))
    if not any(VALUE in item for item in objects):
        return {name: [*literals, *objects]}
    objects = _distinct([*({VALUE: item} for item in literals), *objects])
    besides = _distinct({key: item for key, item in one.items() if key != VALUE} for one in objects)
    if len(besides) > 1 or not all(VALUE in item for item in objects):
        return {name: objects}
    merged: Values = {name: [value for item in objects for value in _items(item[VALUE])]}
    for key, item in besides[0].items():
        merged[f"{name}{key[0].upper()}{key[1:]}"] = _items(item)
    return merged


def references_merge(nodes: Sequence[Values]) -> tuple[Values, Series]:
    """Return the attributes that references become, and the time series that they name, sorted, with their stores.

    The list `references` has each of them as an object where the attributes would not say what belongs to which.
    """
    series: Series = []
    for content in nodes:
        stores = content.get(SERIES_STORE)
        series.extend((str(item), str(stores[0]) if stores else None) for item in content.get(SERIES_ID, ()))
    series.sort(key=str)
    saying_more = _distinct(object_of(content) for content in nodes if content.keys() - _SERIES_NAMES.keys())
    is_of_one_series = len({name for name, _ in series}) > 1 and any(SERIES_ID in item for item in saying_more)
    if len(saying_more) <= 1 and not is_of_one_series and len({store for _, store in series}) <= 1:
        return {
            key: _items(item) for one in saying_more for key, item in one.items() if key not in _SERIES_NAMES
        }, series
    references = _distinct(
        {_SERIES_NAMES.get(key, key): item for key, item in object_of(content).items()} for content in nodes
    )
    return {"references": references}, series


def _items(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]


def _distinct(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the different objects in an order that does not depend on the nodes' names, which a parser makes up."""
    by_text = {json.dumps(item, sort_keys=True): item for item in objects}
    return [item for _, item in sorted(by_text.items(), key=lambda pair: (_number(pair[1]), pair[0]))]


def _number(item: dict[str, Any]) -> float:
    value = item.get(VALUE)
    return value if isinstance(value, int | float) else float("inf")
