"""Cycles of formulas across a type and a profile are refused by whichever change would close them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.derivation.formulas.formulas import MEMBER
from graph.errors import BadInputError
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from tests.domain.derivation.formulas.test_profiles import edit, make, profile

HOUR = timedelta(hours=1)
T = [NOW - 9 * HOUR + n * HOUR for n in range(9)]


def test_a_circle_across_a_type_and_a_profile_is_refused(plant: DerivingPlant) -> None:
    plant.formulas({"mine": {"formula": "other + 1.0"}}, since=T[2])
    loose = profile(plant, {})
    make(plant, loose)
    with pytest.raises(BadInputError) as refused:
        edit(plant, loose, {"other": {"formula": "mine + 1.0"}}, since=T[0])
    assert refused.value.path[0] == "formulas"
    unrelated = profile(plant, {"third": {"formula": "mine + 1.0"}}, name="Q")
    make(plant, unrelated)
    with pytest.raises(BadInputError) as refused:
        plant.formulas({"mine": {"formula": "third + 1.0"}}, since=T[4])
    assert refused.value.path[:2] == ("telemetrySchema", MEMBER)
