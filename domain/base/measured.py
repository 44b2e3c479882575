"""Measurements for monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One number, under a name and labels as Prometheus has them; a name that ends in _total only rises."""

    name: str
    labels: Mapping[str, str]
    value: float
