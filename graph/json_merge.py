"""Merge JSON as RFC 7396 (JSON Merge Patch) says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def json_merged(target: Any, patch: Any) -> Any:
    """Return a JSON value with a patch applied: null takes a member away, an object is merged, all else replaces.

    >>> json_merged({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = json_merged(merged.get(name), value)
    return merged
