"""Execute one operation: under a deadline, in a separate thread where it is heavy, and cancelled with its caller."""

from __future__ import annotations

import asyncio
import contextvars
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from graphql import ExecutionResult, FieldNode, GraphQLSchema, OperationType, execute
from graphql.execution import Executor as CoreExecutor
from graphql.execution import create_source_event_stream

from domain.base.waiting import error_take
from gql.access.fair_threads import CALLER, FairThreads
from gql.base.context import Context
from gql.base.transactions import DocumentTransaction
from gql.errors import formatted
from gql.live.sharing import made, shared
from gql.server.answers import answer_encode
from gql.server.bounds import bounds_of
from gql.server.completion import executor_of
from gql.server.hints import Hints
from gql.server.limits import COST_MAX
from gql.server.persisted import PersistedDocuments
from gql.server.preparation import Prepared, Preparer, Request, RequestError
from gql.server.selection import selection_key
from gql.server.thread_loops import ThreadLoops
from gql.server.transactions import is_transaction, mutations_alone, refusal_of
from gql.server.variables import variable_errors
from graph.errors import AbandonedError, DeadlineExceededError
from graph.stopping import Stop

T = TypeVar("T")

# The field that takes readings.
INGEST: Final = "ingestTelemetry"

DEADLINE_S: Final = 30.0
# A query that may cost more is executed in a thread with a separate event loop, so that the others go on.
HEAVY_COST: Final = 10_000
# Python runs one thread at a time: more would not be faster.
HEAVY_THREADS: Final = 2
INTROSPECTIONS_CACHED_MAX: Final = 32


class Executor:
    """Prepares and executes operations against one schema.

    deadline_s: how long each may run. anonymous_introspection: whether the schema can be read without a token.
    documents: finds documents by their ids.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        deadline_s: float = DEADLINE_S,
        anonymous_introspection: bool = True,
        documents: PersistedDocuments | None = None,
    ) -> None:
        self._schema = schema
        self._deadline_s = deadline_s
        self._documents = PersistedDocuments() if documents is None else documents
        self._preparer = Preparer(schema, anonymous_introspection=anonymous_introspection)
        self._core = executor_of(schema, bounds=bounds_of(schema))
        self._hints = Hints()
        self._loops = ThreadLoops()
        self._heavy = FairThreads(HEAVY_THREADS, per_caller_max=HEAVY_THREADS - 1, name="heavy")
        # The schema does not change while the process lives.
        self._introspections: OrderedDict[tuple[str, str | None], dict[str, Any]] = OrderedDict()

    @property
    def preparer(self) -> Preparer:
        """The preparer of operations."""
        return self._preparer

    async def prepare(self, request: Request, context: Context) -> Prepared:
        """Return the request, ready to execute. Raises RequestError; see `resolve`, `Preparer.prepare`."""
        request = self.resolve(request, context)
        prepared = await self._preparer.prepare(request, context)
        self.remember(request, context)
        return prepared

    def resolve(self, request: Request, context: Context) -> Request:
        """Return the request with its document. Raises RequestError; see `PersistedDocuments.resolve`."""
        return self._documents.resolve(request, context.bearer)

    def remember(self, request: Request, context: Context) -> None:
        """Note that a document is valid: from then on its hash is enough."""
        self._documents.remember(request, context.bearer)

    async def execute(self, prepared: Prepared, context: Context) -> dict[str, Any]:
        """Execute a query or a mutation and return its answer. Raises DeadlineExceededError, RateLimitedError.

        Where the caller of a query is cancelled, so is all that is done for it. A mutation's transaction, which may be
        all but committed, is left to finish within its deadline.
        """
        context.cost_max, context.cost_left = COST_MAX, COST_MAX - prepared.cost
        key = (prepared.request.query, prepared.request.operation_name)
        is_cacheable = prepared.is_introspection and not prepared.request.variables
        if is_cacheable and key in self._introspections:
            self._introspections.move_to_end(key)
            return self._introspections[key]
        is_heavy = prepared.cost > HEAVY_COST and prepared.operation.operation is OperationType.QUERY
        run = self._run_in_thread if is_heavy else self._run
        if is_transaction(prepared.operation):
            run = self._run_transaction
        # Ingest has separate quotas, and waits for its commit with others'.
        caller = None if is_ingest(prepared) else caller_of(context)
        async with context.services.shares.slot(caller):
            result = await self._bounded(context, partial(run, prepared, context), is_change=is_mutation(prepared))
            hints = await self._hints.of(context) if context.unmatched else []
        answer = self._answer_of(result, prepared, context)
        if hints:
            answer["extensions"] = {"hints": hints}
        if is_cacheable and "errors" not in answer:
            self._introspections[key] = answer
            while len(self._introspections) > INTROSPECTIONS_CACHED_MAX:
                self._introspections.popitem(last=False)
        return answer

    async def subscribe(self, prepared: Prepared, context: Context) -> AsyncGenerator[bytes]:
        """Yield the answers of a subscription, encoded. Raises RequestError where it does not begin.

        Its beginning and the answer to each event have a deadline each; the wait for an event has none. An event with a
        `memo` is answered once for all who select the same of it.
        """
        source = await self._bounded(context, partial(self._source, prepared, context))
        if isinstance(source, ExecutionResult):
            raise RequestError(self._answer_of(source, prepared, context)["errors"])
        key = (selection_key(prepared), context.principal.sight)
        async for payload in source:
            memo: dict[Any, Any] | None = getattr(payload, "memo", None)
            make = partial(self._event_answer, prepared, context, payload)
            if memo is None:
                answer, _ = await make()
            else:
                # Who waits for another's answer needs no deadline of its own: that one has it.
                answer, _ = made(memo, key) or await shared(memo, key, make, is_for_all=_is_for_all)
            yield answer

    def stop(self) -> None:
        """Take no more."""
        self._preparer.stop()
        self._heavy.shutdown(wait=False)

    async def _event_answer(self, prepared: Prepared, context: Context, event: Any) -> tuple[bytes, bool]:
        """Return the answer to an event of a subscription, and whether it is for all who share it.

        One with errors names the caller, and is not; nor is one that came too late.
        """
        # What was read for this answer may be otherwise by the next, and would be kept as long as the socket.
        context.loaders.clear()
        context.stop = Stop()
        context.cost_max, context.cost_left = COST_MAX, COST_MAX - prepared.cost
        try:
            result = await self._bounded(context, partial(self._run, prepared, context, root=event))
        except DeadlineExceededError as late:
            answer = {"data": None, "errors": [{"message": late.message, "extensions": {"code": late.code}}]}
        else:
            answer = self._answer_of(result, prepared, context)
        return answer_encode(answer, trace_id=context.trace_id), "errors" not in answer

    async def _bounded(self, context: Context, run: Callable[[], Awaitable[T]], *, is_change: bool = False) -> T:
        stop = context.stop
        CALLER.set(caller_of(context))
        try:
            async with asyncio.timeout(self._deadline_s) as limit:
                return await run()
        except TimeoutError:
            if not limit.expired():
                raise
            late = DeadlineExceededError(
                f"The operation took longer than {self._deadline_s:g} s and was ended. Ask for less at once. Where it"
                " changes something, look whether it did before you repeat it."
            )
            stop.stop(late)
            raise late from None
        except asyncio.CancelledError:
            if not is_change:
                stop.stop(AbandonedError("The caller has disconnected."))
            raise

    def _answer_of(self, result: ExecutionResult, prepared: Prepared, context: Context) -> dict[str, Any]:
        """Return the response of a result: errors in one form, internal errors masked."""
        if not result.errors:
            return {"data": result.data}
        if result.data is None and all(error.path is None for error in result.errors):
            # Variables that do not fit: nothing was executed, so there is no data to speak of.
            errors = variable_errors(
                self._schema,
                prepared.operation,
                prepared.request.variables,
                hide_suggestions=context.bearer is None,
            )
            return {"errors": [formatted(error, trace_id=context.trace_id) for error in errors or result.errors]}
        return {
            "data": result.data,
            "errors": [formatted(error, trace_id=context.trace_id) for error in result.errors],
        }

    async def _run(self, prepared: Prepared, context: Context, *, root: Any = None) -> ExecutionResult:
        result = execute(
            self._schema,
            prepared.document,
            root_value=root,
            variable_values=dict(prepared.request.variables),
            operation_name=prepared.request.operation_name,
            context_value=context,
            executor_class=self._core,
        )
        if isinstance(result, Awaitable):
            result = await result
        assert isinstance(result, ExecutionResult)  # noqa: S101  (no incremental delivery)
        return result

    async def _run_transaction(self, prepared: Prepared, context: Context) -> ExecutionResult:
        """Carry the mutations out in one transaction, and then read what is selected of them."""
        transaction = DocumentTransaction(context.services.bridge, context.organization_id, context.stop)
        context.transaction = transaction
        alone = replace(prepared, document=mutations_alone(prepared.document, prepared.operation))
        try:
            result = await self._run(alone, context)
            refused = result if result.errors else refusal_of(transaction)
            if refused is None:
                await transaction.commit()
        finally:
            # What was read in it is not what others see.
            context.loaders.clear()
            if not transaction.is_made:
                await transaction.roll_back()
        return ExecutionResult(None, refused.errors) if refused else await self._run(prepared, context)

    async def _run_in_thread(self, prepared: Prepared, context: Context) -> ExecutionResult:
        """Execute in a separate thread; the deadline is kept from here, whatever that thread is busy with."""
        there: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

        async def main() -> ExecutionResult:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101  (for the type checker)
            there.append((asyncio.get_running_loop(), task))
            context.stop.check(0)
            return await self._run(prepared, context)

        context_of_caller = contextvars.copy_context()

        def job() -> ExecutionResult:
            return self._loops.run(main(), context_of_caller)

        coming = asyncio.wrap_future(self._heavy.submit(job))
        try:
            return await asyncio.shield(coming)
        except asyncio.CancelledError:
            # Found waiting, it never begins; found running, it is cancelled where it waits and stopped where it works.
            coming.cancel()
            coming.add_done_callback(error_take)
            for loop, task in there:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(task.cancel)
            raise

    async def _source(self, prepared: Prepared, context: Context) -> AsyncIterable[Any] | ExecutionResult:
        built = self._core.build(
            self._schema,
            prepared.document,
            None,
            context,
            dict(prepared.request.variables),
            prepared.request.operation_name,
        )
        if not isinstance(built, CoreExecutor):
            return ExecutionResult(None, errors=list(built))
        source = create_source_event_stream(built)
        return await source if isinstance(source, Awaitable) else source


def _is_for_all(answered: tuple[bytes, bool]) -> bool:
    return answered[1]


def caller_of(context: Context) -> str | None:
    """Return the caller whose share of the process an operation uses; None: without a token."""
    bearer = context.bearer
    return None if bearer is None else f"{bearer.organization_id} {bearer.subject}"


def is_ingest(prepared: Prepared) -> bool:
    """Whether it only ingests readings."""
    roots = prepared.operation.selection_set.selections
    return is_mutation(prepared) and all(isinstance(root, FieldNode) and root.name.value == INGEST for root in roots)


def is_mutation(prepared: Prepared) -> bool:
    """Whether it is a mutation, for which GET is not allowed."""
    return prepared.operation.operation is OperationType.MUTATION


def is_subscription(prepared: Prepared) -> bool:
    """Whether it is a subscription, which needs a WebSocket."""
    return prepared.operation.operation is OperationType.SUBSCRIPTION
