"""One operation: parsed, validated and measured, then executed. Documents are kept once they have been found good."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    subscribe,
    validate,
)

from gql import limits
from gql.context import Context
from gql.errors import formatted
from gql.principal import PERMISSIONS, permit
from graph.errors import ArgusError

DOCUMENTS_KEPT_MAX = 512
DOCUMENT_KEPT_LENGTH_MAX = 32_768
VALIDATION_ERRORS_MAX = 20


class RequestError(Exception):
    """An operation that was never executed. answer: what to send; status: for HTTP."""

    def __init__(self, errors: list[dict[str, Any]], *, status: int = 400) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. variables and extensions are objects, not yet judged against the document."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that may be executed."""

    request: Request
    document: DocumentNode
    operation: OperationDefinitionNode


class Executor:
    """Prepares and executes operations against one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        _permissions_check(schema)

    def prepare(self, request: Request, context: Context) -> Prepared:
        """Return the request, ready to execute.

        Raises RequestError: a document that is no good, an operation that is not there, one that asks for too
        much, or one the caller may not use.
        """
        document = self._document(request.query, context)
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            message = (
                f"The document has no operation named {request.operation_name!r}."
                if request.operation_name
                else "The document has several operations: say which with operationName."
            )
            raise RequestError([_error(message)])
        try:
            limits.check(self._schema, document, operation, request.variables)
        except ArgusError as error:
            raise RequestError([_error(error.message, error.code)]) from None
        try:
            for name in _root_fields(document, operation):
                permit(context.bearer, root=operation.operation.value.capitalize(), field=name)
        except ArgusError as error:
            status = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403}[error.code]
            raise RequestError([_error(error.message, error.code)], status=status) from None
        return Prepared(request, document, operation)

    async def execute(self, prepared: Prepared, context: Context) -> dict[str, Any]:
        """Execute a query or a mutation and return its answer."""
        result = execute(
            self._schema,
            prepared.document,
            variable_values=dict(prepared.request.variables),
            operation_name=prepared.request.operation_name,
            context_value=context,
        )
        if isinstance(result, Awaitable):
            result = await result
        assert isinstance(result, ExecutionResult)  # noqa: S101  (no incremental delivery)
        return answer_of(result, context)

    async def subscribe(self, prepared: Prepared, context: Context) -> AsyncGenerator[dict[str, Any]]:
        """Yield the answers of a subscription. Raises RequestError where it does not begin."""
        stream = subscribe(
            self._schema,
            prepared.document,
            variable_values=dict(prepared.request.variables),
            operation_name=prepared.request.operation_name,
            context_value=context,
        )
        if isinstance(stream, Awaitable):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            raise RequestError(answer_of(stream, context)["errors"])
        async for result in stream:
            # What was read for this answer may be otherwise by the next, and would be kept as long as the socket.
            context.loaders.clear()
            yield answer_of(result, context)

    def _document(self, query: str, context: Context) -> DocumentNode:
        kept = self._documents.get(query)
        if kept is not None:
            self._documents.move_to_end(query)
            return kept
        try:
            document = parse(query, max_tokens=limits.TOKENS_MAX)
        except GraphQLSyntaxError as error:
            raise RequestError([formatted(error, trace_id=context.trace_id)]) from None
        except RecursionError:
            raise RequestError([_error("The document is nested too deeply.", "LIMIT_EXCEEDED")]) from None
        errors = validate(self._schema, document, max_errors=VALIDATION_ERRORS_MAX)
        if errors:
            raise RequestError([formatted(error, trace_id=context.trace_id) for error in errors])
        if len(query) <= DOCUMENT_KEPT_LENGTH_MAX:
            self._documents[query] = document
            if len(self._documents) > DOCUMENTS_KEPT_MAX:
                self._documents.popitem(last=False)
        return document


def answer_of(result: ExecutionResult, context: Context) -> dict[str, Any]:
    """Return a result as it is sent: errors in one form, defects masked."""
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [formatted(error, trace_id=context.trace_id) for error in result.errors]
        if result.data is None and all(error.path is None for error in result.errors):
            # Variables that do not fit: nothing was executed, so there is no data to speak of.
            del answer["data"]
    return answer


def is_mutation(prepared: Prepared) -> bool:
    """Whether it changes something, so that GET will not do."""
    return prepared.operation.operation is OperationType.MUTATION


def is_subscription(prepared: Prepared) -> bool:
    """Whether it wants a WebSocket."""
    return prepared.operation.operation is OperationType.SUBSCRIPTION


def _error(message: str, code: str = "BAD_USER_INPUT") -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def _root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[str]:
    """Return the names of the root fields an operation selects, through fragments too, without introspection."""
    fragments = {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    names: list[str] = []
    visited: set[str] = set()
    waiting = [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                names.append(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                waiting.append(fragments[node.name.value])
    return [name for name in names if not name.startswith("__")]


def _permissions_check(schema: GraphQLSchema) -> None:
    """Refuse to start with a root field that nobody decided about."""
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name in {} if root is None else root.fields:
            assert root is not None  # noqa: S101  (told to the type checker)
            if name not in PERMISSIONS[root.name]:
                message = f"{root.name}.{name} has no entry in gql/principal.py:PERMISSIONS."
                raise GraphQLError(message)
