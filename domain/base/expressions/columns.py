"""Inputs and results of expressions, in columns; and the functions on numbers. Pure; hot path.

Every part of an expression has a value in some rows and none in others. Why it has none is noted where that comes up,
and counts in the end only in those rows in which the whole expression has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
# Whether each of these points (longitude, latitude; degrees) lies in an area.
Area = Callable[[Numbers, Numbers], Truths]


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute by row, dictionary-encoded: its distinct values, and by row the index of its value.

    values: as JSON has them; None where there is no such attribute.
    """

    values: Sequence[Any]
    of: NDArray[np.intp]


@dataclass(slots=True)
class Rows:
    """The input rows of an expression. metrics: finite numbers by name. areas: by external id, those there are."""

    count: int
    metrics: Mapping[str, Numbers]
    attributes: Mapping[tuple[str, ...], Attribute] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    faults: list[tuple[Truths, str]] = field(default_factory=list)

    def fault(self, where: Truths, message: str) -> None:
        """Note why a part has no value in these rows."""
        if bool(where.any()):
            self.faults.append((where, message))


@dataclass(frozen=True, slots=True)
class Part:
    """A part's values by row, numbers, truths or texts, and in which rows it has one."""

    values: NDArray[Any]
    has: Truths


Evaluation = Callable[[Rows], Part]
Function = Callable[..., Numbers]


def _least(*columns: Numbers) -> Numbers:
    least: Numbers = np.minimum.reduce(columns)
    return least


def _greatest(*columns: Numbers) -> Numbers:
    greatest: Numbers = np.maximum.reduce(columns)
    return greatest


def _rounded(values: Numbers) -> Numbers:
    """Round to the nearest whole number, halves away from zero."""
    return np.trunc(values + np.copysign(np.nextafter(0.5, 0.0), values))


ANY_NUMBER: Final = -1
# By name: how many numbers it takes, at least one for ANY_NUMBER, and what it makes of them.
FUNCTIONS: Final[Mapping[str, tuple[int, Function]]] = {
    "_+_": (2, np.add),
    "_-_": (2, np.subtract),
    "_*_": (2, np.multiply),
    "_/_": (2, np.divide),
    "_%_": (2, np.fmod),
    "-_": (1, np.negative),
    "abs": (1, np.abs),
    "ceil": (1, np.ceil),
    "floor": (1, np.floor),
    "round": (1, _rounded),
    "sign": (1, np.sign),
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "ln": (1, np.log),
    "log10": (1, np.log10),
    "pow": (2, np.power),
    "min": (ANY_NUMBER, _least),
    "max": (ANY_NUMBER, _greatest),
}
RELATIONS: Final[Mapping[str, Callable[..., Truths]]] = {
    "_<_": np.less,
    "_<=_": np.less_equal,
    "_>_": np.greater,
    "_>=_": np.greater_equal,
    "_==_": np.equal,
    "_!=_": np.not_equal,
}
# As the caller wrote it.
SIGNS: Final[Mapping[str, str]] = {
    "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "-_": "-", "_<_": "<", "_<=_": "<=", "_>_": ">",
    "_>=_": ">=", "_==_": "==", "_!=_": "!=", "_&&_": "&&", "_||_": "||", "!_": "!", "_?_:_": "? :", "@in": "in",
}  # fmt: skip
