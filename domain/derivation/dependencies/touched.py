"""Which entities readings touch, and over which time. Pure; hot path."""

from __future__ import annotations

from collections.abc import Sequence

from domain.derivation.dependencies.book import Book
from domain.derivation.dependencies.watch import ANY_PORT
from domain.telemetry.model.columns import Readings


def windows_touched(book: Book, *, readings: Readings, places: Sequence[int]) -> dict[bytes, tuple[int, int]]:
    """Return the first and the last timestamp at which readings touch each entity that derives or is watched. Hot path.

    places: of the readings that count. The book knows their devices.
    """
    touched: dict[bytes, tuple[int, int]] = {}
    devices, passages_of = readings.devices, book.passages_of
    ports, timestamps = readings.ports.tolist(), readings.timestamps.tolist()
    for i in places:
        for passage in passages_of(devices[i]):
            at = timestamps[i]
            if passage.port not in (ports[i], ANY_PORT) or not passage.begins_us <= at < passage.ends_us:
                continue
            span = touched.get(passage.entity)
            if span is None:
                touched[passage.entity] = (at, at)
            elif at < span[0]:
                touched[passage.entity] = (at, span[1])
            elif at > span[1]:
                touched[passage.entity] = (span[0], at)
    return touched
