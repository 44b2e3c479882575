"""The content of a body, whatever its form: drafts of readings with their places, and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.telemetry.model.readings import ReadingDraft, UserError


@dataclass(slots=True)
class Sent:
    """readings[i] stood at places[i] in the body. errors: parts that are no reading; they count as rejected.

    names: what the form calls a reading's arguments, where it differs, for the paths of errors.
    """

    readings: list[ReadingDraft] = field(default_factory=list)
    places: list[tuple[str, ...]] = field(default_factory=list)
    errors: list[UserError] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)

    def add(self, reading: ReadingDraft, *place: str) -> None:
        """Append a reading."""
        self.readings.append(reading)
        self.places.append(place)

    def refuse(self, code: str, message: str, *place: str) -> None:
        """Add an error for a part that is no reading."""
        self.errors.append(UserError(code, message, place))

    def located_errors(self, errors: Sequence[UserError]) -> list[UserError]:
        """Return all errors with the paths of the body; those of acceptance name (readings, place, argument)."""
        placed = [
            UserError(
                error.code,
                error.message,
                (*self.places[int(error.path[1])], *(self.names.get(name, name) for name in error.path[2:])),
            )
            for error in errors
        ]
        return [*self.errors, *placed]
