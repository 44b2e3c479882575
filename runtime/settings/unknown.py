"""Variables of the environment that look like settings of Argus and are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from runtime.settings.compose import COMPOSE_SETTINGS
from runtime.settings.declaration import PREFIX
from runtime.settings.table import SETTINGS


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable that looks like a setting and is none. nearest: the known one that was probably meant."""

    name: str
    nearest: str | None

    def __str__(self) -> str:
        """Return a sentence for the operator."""
        meant = "" if self.nearest is None else f" Did you mean {self.nearest}?"
        return f"{self.name} is no setting of Argus and has no effect.{meant}"


def variables_unknown(names: Iterable[str]) -> list[UnknownVariable]:
    """Return those of an environment's names that begin like a setting of Argus and are none, by name.

    Variables of docker-compose.yml are known, because they are in the same .env file, but are no settings to suggest.
    """
    suggested = [item.name for item in SETTINGS]
    known = {*suggested, *(item.name for item in COMPOSE_SETTINGS)}
    return [
        UnknownVariable(name, next(iter(get_close_matches(name, suggested, n=1, cutoff=0.7)), None))
        for name in sorted(names)
        if name.startswith(PREFIX) and name not in known
    ]
