"""The context of resolvers (`info.context`): one per operation, never shared."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.names import NameKind
from gql.access.bridge import confined
from gql.access.principal import Principal
from gql.base.services import Services
from gql.base.transactions import DocumentTransaction
from gql.errors import CostLimitError, UnauthenticatedError
from graph.change import GraphChange, graph_change_begin
from graph.errors import BeyondScopeError
from graph.stopping import Stop
from graph.texts import text_nfc
from graph.walk.scopes import ScopedIds

T = TypeVar("T")

UNMATCHED_MAX: Final = 5
_OUTSIDE: Final = (
    "This token is confined to what lies below some entities, and what it creates has to lie there, too: an asset or a "
    "space with its parentId, an activity with its targetIds."
)


@dataclass(slots=True)
class Context:
    """One operation.

    loaders: its batch loaders by what they batch, made when first asked for (see `gql/base/loaders.py`).
    stop: ends what is done for it.
    cost_max, cost_left: what it may cost, and what of that is left for lists that turn out longer than their bound
        (`gql/server/bounds.py`).
    transaction: that of an operation with `@transaction`; None: each mutation is one of its own.
    unmatched: names in its arguments that matched nothing, with their paths; they may be misspelt.
    """

    services: Services
    bearer: Principal | None
    trace_id: str
    transport: str
    loaders: dict[Hashable, Any] = field(default_factory=dict)
    stop: Stop = field(default_factory=Stop)
    cost_max: float = math.inf
    cost_left: float = math.inf
    transaction: DocumentTransaction | None = None
    unmatched: dict[tuple[NameKind, str], tuple[str, ...]] = field(default_factory=dict)

    def charge(self, cost: float) -> None:
        """Charge an answer's cost beyond the document's estimate. Raises CostLimitError where that is too much."""
        self.cost_left -= cost
        if self.cost_left < 0:
            message = "The answer is longer than the operation's cost allows: ask for less at once."
            raise CostLimitError(message, cost=self.cost_max - self.cost_left, cost_max=self.cost_max)

    def unmatched_add(self, kind: NameKind, name: str, *path: str) -> None:
        """Note that a name matched nothing; of at most UNMATCHED_MAX names. path: of the argument that has it."""
        if len(self.unmatched) < UNMATCHED_MAX:
            self.unmatched.setdefault((kind, text_nfc(name)), path)

    def unmatched_add_all(self, kind: NameKind, names: Sequence[str] | None, *path: str) -> None:
        """Note that the names of a list matched nothing. path: of the list."""
        for place, name in enumerate(names or ()):
            self.unmatched_add(kind, name, *path, str(place))

    @property
    def principal(self) -> Principal:
        """The caller; every root field but introspection has been permitted to one."""
        if self.bearer is None:
            raise UnauthenticatedError("A bearer token is needed: Authorization: Bearer TOKEN.")
        return self.bearer

    @property
    def organization_id(self) -> int:
        """The caller's organization."""
        return self.principal.organization_id

    async def read(self, work: Callable[..., T], **arguments: Any) -> T:
        """Return `work(session, organization_id=..., **arguments)`, run in a separate transaction."""
        principal = self.principal
        read = partial(work, organization_id=principal.organization_id, **arguments)
        if self.transaction is not None and not self.transaction.is_made:
            return await self.transaction.run(read)
        with self._denied_noted():
            return await self.services.bridge.run(principal.organization_id, read, self.stop, under=principal.under)

    async def change(self, work: Callable[[Session, GraphChange], T], *, reason: str | None = None) -> T:
        """Return `work(session, change)` after it is committed: one change of the caller's graph.

        Raises ArgusError; nothing is changed then: also BeyondScopeError where a confined caller would create
        what it could not see.
        """
        principal = self.principal

        def run(session: Session) -> T:
            scoped = None if principal.under is None else ScopedIds(session, self.services.new_id)
            change = graph_change_begin(
                session,
                organization_id=principal.organization_id,
                actor=principal.actor,
                new_id=scoped or self.services.new_id,
                record_id=self.services.new_id,
                reason=reason,
            )
            if principal.under is None or scoped is None:
                return work(session, change)
            # After the change has begun: nothing leaves or enters the scope while it is made.
            with confined(session, organization_id=principal.organization_id, under=principal.under):
                changed = work(session, change)
                if scoped.outside(organization_id=principal.organization_id):
                    raise BeyondScopeError(_OUTSIDE)
                return changed

        if self.transaction is not None:
            changed = await self.transaction.run(run)
        else:
            with self._denied_noted():
                changed = await self.services.bridge.run(principal.organization_id, run, self.stop)
        # What was read before may be otherwise now: the next mutation of the document reads it again.
        self.loaders.clear()
        return changed

    @contextmanager
    def _denied_noted(self) -> Iterator[None]:
        try:
            yield
        except BeyondScopeError as error:
            self.services.denials.note(self.principal, field="beyond the scope", message=error.message)
            raise


Info = strawberry.Info[Context, None]
