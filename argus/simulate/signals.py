"""Signals of simulated devices: a daily swing, slow drift, noise; and transmission faults. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

DAY_S: Final = 86_400.0
# A drift's mean way back per reading; without it a walk of noise never ends.
_PULL: Final = 0.02


@dataclass(frozen=True, slots=True)
class Faults:
    """Fault rates per reading: late (sent minutes after its time), twice, or not at all."""

    late: float = 0.05
    duplicates: float = 0.02
    gaps: float = 0.03


@dataclass(slots=True)
class SimulatedDevice:
    """A device with its signals by port: metric -> (mean, daily swing, noise)."""

    external_id: str
    signals: Mapping[str, Mapping[str, Any]]
    booleans: frozenset[str] = frozenset({"presence", "firing"})
    _drift: dict[tuple[str, str], float] = field(default_factory=dict)

    def readings(self, at: datetime, random: Random) -> list[dict[str, Any]]:
        """Return one reading per port, as of an instant."""
        return [
            {
                "externalId": self.external_id,
                "timestamp": at.isoformat(timespec="milliseconds"),
                "metrics": {
                    metric: self._value(port, metric, signal, at, random) for metric, signal in signals.items()
                },
                **({"port": int(port)} if port else {}),
            }
            for port, signals in self.signals.items()
        ]

    def _value(self, port: str, metric: str, signal: Any, at: datetime, random: Random) -> float | bool:
        mean, swing, noise = (float(part) for part in signal)
        drift = self._drift.get((port, metric), 0.0) * (1 - _PULL) + random.gauss(0.0, noise / 2)
        self._drift[port, metric] = drift
        phase = at.timestamp() % DAY_S / DAY_S
        value = mean + swing * math.sin(2 * math.pi * (phase - 0.3)) + drift + random.gauss(0.0, noise)
        if metric in self.booleans:
            return value > mean
        return round(value, 3)
