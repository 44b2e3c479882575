"""Several mutations of one document in one transaction: the directive `@transaction`.

The mutations are carried out first, one after the other, in one transaction that stays open between them; what they
select is read when it has committed. So nobody reads what is taken back, and a selection costs no lock.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from graphql import (
    DirectiveLocation,
    GraphQLDirective,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLSchema,
)
from sqlalchemy.orm import Session

from gql.access.bridge import Bridge
from graph.errors import ArgusError, BadInputError, ConflictError
from graph.stopping import Stop

T = TypeVar("T")
Resolver = Callable[..., Any]

TRANSACTION: Final = GraphQLDirective(
    "transaction",
    [DirectiveLocation.MUTATION],
    description=(
        "All mutations of the operation are one transaction: if one of them is refused, none is made,"
        " `data` is null, and `errors` has what was refused, each with the path of its mutation. An id may be"
        " `@ALIAS`: that of what the mutation with this alias, further up, has created. For mutations of the graph and"
        " its configuration by callers that are not confined; ingest, replays and what is sent elsewhere are refused."
    ),
)
# Write elsewhere than in the one transaction, or in several.
SEPARATE: Final = frozenset(
    {
        "cancelReplay", "compareShadow", "discardDeadLetters", "dropShadow", "endOwnSessions", "endSessions",
        "ingestTelemetry", "promoteProcessor", "replayTelemetry", "retryDeadLetters", "retryFailedItems",
        "retryNotification", "rotateWebhookSecret", "testRule", "testWebhook",
    }
)  # fmt: skip
_REFERENCE: Final = re.compile(r"@([_A-Za-z]\w*)")
# How often a transaction that nobody goes on with looks whether it is to end.
_LOOK_S: Final = 0.5


class _EndedError(Exception):
    """The transaction is to be rolled back."""


class DocumentTransaction:
    """One transaction for the mutations of a document. Its session stays in one thread, where work is sent."""

    def __init__(self, bridge: Bridge, organization_id: int, stop: Stop) -> None:
        self._stop = stop
        self._works: SimpleQueue[tuple[Callable[[Session], Any], Future[Any]] | bool] = SimpleQueue()
        self._is_begun = False
        self._ending = asyncio.ensure_future(bridge.run(organization_id, self._serve, stop))
        # By the mutation's key in the answer.
        self._results: dict[str, Any] = {}
        self.is_made = False

    async def run(self, work: Callable[[Session], T]) -> T:
        """Return what work returns, done in the transaction. It is not committed yet."""
        coming: Future[T] = Future()
        self._works.put((work, coming))
        waiting = asyncio.wrap_future(coming)
        both: set[asyncio.Future[Any]] = {waiting, self._ending}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            # It ended early: the database is away, or the operation was stopped.
            await self._ending
        return await waiting

    async def commit(self) -> None:
        """Commit what was done. Raises what keeps it from being committed; nothing is changed then."""
        self._works.put(True)
        await self._ending
        self.is_made = True

    async def roll_back(self) -> None:
        """Take back what was done."""
        self._works.put(False)
        with suppress(_EndedError, ArgusError):
            await self._ending

    async def carry_out(self, key: str, run: Callable[[Mapping[str, str]], Any]) -> Any:
        """Return the result of a mutation: carried out now, or before the commit. run: by ids of earlier ones."""
        if self.is_made:
            return self._results[key]
        ids = {alias: identity for alias, payload in self._results.items() if (identity := _id_of(payload)) is not None}
        result = run(ids)
        self._results[key] = await result if isinstance(result, Awaitable) else result
        return self._results[key]

    @property
    def refusals(self) -> dict[str, list[Any]]:
        """The errors of payloads, by the keys of their mutations."""
        return {key: errors for key, payload in self._results.items() if (errors := getattr(payload, "errors", None))}

    def _serve(self, session: Session) -> None:
        if self._is_begun:
            # The bridge tries once more what failed at its commit; works are not there any more.
            raise ConflictError("The transaction met another one and was taken back. Nothing was changed; try again.")
        self._is_begun = True
        while True:
            self._stop.check(0)
            try:
                item = self._works.get(timeout=_LOOK_S)
            except Empty:
                continue
            if item is True:
                return
            if item is False:
                raise _EndedError
            work, coming = item
            try:
                coming.set_result(work(session))
            except BaseException as error:  # noqa: BLE001  (it is its caller's)
                coming.set_exception(error)


def mutations_join(schema: GraphQLSchema) -> None:
    """Let the mutations of a schema take part in transactions, and declare the directive."""
    schema.directives = (*schema.directives, TRANSACTION)
    assert schema.mutation_type is not None  # noqa: S101  (there are mutations)
    for name, declared in schema.mutation_type.fields.items():
        if name not in SEPARATE and declared.resolve is not None:
            declared.resolve = _joining(name, declared.resolve)


def _joining(name: str, resolve: Resolver) -> Resolver:
    def resolver(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        transaction: DocumentTransaction | None = info.context.transaction
        if transaction is None:
            return resolve(source, info, **arguments)

        def run(ids: Mapping[str, str]) -> Any:
            types = {key: argument.type for key, argument in info.parent_type.fields[name].args.items()}
            given = {key: _with_ids(value, types[key], ids, (key,)) for key, value in arguments.items()}
            return resolve(source, info, **given)

        return transaction.carry_out(str(info.path.key), run)

    return resolver


def _with_ids(value: Any, declared: Any, ids: Mapping[str, str], path: tuple[str, ...]) -> Any:
    """Return an argument with the ids of what earlier mutations have created, where it refers to them."""
    if isinstance(declared, GraphQLNonNull):
        return _with_ids(value, declared.of_type, ids, path)
    if isinstance(declared, GraphQLList) and isinstance(value, list):
        return [_with_ids(item, declared.of_type, ids, (*path, str(place))) for place, item in enumerate(value)]
    if isinstance(declared, GraphQLInputObjectType) and isinstance(value, dict):
        return {
            key: _with_ids(item, declared.fields[key].type, ids, (*path, key)) if key in declared.fields else item
            for key, item in value.items()
        }
    if declared is not GraphQLID and getattr(declared, "name", None) != GraphQLID.name:
        return value
    reference = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if reference is None:
        return value
    if reference[1] not in ids:
        raise BadInputError(f"No mutation further up that is called {reference[1]} shows an object.", path=path)
    return ids[reference[1]]


def _id_of(payload: Any) -> str | None:
    """Return the id of what a payload shows."""
    for name in getattr(payload, "__dataclass_fields__", ()):
        value = getattr(payload, name, None)
        identity = None if name == "errors" else getattr(value, "id", None)
        if identity is not None:
            return str(identity)
    return None
