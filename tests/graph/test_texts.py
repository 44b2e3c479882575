"""Cleaning external text for storage."""

from __future__ import annotations

import pytest

from graph.json_bounds import text_is_storable
from graph.texts import text_clean


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("a\0b", "a�b"),
        ("\ud800x\udfff", "�x�"),
        ("ok \U0001f600", "ok \U0001f600"),
        ("x" * 11, "x" * 7 + "..."),
        ("\0" * 20, "�" * 7 + "..."),
        ("", ""),
    ],
)
def test_unstorable_characters_are_replaced_and_long_text_is_cut(given: str, expected: str) -> None:
    cleaned = text_clean(given, max_chars=10)
    assert cleaned == expected
    assert text_is_storable(cleaned)
