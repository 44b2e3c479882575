"""Operations with the directive `@transaction`: what may be in one, and the part of it that is carried out first."""

from __future__ import annotations

from typing import Final

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gql.base.context import Context
from gql.base.transactions import SEPARATE, TRANSACTION, DocumentTransaction
from gql.errors import ErrorCode, ForbiddenError
from graph.errors import BadInputError

_TYPENAME: Final = SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename")),))


def is_transaction(operation: OperationDefinitionNode) -> bool:
    """Return whether an operation's mutations are one transaction."""
    return any(directive.name.value == TRANSACTION.name for directive in operation.directives or ())


def transaction_check(operation: OperationDefinitionNode, context: Context) -> None:
    """Refuse what cannot be one transaction. Raises BadInputError, ForbiddenError."""
    if not is_transaction(operation):
        return
    fields = operation.selection_set.selections
    for field in fields:
        if not isinstance(field, FieldNode):
            raise BadInputError("In a transaction mutations are fields of the operation itself, not of fragments.")
        if field.name.value in SEPARATE:
            raise BadInputError(f"{field.name.value} cannot be part of a transaction: it does something else, too.")
    if context.bearer is not None and context.bearer.under is not None:
        raise ForbiddenError("A confined token makes each change by itself: @transaction is not for it.")


def mutations_alone(document: DocumentNode, operation: OperationDefinitionNode) -> DocumentNode:
    """Return a document of the same mutations that selects nothing of their payloads."""
    fields = []
    for field in operation.selection_set.selections:
        assert isinstance(field, FieldNode)  # noqa: S101  (see transaction_check)
        fields.append(
            FieldNode(
                name=field.name,
                alias=field.alias,
                arguments=field.arguments,
                directives=field.directives,
                selection_set=_TYPENAME,
            )
        )
    alone = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=tuple(fields)),
    )
    others = tuple(definition for definition in document.definitions if definition is not operation)
    return DocumentNode(definitions=(alone, *others))


def refusal_of(transaction: DocumentTransaction) -> ExecutionResult | None:
    """Return the answer of a transaction of which a mutation was refused; None where none was."""
    errors = [
        GraphQLError(error.message, path=[key], extensions={"code": ErrorCode(error.code), "argumentPath": error.path})
        for key, refused in transaction.refusals.items()
        for error in refused
    ]
    return ExecutionResult(None, errors=errors) if errors else None
