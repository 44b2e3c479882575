"""Strategies of values for every scalar of the schema, as nodes of a document."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import graphql
from hypothesis import strategies as st
from hypothesis_graphql import nodes

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
# Texts that have broken other servers: quotes, control characters, what means something to SQL, CEL, paths and markup.
_HOSTILE: Final = (
    "", " ", "\x00", "\ud7ff\ufffd", "'", '"', "\\", "%", "_", "{}", "${x}", "../../etc/passwd", "1; DROP TABLE x",
    "' OR 1=1 --", "<script>", "\u202eabc", "\U0001f600" * 8, "e\u0301", "NaN", "null", "0x41", "1e999", "a" * 300,
)  # fmt: skip
# A bool is an int, so it comes first.
_NODES: Final[Mapping[type, Callable[[Any], graphql.ValueNode]]] = {
    bool: nodes.Boolean,
    int: nodes.Int,
    float: nodes.Float,
    str: nodes.String,
}


def value_node(value: Any) -> graphql.ValueNode:
    """Return a JSON value as it is written in a document."""
    for kind, node in _NODES.items():
        if isinstance(value, kind):
            return node(value)
    if isinstance(value, list):
        return nodes.List([value_node(item) for item in value])
    if isinstance(value, dict):
        return nodes.Object([_field_node(name, item) for name, item in value.items()])
    return nodes.Null


def _field_node(name: str, value: Any) -> graphql.ObjectFieldNode:
    return graphql.ObjectFieldNode(name=graphql.NameNode(value=name), value=value_node(value))


def _texts() -> st.SearchStrategy[str]:
    return st.sampled_from(_HOSTILE) | st.text(max_size=40)


def _ids() -> st.SearchStrategy[str]:
    absent = st.uuids().map(str)
    return absent | absent.map(str.upper) | st.integers(-3, 2**63).map(str) | _texts()


def _instants() -> st.SearchStrategy[datetime]:
    offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    near = st.integers(-90 * 86_400, 90 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))
    any_time = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets)  # noqa: DTZ001
    return near | near | near | any_time


def _date_times() -> st.SearchStrategy[str]:
    bad = st.sampled_from(("2026-03-01", "2026-03-01T00:00:00", "0001-01-01T00:00:00+14:00", "tomorrow", ""))
    good = _instants().map(datetime.isoformat)
    return st.integers(0, 15).flatmap(lambda n: bad if n == 0 else good)


def _durations() -> st.SearchStrategy[str]:
    good = ("PT0S", "PT1S", "PT1M", "PT15M", "PT1H", "P1D", "P1W", "P1M", "P1Y", "PT0.000001S", "P31D", "P100Y")
    bad = ("P", "PT", "-P1D", "P1.5D", "P9999999999D", "")
    return st.sampled_from((*good, *good, *good, *bad))


def _json(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    numbers = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        st.none() | st.booleans() | numbers | _texts(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_member_names(), inner, max_size=4),
        max_leaves=max_leaves,
    )


def _member_names() -> st.SearchStrategy[str]:
    """In a document the name of a member is a name of GraphQL."""
    return st.from_regex(r"[_A-Za-z][_0-9A-Za-z]{0,8}", fullmatch=True)


def _geometries() -> st.SearchStrategy[Any]:
    longitude = st.floats(8.0, 8.1) | st.floats(-181.0, 181.0)
    latitude = st.floats(50.0, 50.1) | st.floats(-91.0, 91.0)
    place = st.tuples(longitude, latitude).map(list)
    ring = st.lists(place, min_size=3, max_size=6).map(lambda places: [*places, places[0]])
    box = st.tuples(st.floats(8.0, 8.1), st.floats(50.0, 50.1), st.floats(0.0001, 0.5)).map(
        lambda at: [
            [
                [at[0], at[1]],
                [at[0] + at[2], at[1]],
                [at[0] + at[2], at[1] + at[2]],
                [at[0], at[1] + at[2]],
                [at[0], at[1]],
            ]
        ]
    )
    coordinates = {
        "Point": place,
        "LineString": st.lists(place, min_size=2, max_size=5),
        "Polygon": box | box | st.lists(ring, min_size=1, max_size=2),
        "MultiPoint": st.lists(place, max_size=3),
        "MultiPolygon": st.lists(box, max_size=2),
    }
    shapes = [
        st.fixed_dictionaries({"type": st.just(kind), "coordinates": of}) for kind, of in coordinates.items()
    ]  # fmt: skip
    return st.one_of(*shapes) | st.one_of(*shapes) | st.dictionaries(_member_names(), _json(4), max_size=3)


def scalar_strategies() -> Mapping[str, st.SearchStrategy[graphql.ValueNode]]:
    """Return strategies by the scalar's name: all of the schema's own, and the built-in ones, less blind."""
    whole = st.integers(-3, 50) | st.integers(1, 10) | st.integers(-(2**31), 2**31 - 1)
    number = st.integers(-100, 100) | st.floats(-180, 180) | st.floats(allow_nan=False, allow_infinity=False)
    times = _date_times()
    milliseconds = _instants().map(lambda instant: math.floor(instant.timestamp() * 1000))
    strategies: dict[str, st.SearchStrategy[Any]] = {
        "ID": _ids(),
        "String": _texts(),
        "Int": whole,
        "Float": number,
        "DateTime": times,
        "Duration": _durations(),
        "JSON": _json(),
        "GeoJSON": _geometries(),
        "ReadingTime": times | milliseconds | _json(3),
    }
    return {name: strategy.map(value_node) for name, strategy in strategies.items()}
