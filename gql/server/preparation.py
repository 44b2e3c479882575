"""Prepare an operation for execution: bound its text, parse it, check permissions, validate it, measure its cost.

In this order, so that each step bounds the next. Long steps run off the event loop. Valid documents are cached.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged

from gql.access.principal import PERMISSIONS
from gql.base.context import Context
from gql.errors import ErrorCode, argus_error, formatted
from gql.server.answers import json_encode
from gql.server.documents import TOKENS_MAX, TOKENS_UNKNOWN_MAX, document_check, variables_check
from gql.server.inputs import inputs_check
from gql.server.limits import Limits
from gql.server.transactions import transaction_check
from gql.server.validation import RULES, FieldRule
from graph.errors import ArgusError

DOCUMENTS_CACHED_MAX: Final = 512
DOCUMENT_CACHED_LENGTH_MAX: Final = 32_768
VARIABLES_CACHED_MAX_BYTES: Final = 2_048
VALIDATION_ERRORS_MAX: Final = 20
# Longer documents are parsed and validated in a thread.
OFF_LOOP_CHARS: Final = 2_000
# The one rule that compares fields with each other, however few tokens there are: so many steps, two a pair.
COMPARISONS_MAX: Final = 20_000
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = COMPARISONS_MAX
_ABORTED: Final = "Validation aborted."
_STATUS: Final = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403}


class RequestError(Exception):
    """An operation that was never executed. errors: what to send; status: for HTTP."""

    def __init__(self, errors: list[dict[str, Any]], *, status: int = 400) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. variables: not yet checked against the document.

    query: empty where only the id of the document was sent. document_id: a SHA-256 hash, or a name that was agreed on.
    """

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that may be executed. cost: see `limits.py`. is_introspection: it reads nothing but the schema."""

    request: Request
    document: DocumentNode
    operation: OperationDefinitionNode
    cost: float
    is_introspection: bool


@dataclass(slots=True)
class Work:
    """How often each step was taken, so that a test can assert what a request cost. rules: validation rules run."""

    scanned: int = 0
    parsed: int = 0
    rules: int = 0


class Preparer:
    """Prepares requests against one schema. anonymous_introspection: whether it can be read without a token."""

    def __init__(self, schema: GraphQLSchema, *, anonymous_introspection: bool = True) -> None:
        self._schema = schema
        self._anonymous_introspection = anonymous_introspection
        self._limits = Limits(schema)
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        # By the operation's identity and its variables.
        self._costs: OrderedDict[tuple[int, bytes], tuple[OperationDefinitionNode, float]] = OrderedDict()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="documents")
        self.work = Work()
        _permissions_check(schema)

    async def prepare(self, request: Request, context: Context) -> Prepared:
        """Return the request, ready to execute.

        Raises RequestError: a document that is invalid or too large, an unknown operation, one that costs too much,
        or one the caller may not use.
        """
        document = self._documents.get(request.query)
        if document is not None:
            self._documents.move_to_end(request.query)
        elif len(request.query) <= OFF_LOOP_CHARS:
            document = self._document(request, context)
        else:
            loop = asyncio.get_running_loop()
            document = await loop.run_in_executor(self._threads, self._document, request, context)
        operation = _operation(document, request)
        roots = _root_fields(document, operation)
        self._permit_schema(document, roots, context)
        _permit(context, operation, [name for name in roots if not name.startswith("__")])
        try:
            transaction_check(operation, context)
            cost = self._cost(request, document, operation)
        except ArgusError as error:
            raise RequestError([argus_error(error)]) from None
        is_introspection = operation.operation is OperationType.QUERY and all(name.startswith("__") for name in roots)
        return Prepared(request, document, operation, cost, is_introspection)

    def _cost(self, request: Request, document: DocumentNode, operation: OperationDefinitionNode) -> float:
        """Return what the operation costs: the same at each time with the same variables."""
        variables = _variables_key(request, operation)
        cost = None if variables is None else self._costs.get((id(operation), variables))
        if cost is None or cost[0] is not operation:
            if request.variables:
                inputs_check(self._schema, operation, request.variables)
                variables_check(request.variables)
            cost = operation, self._limits.check(document, operation, request.variables)
            # Of a document that is too long to be cached, nothing is.
            if variables is not None and request.query in self._documents:
                self._costs[id(operation), variables] = cost
            while len(self._costs) > DOCUMENTS_CACHED_MAX:
                self._costs.popitem(last=False)
        return cost[1]

    def _document(self, request: Request, context: Context) -> DocumentNode:
        query = request.query
        is_known = context.bearer is not None
        try:
            self.work.scanned += 1
            document_check(query, tokens_max=TOKENS_MAX if is_known else TOKENS_UNKNOWN_MAX)
            self.work.parsed += 1
            document = parse(query, max_tokens=TOKENS_MAX)
        except ArgusError as error:
            raise RequestError([argus_error(error)]) from None
        except GraphQLSyntaxError as error:
            raise RequestError([formatted(error, trace_id=context.trace_id)]) from None
        except RecursionError:
            raise RequestError([_error("The document is nested too deeply.", "LIMIT_EXCEEDED")]) from None
        names = self._permit_known_fields(document, request, context)
        # Without a token one may only ask what the schema is; an unknown field is reported by one rule.
        rules = RULES if is_known or not names else [FieldRule]
        self.work.rules += len(rules)
        # Names of fields and types are no secret, but nobody finds them out by guessing.
        errors = validate(
            self._schema, document, rules, max_errors=VALIDATION_ERRORS_MAX, hide_suggestions=not is_known
        )
        if errors:
            raise RequestError([_invalid(error, context) for error in errors])
        if len(query) <= DOCUMENT_CACHED_LENGTH_MAX:
            self._documents[query] = document
            while len(self._documents) > DOCUMENTS_CACHED_MAX:
                self._documents.popitem(last=False)
        return document

    def _permit_known_fields(self, document: DocumentNode, request: Request, context: Context) -> Sequence[str]:
        """Return the root fields of an operation that are not of the schema's own.

        Raises RequestError where the caller may not use one of them: before anything is validated.
        """
        operation = get_operation_ast(document, request.operation_name)
        if operation is None and context.bearer is not None:
            # Reported after what is wrong with the document.
            return []
        operation = _operation(document, request)
        root = self._schema.get_root_type(operation.operation)
        roots = _root_fields(document, operation)
        self._permit_schema(document, roots, context)
        names = [name for name in roots if not name.startswith("__")]
        _permit(context, operation, [name for name in names if root is not None and name in root.fields])
        return names

    def _permit_schema(self, document: DocumentNode, roots: Sequence[str], context: Context) -> None:
        """Raise RequestError where a caller without a token may not know the schema, and the answer would tell of it.

        So would a fragment's or a variable's type, when it is validated.
        """
        if context.bearer is not None or self._anonymous_introspection:
            return
        [definition, *others] = document.definitions
        is_plain = (
            isinstance(definition, OperationDefinitionNode)
            and not definition.variable_definitions
            and all(isinstance(node, FieldNode) for node in definition.selection_set.selections)
        )
        if others or not is_plain or set(roots) != {"__typename"}:
            message = "Without a token nothing is answered but { __typename }: Authorization: Bearer TOKEN."
            raise RequestError([_error(message, ErrorCode.UNAUTHENTICATED)], status=_STATUS["UNAUTHENTICATED"])

    def stop(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _variables_key(request: Request, operation: OperationDefinitionNode) -> bytes | None:
    """Return the variables in bytes; None where they are not worth remembering."""
    if not request.variables:
        return b""
    if operation.operation is OperationType.MUTATION:
        return None
    try:
        encoded = json_encode(request.variables)
    except TypeError:
        return None
    return encoded if len(encoded) <= VARIABLES_CACHED_MAX_BYTES else None


def _operation(document: DocumentNode, request: Request) -> OperationDefinitionNode:
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        message = (
            f"The document has no operation named {request.operation_name!r}."
            if request.operation_name
            else "The document has several operations: say which with operationName."
        )
        raise RequestError([_error(message)])
    return operation


def _permit(context: Context, operation: OperationDefinitionNode, names: Sequence[str]) -> None:
    try:
        for name in names:
            context.services.denials.permit(context.bearer, root=operation.operation.value.capitalize(), field=name)
    except ArgusError as error:
        raise RequestError([argus_error(error)], status=_STATUS[error.code]) from None


def _invalid(error: GraphQLError, context: Context) -> dict[str, Any]:
    located_errors = formatted(error, trace_id=context.trace_id)
    if error.message == _ABORTED:
        located_errors["message"] = (
            "The document's fields and fragments overlap too often to be compared with each other."
        )
        located_errors["extensions"]["code"] = ErrorCode.LIMIT_EXCEEDED
    return located_errors


def _error(message: str, code: str = ErrorCode.BAD_USER_INPUT) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def _root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[str]:
    """Return the names of the root fields an operation selects, through fragments too."""
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
                # An unknown one is reported when the document is validated.
                if node.name.value in fragments:
                    waiting.append(fragments[node.name.value])
    return names


def _permissions_check(schema: GraphQLSchema) -> None:
    """Refuse to start with a root field that has no permission."""
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name in {} if root is None else root.fields:
            assert root is not None  # noqa: S101  (for the type checker)
            if name not in PERMISSIONS[root.name]:
                message = f"{root.name}.{name} is declared without roles: see gql/base/roots.py."
                raise GraphQLError(message)
