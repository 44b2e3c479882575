"""Cells of a table: values, absent ones, and what is nearly a number and is not guessed."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exchange.tables.cells import CellError, CellForm


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1), (" -3 ", -3), ("+7", 7), ("21.5", 21.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-0", 0),
        ("true", True), ("FALSE", False), ("on", "on"), ("open 2", "open 2"), ("v1", "v1"), ("0x1F", "0x1F"),
        ("9007199254740993", 9007199254740992.0), ("1e-400", 0.0),
    ],
)  # fmt: skip
def test_values(cell: str, value: object) -> None:
    read = CellForm().value(cell)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "cell",
    ["", " ", "NA", "n/a", "#N/A", "NaN", "-nan", "-NaN(ind)", "1.#QNAN", "null", "None", "unavailable", "#DIV/0!"],
)
def test_absent(cell: str) -> None:
    assert CellForm().value(cell) is None


@pytest.mark.parametrize(
    "cell", ["1_000", "1,000", "21,5", "1 000", "1'000", "٢١", "２１", "1.2.3", "50 %", "1e400", "-1e999", "inf", "-Infinity", "−5"]  # noqa: RUF001
)  # fmt: skip
def test_what_is_nearly_a_number_is_not_guessed(cell: str) -> None:
    with pytest.raises(CellError, match=cell):
        CellForm().value(cell)


def test_a_long_text_of_digits_is_read_in_no_time() -> None:
    # Took minutes, for the digits were divided in every way.
    text = "1 " * 50_000 + "x"
    begin_s = perf_counter()
    assert CellForm().value(text) == text
    assert perf_counter() - begin_s < 1


def test_a_decimal_comma_by_option_alone() -> None:
    with pytest.raises(CellError, match="--decimal ,"):
        CellForm().value("21,5")
    form = CellForm(decimal=",")
    assert [form.value(cell) for cell in ("21,5", "-3", ",5", "1,5e3")] == [21.5, -3, 0.5, 1500.0]
    for cell in ("21.5", "1.000,5", "1.000"):
        with pytest.raises(CellError, match=cell):
            form.value(cell)


def test_further_texts_that_mean_no_value() -> None:
    assert CellForm(absent={"---", "-9999"}).value(" -9999 ") is None
    assert CellForm().value("-9999") == -9999
    assert CellForm().value("---") == "---"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_was_written(value: float) -> None:
    assert CellForm().value(repr(value)) == value
    assert CellForm(decimal=",").value(repr(value).replace(".", ",")) == value
