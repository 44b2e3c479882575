"""Code and path of the error that a refused call raises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from graph.errors import ArgusError


def fault_of(call: Callable[[], object]) -> tuple[str, tuple[str, ...]]:
    """Return code and path of the error that the call raises."""
    with pytest.raises(ArgusError) as fault:
        call()
    assert len(fault.value.message) > 10
    assert fault.value.message.endswith((".", "]"))
    return fault.value.code, fault.value.path
