"""Formulas in columns: 100,000 instants of two inputs, of 1,000 entities of one type.

Once the inputs come together, as those of one reading do, and once alternately, so that they are carried forward. The
references, alternately in the same run: the CEL library, row by row, on values already brought together; and a sum.

    python -m benchmarks.formulas
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from cel_expr_python import cel

from domain.base.packed import Column
from domain.definitions.processors.versions import FIRST
from domain.derivation.formulas.context import FormulaContext, History
from domain.derivation.formulas.derive import State, derive
from domain.derivation.formulas.formulas import FormulaSet, formulas_of
from domain.telemetry.model.attribution import BEGIN_US, END_US

ENTITIES, ROWS = 1_000, 100
ROWS_BY_LIBRARY: Final = 5_000
ROUNDS: Final = 9
SECOND_US: Final = 1_000_000
SUM: Final = "sum"
FORMULAS: dict[str, dict[str, Any]] = {
    SUM: {"sum": {"a": 2, "b": -1}},
    "formula": {"formula": "a * 2.0 - b"},
    "with a condition": {"formula": "a > 50.0 && b > 10.0 ? (a - b) * 1.5 : 0.0"},
    "with attributes": {"formula": 'attributes.kind == "x" ? a * attributes.factor - b : a'},
}


def least(works: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the least processor time of each, in seconds, of rounds in which each runs once."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            began_s = time.process_time()
            work()
            spent[name].append(time.process_time() - began_s)
    return {name: min(times) for name, times in spent.items()}


def columns(formula: Mapping[str, Any], inputs: Mapping[str, Column], rows: int) -> Callable[[], None]:
    sets = [FormulaSet(BEGIN_US, END_US, formulas_of({"derived": {"m": formula}}), FIRST)]
    attributes = [{"factor": n, "kind": "xy"[n % 2]} for n in range(ENTITIES)]
    formula_context = FormulaContext([History((BEGIN_US,), (value,)) for value in attributes])
    begins, ends = np.zeros(ENTITIES, np.int64), np.full(ENTITIES, 2**50, np.int64)

    def work() -> None:
        outcome = derive(
            sets=sets,
            inputs=inputs,
            begins_us=begins,
            ends_us=ends,
            states=[State()] * ENTITIES,
            formula_context=formula_context,
        )
        assert len(outcome.outputs["m"]) == rows

    return work


def by_row(formula: Mapping[str, Any], rows: list[dict[str, Any]]) -> Callable[[], None]:
    variables = {"a": cel.Type.DOUBLE, "b": cel.Type.DOUBLE, "attributes": cel.Type.DYN}
    program = cel.NewEnv(variables=variables).compile(str(formula["formula"]))

    def work() -> None:
        for row in rows:
            program.eval(data=row).value()

    return work


def main() -> None:
    """Run the benchmark."""
    rng = np.random.default_rng(1)
    of, at = np.repeat(np.arange(ENTITIES), ROWS), np.tile(np.arange(ROWS) * SECOND_US, ENTITIES)
    together = {name: Column(of, at, rng.uniform(0, 100, len(of))) for name in "ab"}
    # The first instant of each entity has no value of b yet.
    alternating = {name: column.take(at // SECOND_US % 2 == n) for n, (name, column) in enumerate(together.items())}
    read = zip(of[:ROWS_BY_LIBRARY].tolist(), *(c.values.tolist() for c in together.values()), strict=False)
    rows = [{"a": a, "b": b, "attributes": {"factor": float(n), "kind": "xy"[n % 2]}} for n, a, b in read]
    print(f"{len(of):,} instants, {ENTITIES:,} entities; by the library {ROWS_BY_LIBRARY:,} rows")
    library = {name: by_row(formula, rows) for name, formula in FORMULAS.items() if name != SUM}
    for title, inputs, count in (("together", together, len(of)), ("alternating", alternating, len(of) - ENTITIES)):
        ours = {name: columns(formula, inputs, count) for name, formula in FORMULAS.items()}
        spent = least({**ours, **{f"library: {name}": work for name, work in library.items()}})
        for name in ours:
            line = f"{title:<9} {name:<17} {len(of) / spent[name]:12,.0f} rows/s"
            line += f", {spent[name] / spent[SUM]:5.2f} of a sum's time"
            if name in library:
                theirs = ROWS_BY_LIBRARY / spent[f"library: {name}"]
                line += f"; library {theirs:9,.0f} rows/s, ratio {len(of) / spent[name] / theirs:6.1f}"
            print(line)


if __name__ == "__main__":
    main()
