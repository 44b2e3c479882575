"""Spans of event time of entities, and their columns as arguments of a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.base.arrays import instant_array, uuid_array


@dataclass(frozen=True, slots=True)
class EntitySpan:
    """A span of an entity (16 bytes): [begins_us, ends_us) of event time, in microseconds since the Unix epoch."""

    entity: bytes
    begins_us: int
    ends_us: int


def spans_columns(spans: Sequence[EntitySpan]) -> dict[str, object]:
    """Return the arguments `entities`, `begins` and `ends` of a statement."""
    return {
        "entities": uuid_array(b"".join(span.entity for span in spans)),
        "begins": instant_array([span.begins_us for span in spans]),
        "ends": instant_array([span.ends_us for span in spans]),
    }
