"""Find the entities that readings affect, and over which span. Pure; hot path."""

from __future__ import annotations

from collections.abc import Sequence

from domain.derivation.dependencies.consumers import ANY_PORT
from domain.derivation.dependencies.index import DependencyIndex
from domain.telemetry.model.columns import Readings


def affected_spans(
    index: DependencyIndex, *, readings: Readings, places: Sequence[int]
) -> dict[bytes, tuple[int, int]]:
    """Return, by entity, the first and the last timestamp of the readings that affect it. Hot path.

    places: of the readings that count. The dependency index knows their devices.
    """
    affected: dict[bytes, tuple[int, int]] = {}
    devices, dependencies_of = readings.devices, index.dependencies_of
    ports, timestamps = readings.ports.tolist(), readings.timestamps.tolist()
    for i in places:
        for dependency in dependencies_of(devices[i]):
            at = timestamps[i]
            if dependency.port not in (ports[i], ANY_PORT) or not dependency.begins_us <= at < dependency.ends_us:
                continue
            span = affected.get(dependency.entity)
            if span is None:
                affected[dependency.entity] = (at, at)
            elif at < span[0]:
                affected[dependency.entity] = (at, span[1])
            elif at > span[1]:
                affected[dependency.entity] = (span[0], at)
    return affected
