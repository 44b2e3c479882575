"""Names that are like one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Final

# Comparing takes about 20 us a name.
NAMES_COMPARED_MAX: Final = 5_000
_LENGTH_MAX: Final = 100
_SHOWN_MAX: Final = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that ends a message about an unknown name, with a space before it; "" where none is like it.

    Case does not count. At most NAMES_COMPARED_MAX names are compared.

    >>> did_you_mean("FEED", ["CONTAINS", "FEEDS"])
    " Did you mean 'FEEDS'?"
    >>> did_you_mean("temprature", ["Temperature", "supply_temperature", "humidity"])
    " Did you mean 'Temperature' or 'supply_temperature'?"
    >>> did_you_mean("x", ["y"])
    ''
    """
    if len(name) > _LENGTH_MAX:
        return ""
    by_folded = {other.casefold(): other for other in islice(known, NAMES_COMPARED_MAX) if len(other) <= _LENGTH_MAX}
    near = [f"'{by_folded[folded]}'" for folded in get_close_matches(name.casefold(), by_folded, n=_SHOWN_MAX)]
    if not near:
        return ""
    return f" Did you mean {' or '.join([', '.join(near[:-1]), near[-1]] if len(near) > 1 else near)}?"
