"""Formulas in columns: 100,000 rows of two inputs, 1,000 entities of one type.

The reference is the CEL library's own evaluation, row by row, in the same run; beside it the sum that says the same.

    python -m benchmarks.formulas
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from cel_expr_python import cel

from domain.derivation.derive import Column, State, derive
from domain.derivation.formulas import FormulaSet, formulas_of
from domain.derivation.surroundings import History, Surroundings
from domain.derivation.versions import FIRST
from domain.telemetry.attribution import BEGIN_US, END_US

ENTITIES, ROWS = 1_000, 100
ROWS_BY_LIBRARY = 20_000
FORMULAS: dict[str, dict[str, Any]] = {
    "sum": {"sum": {"a": 2, "b": -1}},
    "formula": {"formula": "a * 2.0 - b"},
    "formula with a condition": {"formula": "a > 50.0 && b > 10.0 ? (a - b) * 1.5 : 0.0"},
    "formula with attributes": {"formula": "a * attributes.factor - b"},
}


def seconds(work: Callable[[], Any]) -> float:
    """Return the median of five runs."""
    spent = []
    for _ in range(5):
        began_s = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began_s)
    return statistics.median(spent)


def main() -> None:
    """Run the benchmark."""
    rng = np.random.default_rng(1)
    of = np.repeat(np.arange(ENTITIES), ROWS)
    at = np.tile(np.arange(ROWS) * 1_000_000, ENTITIES).astype(np.int64)
    inputs = {name: Column(of, at, rng.uniform(0, 100, len(of))) for name in "ab"}
    surroundings = Surroundings([History((BEGIN_US,), ({"factor": n},)) for n in range(ENTITIES)])
    rows = [{"a": a, "b": b} for a, b in zip(*(inputs[name].values.tolist() for name in "ab"), strict=True)]
    environment = cel.NewEnv(variables={"a": cel.Type.DOUBLE, "b": cel.Type.DOUBLE})
    print(f"{len(of):,} rows, {ENTITIES:,} entities; by the library {ROWS_BY_LIBRARY:,} of the rows")
    for name, formula in FORMULAS.items():
        sets = [FormulaSet(BEGIN_US, END_US, formulas_of({"derived": {"m": formula}}), FIRST)]

        def columns(sets: list[FormulaSet] = sets) -> None:
            begins, ends = np.zeros(ENTITIES, np.int64), np.full(ENTITIES, 2**50, np.int64)
            outcome = derive(
                sets=sets,
                inputs=inputs,
                begins_us=begins,
                ends_us=ends,
                states=[State()] * ENTITIES,
                surroundings=surroundings,
            )
            assert len(outcome.outputs["m"]) == len(of)

        ours = len(of) / seconds(columns)
        line = f"{name:<26} {ours:12,.0f} rows/s"
        if "formula" in formula and "attributes" not in str(formula):
            program = environment.compile(str(formula["formula"]))

            def by_row(program: Any = program) -> None:
                for row in rows[:ROWS_BY_LIBRARY]:
                    program.eval(data=row).value()

            theirs = ROWS_BY_LIBRARY / seconds(by_row)
            line += f"; by the library, row by row {theirs:10,.0f} rows/s, ratio {ours / theirs:.1f}"
        print(line)


if __name__ == "__main__":
    main()
