"""JSON in a database, read and written through an engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from graph.json_bounds import json_object_check
from runtime.json_values import json_read, json_write


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("1e21", 1e21),
        (str(10**21), 1e21),
        (str(2**64), float(2**64)),
        (str(2**64 - 1), 2**64 - 1),
        (str(-(2**63)), -(2**63)),
        (str(-(2**63) - 1), -float(2**63)),
        ("9007199254740993", 9007199254740993),
        ("1e-400", 0.0),
        ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
        ("1" + "0" * 400, Decimal("1e400")),
        ("-1" + "0" * 5000, Decimal("-1e5000")),
        (f"[{'9' * 400}, {2**64}, {2**63}, 1.5]", [Decimal("9" * 400), float(2**64), 2**63, 1.5]),
    ],
)
def test_stored_numbers_are_read(engine: Callable[[str], Engine], stored: str, value: Any) -> None:
    with engine("owner").connect() as connection:
        stored_value = connection.scalar(text("SELECT CAST(:stored AS jsonb)"), {"stored": stored})
        plain = connection.scalar(text("SELECT CAST(:stored AS json)"), {"stored": stored})
    for read in (stored_value, plain):
        assert read == value
        assert type(read) is type(value)


def test_half_of_a_surrogate_pair_in_plain_json_is_read(engine: Callable[[str], Engine]) -> None:
    with engine("owner").connect() as connection:
        assert connection.scalar(text("""SELECT '{"a": "\\ud800"}'::json""")) == {"a": "\ud800"}


def test_numbers_out_of_range_are_written_back_as_text() -> None:
    assert json.loads(json_write({"a": Decimal("1e400"), "b": 1.5})) == {"a": "1E+400", "b": 1.5}
    with pytest.raises(TypeError, match="object is not JSON"):
        json_write({"a": object()})


_NUMBERS = (
    st.integers(min_value=-(2**1023), max_value=2**1023)
    | st.integers(min_value=-(2**64), max_value=2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
)


def test_accepted_values_are_returned_unchanged(engine: Callable[[str], Engine]) -> None:
    round_trip = text("SELECT CAST(:value AS jsonb)")

    with engine("owner").connect() as connection:

        @given(st.lists(_NUMBERS, min_size=1, max_size=20))
        def holds(numbers: list[float]) -> None:
            stored = json_object_check({"v": numbers}, path=("attributes",))
            # What is stored is what was sent: exactly within 64 bits, else as a double.
            assert [float(number) for number in stored["v"]] == [float(number) for number in numbers]
            for sent, stored_number in zip(numbers, stored["v"], strict=True):
                if isinstance(sent, int) and -(2**63) <= sent < 2**64:
                    assert stored_number == sent
            read = connection.execute(round_trip, {"value": json_write(stored)}).scalar_one()
            assert read == stored
            assert json_read(json_write(stored)) == stored
            kinds = [type(number) for number in stored["v"]]
            assert [type(number) for number in read["v"]] == kinds

        holds()
