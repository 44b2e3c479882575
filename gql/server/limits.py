"""Limit what one operation may cost, in depth, aliases and rows. Each fragment is measured once per document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)
from graphql.pyutils import Undefined

from gql.errors import CostLimitError
from gql.server.bounds import REQUESTED_DEFAULT, Bound, bounds_of, is_list
from graph.errors import LimitExceededError

DEPTH_MAX = 24
ALIASES_MAX = 200
DIRECTIVES_MAX = 50
ROOT_FIELDS_MAX = 50
# A field counts one; what lies below a list counts once for each row that the list can have.
COST_MAX = 500_000
# A value of a list of plain values counts so much: it is answered unchanged.
VALUE_COST: Final = 0.01
# With `bucket`, a series has as many values as there are buckets.
_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Measure:
    """The size and cost of a selection. per_row: the further cost for each row that the field around it requests."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    cost: float = 0
    per_row: float = 0

    def beside(self, other: Measure) -> Measure:
        """Return the measure of both, side by side."""
        return Measure(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            self.cost + other.cost,
            self.per_row + other.per_row,
        )


class Limits:
    """The cost rule for one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._bounds = bounds_of(schema)

    def check(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> float:
        """Return an operation's cost.

        Raises LimitExceededError or CostLimitError, with the numbers, where it asks for too much. The document has
        been validated: no fragment spreads itself, every field exists.
        """
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return 0
        measure = _Ruler(self._schema, self._bounds, document, operation, variables).selection(
            operation.selection_set, root
        )
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
                f"The operation's cost is {measure.cost:.0f}; at most {COST_MAX} is allowed. A field costs one, and "
                "what lies below a list costs that much for each row that the list can have: ask for fewer rows, "
                "with first or limit, or name the metrics."
            )
            raise CostLimitError(message, cost=measure.cost, cost_max=COST_MAX)
        return measure.cost


class _Ruler:
    def __init__(
        self,
        schema: GraphQLSchema,
        bounds: Mapping[str, Bound],
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.bounds = bounds
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.variables = dict(variables)
        for definition in operation.variable_definitions or ():
            if definition.default_value is not None:
                value = value_from_ast_untyped(definition.default_value)
                self.variables.setdefault(definition.variable.name.value, value)
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
        definition = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        ) or self._introspected(node, parent)
        if definition is None:
            # __typename.
            return Measure(1, aliases, 0, 1, 1)
        if node.selection_set is None:
            cost, inner = VALUE_COST, Measure()
        else:
            inner = self.selection(node.selection_set, get_named_type(definition.type))
            cost = inner.cost + inner.per_row * self.requested(node, definition)
        depth = 1 if node.name.value.startswith("__") else inner.depth + 1
        measure = Measure(depth, inner.aliases + aliases, inner.directives, 1, 1)
        if not is_list(definition.type):
            return measure.beside(Measure(cost=0 if node.selection_set is None else cost))
        bound = self.bounds[f"{parent.name}.{node.name.value}"]
        if bound.rows is None:
            return measure.beside(Measure(per_row=cost))
        return measure.beside(Measure(cost=cost * self._rows(node, bound)))

    def requested(self, node: FieldNode, definition: GraphQLField) -> int:
        """Return how many rows a field requests, for the lists below it whose length depends on that."""
        arguments = definition.args
        if "last" in arguments and isinstance(last := self._value(node, "last"), int):
            return max(last, 1)
        if "first" in arguments:
            return self._number(node, definition, "first")
        if "maxPoints" in arguments:
            bucket = self._value(node, "bucket")
            return _BUCKETS if bucket is not None else self._number(node, definition, "maxPoints")
        if "maxDepth" in arguments:
            return self._number(node, definition, "maxDepth") + 1
        walk = self._value(node, "input")
        if isinstance(walk, Mapping) and "steps" in walk:
            limit = walk.get("limit", 1_000)
            return max(limit, 1) if isinstance(limit, int) else 1_000
        return REQUESTED_DEFAULT

    def _introspected(self, node: FieldNode, parent: GraphQLNamedType) -> GraphQLField | None:
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return self.schema.get_field(parent, node.name.value) if node.name.value != "__typename" else None
        return None

    def _rows(self, node: FieldNode, bound: Bound) -> int:
        argument = None if bound.argument is None else self._value(node, bound.argument)
        if isinstance(argument, Sequence) and not isinstance(argument, str):
            return bound.per_item * len(argument)
        return bound.rows or bound.per_item if argument is None else bound.per_item

    def _number(self, node: FieldNode, definition: GraphQLField, name: str) -> int:
        value = self._value(node, name)
        if not isinstance(value, int):
            value = definition.args[name].default_value
        return max(value, 1) if value is not Undefined and isinstance(value, int) else 1

    def _value(self, node: FieldNode, name: str) -> Any:
        """Return an argument as given; None: it is not given."""
        argument_value = next(
            (argument.value for argument in node.arguments or () if argument.name.value == name), None
        )
        return None if argument_value is None else self._resolved(argument_value)

    def _resolved(self, node: ValueNode) -> Any:
        if isinstance(node, VariableNode):
            return self.variables.get(node.name.value)
        if isinstance(node, ListValueNode):
            return node.values
        if isinstance(node, ObjectValueNode):
            return {field.name.value: self._resolved(field.value) for field in node.fields}
        return value_from_ast_untyped(node)
