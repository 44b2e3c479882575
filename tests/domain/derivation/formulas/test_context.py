"""Attributes of many entities at many instants, and faults of many."""

from __future__ import annotations

import numpy as np

from domain.base.packed import Column
from domain.derivation.formulas.context import FormulaContext, History
from domain.derivation.formulas.derive import Fault, State, derive
from domain.derivation.formulas.formulas import FormulaSet, formulas_of
from domain.telemetry.model.attribution import BEGIN_US, END_US

KEY = ("pump", "size")
HISTORIES: list[History] = [
    History((10, 20, 30), ({"pump": {"size": 1}}, {"pump": {"size": 2}}, {"pump": "none"})),
    History((15,), ({"pump": {"size": 3}},)),
    History((5, 25), ({}, {"pump": {"size": 4}})),
]
# By entity: every instant of interest, and what its attribute is there.
EXPECTED: list[dict[int, int | None]] = [
    {0: 1, 10: 1, 19: 1, 20: 2, 29: 2, 30: None, 99: None},
    {0: 3, 15: 3, 99: 3},
    {0: None, 5: None, 24: None, 25: 4, 26: 4},
]
OF = np.array([n for n, instants in enumerate(EXPECTED) for _ in instants], dtype=np.int64)
AT = np.array([at for instants in EXPECTED for at in instants], dtype=np.int64)
WANTED = [value for instants in EXPECTED for value in instants.values()]


def test_each_entity_has_its_attributes_as_recorded_at_each_instant() -> None:
    attributes = FormulaContext(HISTORIES).attributes(frozenset({KEY}), OF, AT)[KEY]
    assert [attributes.values[n] for n in attributes.of.tolist()] == WANTED
    # An entity of which there is no row is passed over.
    of_last = OF == 2
    attributes = FormulaContext(HISTORIES).attributes(frozenset({KEY}), OF[of_last], AT[of_last])[KEY]
    assert [attributes.values[n] for n in attributes.of.tolist()] == list(EXPECTED[2].values())


def test_each_entity_has_its_last_fault() -> None:
    formulas = formulas_of({"derived": {"y": {"formula": "x / attributes.pump.size"}}})
    outcome = derive(
        sets=[FormulaSet(BEGIN_US, END_US, formulas, 1)],
        inputs={"x": Column(OF, AT, np.full(len(AT), 12.0))},
        begins_us=np.zeros(3, dtype=np.int64),
        ends_us=np.full(3, 100, dtype=np.int64),
        states=[State()] * 3,
        formula_context=FormulaContext(HISTORIES),
    )
    assert outcome.outputs["y"].values.tolist() == [12.0 / value for value in WANTED if value is not None]
    message = "There is no attribute pump.size."
    assert outcome.faults == [Fault(0, "y", 99, message), Fault(2, "y", 24, message)]
