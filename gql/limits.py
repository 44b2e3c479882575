"""How much one operation may ask for. Measured once per document, each fragment once, whatever it is spread into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import Undefined

from gql.errors import CostLimitError
from graph.errors import LimitExceededError

TOKENS_MAX = 20_000
DEPTH_MAX = 24
ALIASES_MAX = 200
DIRECTIVES_MAX = 50
ROOT_FIELDS_MAX = 50
# A field counts one; what lies below a list counts once for each row asked for.
COST_MAX = 500_000
# A list without `first` or `limit` holds few things by nature: parents, errors, series.
ROWS_OF_A_PLAIN_LIST = 10
_PAGE_FIELDS = frozenset({"nodes", "edges"})


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection amounts to."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    cost: int = 0

    def beside(self, other: Measure) -> Measure:
        """Return the measure of both, side by side."""
        return Measure(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            self.cost + other.cost,
        )


def check(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> None:
    """Raise LimitExceededError or CostLimitError, with the numbers, where an operation asks for too much.

    The document has been validated: no fragment spreads itself, every field exists.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        return
    measure = _Ruler(schema, document, operation, variables).selection(operation.selection_set, root)
    for name, value, limit in (
        ("depth", measure.depth, DEPTH_MAX),
        ("number of aliases", measure.aliases, ALIASES_MAX),
        ("number of directives", measure.directives, DIRECTIVES_MAX),
        ("number of root fields", measure.fields, ROOT_FIELDS_MAX),
    ):
        if value > limit:
            message = f"The operation's {name} is {value}; at most {limit} is allowed."
            raise LimitExceededError(message)
    if measure.cost > COST_MAX:
        message = (
            f"The operation's cost is {measure.cost}; at most {COST_MAX} is allowed. A field costs one, and what "
            "lies below a list costs that much for each row asked for: ask for fewer rows with first."
        )
        raise CostLimitError(message)


class _Ruler:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.variables = dict(variables)
        for definition in operation.variable_definitions or ():
            default = definition.default_value
            if isinstance(default, IntValueNode):
                self.variables.setdefault(definition.variable.name.value, int(default.value))
        self.measured: dict[str, Measure] = {}

    def selection(self, node: SelectionSetNode, parent: GraphQLNamedType) -> Measure:
        total = Measure()
        for child in node.selections:
            directives = Measure(directives=len(child.directives or ()))
            if isinstance(child, FieldNode):
                part = self.field(child, parent)
            elif isinstance(child, FragmentSpreadNode):
                part = self.fragment(child.name.value)
            else:
                assert isinstance(child, InlineFragmentNode)  # noqa: S101  (there is no fourth kind)
                on = child.type_condition
                inner = parent if on is None else self.schema.type_map[on.name.value]
                part = self.selection(child.selection_set, inner)
            total = total.beside(part).beside(directives)
        return total

    def fragment(self, name: str) -> Measure:
        if name not in self.measured:
            node = self.fragments[name]
            self.measured[name] = self.selection(
                node.selection_set, self.schema.type_map[node.type_condition.name.value]
            )
        return self.measured[name]

    def field(self, node: FieldNode, parent: GraphQLNamedType) -> Measure:
        aliases = 1 if node.alias is not None else 0
        if node.selection_set is None:
            return Measure(1, aliases, 0, 1, 1)
        if node.name.value.startswith("__"):
            # Introspection reads nothing but the schema; its depth is its own.
            return Measure(1, aliases, 0, 1, 1)
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)  # noqa: S101  (validated)
        definition = parent.fields[node.name.value]
        inner = self.selection(node.selection_set, get_named_type(definition.type))
        rows = self.rows(node, definition.args)
        if rows is None:
            of = definition.type.of_type if is_non_null_type(definition.type) else definition.type
            plain = is_list_type(of) and not is_leaf_type(get_named_type(of)) and node.name.value not in _PAGE_FIELDS
            rows = ROWS_OF_A_PLAIN_LIST if plain else 1
        return Measure(inner.depth + 1, inner.aliases + aliases, inner.directives, 1, 1 + max(rows, 1) * inner.cost)

    def rows(self, node: FieldNode, arguments: Mapping[str, Any]) -> int | None:
        """Return how many rows a field asks for; None where it does not say."""
        if "first" not in arguments:
            return None
        given = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        if isinstance(given, IntValueNode):
            return int(given.value)
        if isinstance(given, VariableNode):
            value = self.variables.get(given.name.value)
            if isinstance(value, int):
                return value
        default = arguments["first"].default_value
        return default if default is not Undefined and isinstance(default, int) else 1
