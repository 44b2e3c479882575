"""Errors of edges."""

from graph.errors import ArgusError


class OverlapError(ArgusError):
    """The same fact is already believed for a part of that time."""

    code = "OVERLAP"


class CycleError(ArgusError):
    """An entity would be below itself."""

    code = "CYCLE"


class KindNotAllowedError(ArgusError):
    """The relationship does not connect these kinds of entity."""

    code = "KIND_NOT_ALLOWED"
