"""Read what a Brick model says of each thing by itself: its name, its attributes and where it is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from rdflib import RDF, RDFS, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from domain.exchange.imports.brick_parts import (
    SERIES_ID,
    VALUE,
    Series,
    Values,
    object_of,
    one_or_list,
    quantities_merge,
    references_merge,
)
from domain.exchange.imports.brick_relations import RELATIONS
from domain.exchange.imports.brick_words import ATTRIBUTES, LATITUDES, LONGITUDES, REFERENCES
from domain.exchange.imports.records import Remark
from graph.json_bounds import INTEGER_MAX, INTEGER_MIN

_DEPTH_MAX: Final = 4
_LATITUDE_MAX: Final = 90.0
_LONGITUDE_MAX: Final = 180.0


@dataclass(frozen=True, slots=True)
class Description:
    """What a model says of one thing. location: GeoJSON, or None where the model does not say."""

    name: str
    attributes: Mapping[str, Any]
    location: Mapping[str, Any] | None


@dataclass(slots=True)
class _Parts:
    """What the nodes of one thing say: of quantities, and of latitudes and longitudes, by predicate."""

    quantities: dict[str, list[Values]] = field(default_factory=lambda: defaultdict(list))
    coordinates: dict[str, list[Values]] = field(default_factory=lambda: defaultdict(list))
    references: list[Values] = field(default_factory=list)


@dataclass(slots=True)
class Descriptions:
    """Descriptions of the things of a model.

    things: what has an entity of its own. not_understood: how many statements of each predicate nothing became of.
    """

    graph: Graph
    things: Container[Node]
    remarks: list[Remark] = field(default_factory=list)
    not_understood: Counter[str] = field(default_factory=Counter)
    # What is read as part of something else.
    nodes: set[Node] = field(default_factory=set)
    # Of the thing in hand.
    _ill_typed: list[str] = field(default_factory=list)

    def describe(self, subject: URIRef) -> Description:
        """Return what is said of a thing, apart from its relations."""
        values: Values = defaultdict(list)
        parts = _Parts()
        for predicate, value in self._statements(subject):
            name = local_name(predicate)
            if predicate in {RDF.type, RDFS.label}:
                continue
            if isinstance(value, Literal):
                values[ATTRIBUTES.get(name, name)].append(self._plain(name, value))
            elif name in RELATIONS:
                continue
            elif name in ATTRIBUTES:
                values[ATTRIBUTES[name]].append(local_name(value))
            elif not self._is_part(name, value) or not self._part_add(name, value, parts):
                self.not_understood[str(predicate)] += 1
        self.remarks.extend(Remark(str(subject), message) for message in self._ill_typed)
        self._ill_typed.clear()
        labels = self._labels(subject)
        if len(labels) > 1:
            values["labels"].extend(labels)
        location = self._parts_merge(subject, parts, values)
        return Description(
            name=labels[0] if labels else local_name(subject),
            attributes={name: one_or_list(name, items) for name, items in sorted(values.items())},
            location=location,
        )

    def _parts_merge(self, subject: URIRef, parts: _Parts, values: Values) -> Mapping[str, Any] | None:
        """Add to a thing's values what its nodes say; return its location."""
        for name, nodes in parts.quantities.items():
            _extend(values, quantities_merge(name, values.pop(name, []), nodes))
        coordinates = [content for nodes in parts.coordinates.values() for content in nodes]
        location = self._location(subject, [values, *coordinates])
        if len(coordinates) == 1:
            _extend(values, coordinates[0])
        else:
            for name, nodes in parts.coordinates.items():
                _extend(values, quantities_merge(name, values.pop(name, []), nodes))
        attributes, series = references_merge(parts.references)
        _extend(values, attributes)
        self._series_add(subject, series, values)
        return location

    def _statements(self, subject: Node) -> list[tuple[Node, Node]]:
        return sorted(self.graph.predicate_objects(subject), key=lambda pair: (str(pair[0]), str(pair[1])))

    def _plain(self, name: str, value: Literal) -> Any:
        if value.ill_typed:
            type_ = local_name(value.datatype)
            self._ill_typed.append(f"{name} {str(value)[:100]!r} is not of type {type_}; taken as text")
        return plain(value)

    def _labels(self, subject: URIRef) -> list[str]:
        """Return its labels, those of no language and English ones first."""
        labels = [item for item in self.graph.objects(subject, RDFS.label) if str(item).strip()]
        labels.sort(key=lambda item: (getattr(item, "language", None) not in {None, "en"}, str(item)))
        return list(dict.fromkeys(map(str, labels)))

    def _is_part(self, name: str, value: Node) -> bool:
        """Return whether a node only serves to say more of what it belongs to: a value with a unit, a reference."""
        if value in self.things:
            return False
        if isinstance(value, BNode):
            return (value, RDF.first, None) not in self.graph
        return name in REFERENCES or any(
            local_name(predicate) in {VALUE, SERIES_ID} for predicate in self.graph.predicates(value)
        )

    def _part_add(self, name: str, node: Node, parts: _Parts) -> bool:
        """Add what a node says to the parts of what it belongs to; False where it says nothing."""
        content = self._content(node, 1)
        if not content:
            return False
        if name in REFERENCES or SERIES_ID in content:
            parts.references.append(content)
        elif VALUE not in content and LATITUDES & set(content) and LONGITUDES & set(content):
            parts.coordinates[name].append(content)
        else:
            parts.quantities[name].append(content)
        return True

    def _content(self, node: Node, depth: int) -> Values:
        self.nodes.add(node)
        content: Values = defaultdict(list)
        for predicate, value in self._statements(node):
            name = local_name(predicate)
            if predicate == RDF.type:
                continue
            if isinstance(value, Literal):
                content[ATTRIBUTES.get(name, name)].append(self._plain(name, value))
            elif name in ATTRIBUTES:
                content[ATTRIBUTES[name]].append(local_name(value))
            elif isinstance(value, URIRef):
                content[name].append(str(value))
            elif value not in self.nodes and depth < _DEPTH_MAX:
                one = object_of(self._content(value, depth + 1))
                content[name].append(one.pop(VALUE) if set(one) == {VALUE} else one)
            else:
                self.not_understood[str(predicate)] += 1
        return content

    def _series_add(self, subject: URIRef, series: Series, values: Values) -> None:
        if not series:
            return
        first, store = series[0]
        values["timeseriesId"] = [first]
        if store is not None:
            values["timeseriesStore"] = [store]
        ids = list(dict.fromkeys(item for item, _ in series))
        if len(ids) > 1:
            values["timeseriesIds"] = ids
            message = f"has {len(ids)} time series; timeseriesId is the first, {first}, timeseriesIds are all"
            self.remarks.append(Remark(str(subject), message))

    def _location(self, subject: URIRef, sources: Sequence[Values]) -> Mapping[str, Any] | None:
        latitudes, longitudes = _numbers(sources, LATITUDES), _numbers(sources, LONGITUDES)
        if not latitudes and not longitudes:
            return None
        if len(latitudes) == len(longitudes) == 1:
            [latitude], [longitude] = latitudes, longitudes
            if _is_within(latitude, _LATITUDE_MAX) and _is_within(longitude, _LONGITUDE_MAX):
                return {"type": "Point", "coordinates": [longitude, latitude]}
        message = "has no one latitude and longitude in degrees; they are attributes, and it has no location"
        self.remarks.append(Remark(str(subject), message))
        return None


def local_name(uri: Any) -> str:
    """Return the last part of a URI."""
    text = str(uri)
    return re.split(r"[#/]", text.rstrip("#/"))[-1] or text


def plain(value: Literal) -> Any:
    """Return a literal as JSON has it: numbers and booleans as they are, all else, and what is ill-typed, as text."""
    if value.ill_typed:
        return str(value)
    item = value.toPython()
    if isinstance(item, Decimal) and item.is_finite():
        item = float(item)
    if isinstance(item, bool):
        return item
    if isinstance(item, int):
        return item if INTEGER_MIN <= item <= INTEGER_MAX else str(value)
    if isinstance(item, float) and item == item and abs(item) != float("inf"):  # noqa: PLR0124
        return item
    return str(value)


def _extend(values: Values, more: Values) -> None:
    for name, items in more.items():
        values[name].extend(items)


def _numbers(sources: Sequence[Values], names: Iterable[str]) -> set[float | None]:
    """Return the different numbers under any of the names; None for what is not a number."""
    numbers: set[float | None] = set()
    for item in (item for values in sources for name in names for item in values.get(name, ())):
        try:
            numbers.add(float(item))
        except (TypeError, ValueError):
            numbers.add(None)
    return numbers


def _is_within(degrees: float | None, most: float) -> bool:
    return degrees is not None and abs(degrees) <= most
