"""Hints beside an answer: names that match nothing and are like others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from domain.nodes.names import NameKind, names_used
from gql.base.context import Context
from graph.errors import ArgusError
from graph.nearest import did_you_mean

# For so long it is remembered which names are in use, and what was found of one that matched nothing.
REMEMBERED_S: Final = 60.0
REMEMBERED_MAX: Final = 10_000
# An answer waits no longer for its hints.
PATIENCE_S: Final = 1.0
# What is true of the answer itself: what was remembered of names may be a minute old.
_SUBJECTS: Final = {
    NameKind.TYPE: "Nothing matched the type",
    NameKind.STATUS: "Nothing matched the status",
    NameKind.METRIC: "Nothing matched the metric",
}
# Of which organization and access scope, and what.
_Unmatched = tuple[int, tuple[UUID, ...] | None, NameKind, str]

_log = structlog.get_logger(__name__)


class Hints:
    """Finds what may have been meant. It remembers, so that a query that is repeated costs no statement."""

    def __init__(self, monotonic_s: Callable[[], float] = monotonic) -> None:
        self._monotonic_s = monotonic_s
        # By name, until when it holds, and the hint; "": none.
        self._by_name: OrderedDict[_Unmatched, tuple[float, str]] = OrderedDict()
        # Organizations whose names took too long to read, until when they are not read again.
        self._paused: dict[int, float] = {}

    async def of(self, context: Context) -> list[dict[str, Any]]:
        """Return hints for the names of an operation that matched nothing. One statement for each kind of name."""
        principal = context.principal
        unmatched = {
            (principal.organization_id, principal.under, kind, name): path
            for (kind, name), path in context.unmatched.items()
        }
        now_s = self._monotonic_s()
        unknown = [key for key in unmatched if self._by_name.get(key, (0.0, ""))[0] <= now_s]
        if unknown and self._paused.get(context.organization_id, 0.0) <= now_s:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    hints = await context.read(_look, names=[(kind, name) for _, _, kind, name in unknown])
            except (TimeoutError, ArgusError) as error:
                _log.debug("graphql.no_hints", trace_id=context.trace_id, reason=str(error))
                self._paused[context.organization_id] = now_s + REMEMBERED_S
                return []
            for key, hint in zip(unknown, hints, strict=True):
                self._by_name[key] = (now_s + REMEMBERED_S, hint)
            while len(self._by_name) > REMEMBERED_MAX:
                self._by_name.popitem(last=False)
        looked_up = ((self._by_name[key][1], path) for key, path in unmatched.items() if key in self._by_name)
        return [{"message": hint, "argumentPath": list(path)} for hint, path in looked_up if hint]


def _look(session: Session, *, organization_id: int, names: Sequence[tuple[NameKind, str]]) -> list[str]:
    used = {kind: names_used(session, organization_id=organization_id, kind=kind) for kind in {k for k, _ in names}}
    hints = []
    for kind, name in names:
        near = "" if name in used[kind] else did_you_mean(name, used[kind])
        hints.append(f"{_SUBJECTS[kind]} {name!r}.{near}" if near else "")
    return hints
