"""Counting the parts of a JSON text without parsing agrees with parsing it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql.server import json_sizes
from gql.server.json_sizes import json_size_check
from graph.errors import LimitExceededError

TEXTS = st.text(st.sampled_from('{}[],:"\\\n aé'), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=30,
)


def sizes(value: Any) -> tuple[int, int]:
    """Return how many objects and arrays a value has, and its commas and opening brackets."""
    if isinstance(value, list | dict):
        inner = [sizes(member) for member in (value.values() if isinstance(value, dict) else value)]
        containers = 1 + sum(c for c, _ in inner)
        return containers, 1 + max(len(value) - 1, 0) + sum(v for _, v in inner)
    return 0, 0


@given(value=JSON, chunk=st.integers(1, 20), is_escaped=st.booleans())
def test_it_counts_characters_outside_strings(value: Any, chunk: int, is_escaped: bool) -> None:
    raw = orjson.dumps(value)
    if is_escaped:
        raw = raw.replace("é".encode(), b"\\u00e9")
    assert orjson.loads(raw) == value
    containers, values = sizes(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_sizes, "_CHUNK_BYTES", chunk)
        json_size_check(raw, containers_max=containers, values_max=values)
        if containers:
            with pytest.raises(LimitExceededError, match="objects and arrays"):
                json_size_check(raw, containers_max=containers - 1, values_max=values)
            with pytest.raises(LimitExceededError, match="values"):
                json_size_check(raw, containers_max=containers, values_max=values - 1)


def test_lines_are_counted() -> None:
    json_size_check(b"1\n2\n3\n", containers_max=0, values_max=3)
    with pytest.raises(LimitExceededError):
        json_size_check(b"1\n2\n3\n", containers_max=0, values_max=2)
