"""Which entities readings touch, and over which time. Pure; hot path."""

from __future__ import annotations

from collections.abc import Sequence

from domain.derivation.dependencies.consumers import ANY_PORT
from domain.derivation.dependencies.index import DependencyIndex
from domain.telemetry.model.columns import Readings


def windows_touched(
    dependencies: DependencyIndex, *, readings: Readings, places: Sequence[int]
) -> dict[bytes, tuple[int, int]]:
    """Return the first and the last timestamp at which readings touch each entity that derives or is watched. Hot path.

    places: of the readings that count. The dependency index knows their devices.
    """
    touched: dict[bytes, tuple[int, int]] = {}
    devices, dependencies_of = readings.devices, dependencies.dependencies_of
    ports, timestamps = readings.ports.tolist(), readings.timestamps.tolist()
    for i in places:
        for dependency in dependencies_of(devices[i]):
            at = timestamps[i]
            if dependency.port not in (ports[i], ANY_PORT) or not dependency.begins_us <= at < dependency.ends_us:
                continue
            span = touched.get(dependency.entity)
            if span is None:
                touched[dependency.entity] = (at, at)
            elif at < span[0]:
                touched[dependency.entity] = (at, span[1])
            elif at > span[1]:
                touched[dependency.entity] = (span[0], at)
    return touched
