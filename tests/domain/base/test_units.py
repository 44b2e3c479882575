"""Units: known codes and conversion of values."""

from __future__ import annotations

import subprocess
import sys

import pytest

from domain.base.units import IDENTITY, UnitError, unit_check, unit_conversion


@pytest.mark.parametrize(
    "code", ["Cel", "[degF]", "kW.h", "m3/h", "%", "1", "{count}", "/min", "m.s-1", "[ppm]", "[pH]"]
)
def test_codes(code: str) -> None:
    unit_check(code)
    assert unit_conversion(code, code) == IDENTITY


@pytest.mark.parametrize("code", ["", "°C", "foo", "m/", "kW h", "cel", "var", "m\0"])
def test_no_codes(code: str) -> None:
    with pytest.raises(UnitError, match="no UCUM code"):
        unit_check(code)
    with pytest.raises(UnitError, match="no UCUM code"):
        unit_conversion("Cel", code)


@pytest.mark.parametrize(
    ("from_", "to", "value", "converted"),
    [
        ("[degF]", "Cel", 212, 100),
        ("[degF]", "Cel", -40, -40),
        ("Cel", "[degF]", 36.5, 97.7),
        ("K", "Cel", 0, -273.15),
        ("Cel", "K", 20, 293.15),
        ("[degF]", "K", 32, 273.15),
        ("kPa", "Pa", 101.325, 101_325),
        ("Pa", "kPa", 3, 0.003),
        ("W.h", "kJ", 1, 3.6),
        ("L/min", "m3/h", 50, 3),
        ("%", "1", 7, 0.07),
        ("Hz", "/min", 2, 120),
        ("{count}", "1", 5, 5),
        ("10*3", "1", 5, 5_000),
    ],
)
def test_conversions(from_: str, to: str, value: float, converted: float) -> None:
    assert unit_conversion(from_, to)(value) == converted


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        ("m", "s"),
        ("Cel", "1"),
        ("dB", "1"),
        ("dB[W]", "W"),
        ("[pH]", "1"),
        ("'", "min"),
        ("mol", "1"),
        ("J/Cel", "kJ/K"),
        ("10*99999", "1"),
        ("10*999", "1"),
    ],
)
def test_impossible_conversions(from_: str, to: str) -> None:
    with pytest.raises(UnitError, match="cannot become"):
        unit_conversion(from_, to)


def test_the_angle_goes_by_pi() -> None:
    assert unit_conversion("deg", "rad")(180) == pytest.approx(3.141592653589793, rel=1e-15)


def test_the_libraries_are_imported_when_they_are_needed() -> None:
    code = (
        "import sys, domain.base.units, domain.configuration.entity_types.operations, domain.pipeline.normalize.stage\n"
        "print(sorted({'pint', 'lark', 'ucumvert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
