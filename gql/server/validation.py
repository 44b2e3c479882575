"""Rules that validate documents: those of the specification, two of them with messages of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from graphql import (
    SKIP,
    ArgumentNode,
    ASTValidationRule,
    FieldNode,
    FieldsOnCorrectTypeRule,
    GraphQLError,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    ListValueNode,
    ObjectValueNode,
    ValidationRule,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VisitorAction,
    is_abstract_type,
    specified_rules,
)
from graphql.pyutils import did_you_mean, suggestion_list
from graphql.utilities.validate_input_value import validate_input_literal

# Types that a hint names at most.
_OWNERS_MAX: Final = 5


class FieldRule(ValidationRule):
    """Refuse fields that their type does not have, with where they are and which are like them."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Check one field."""
        parent = self.context.get_parent_type()
        if parent is None or self.context.get_field_def() is not None:
            return
        name = node.name.value
        hint = "" if self.context.hide_suggestions else self._hint(parent, name)
        self.report_error(GraphQLError(f"Cannot query field '{name}' on type '{parent.name}'.{hint}", node))

    def _hint(self, parent: GraphQLNamedType, name: str) -> str:
        schema = self.context.schema
        if is_abstract_type(parent):
            owners = _owners(schema.get_possible_types(parent), name)
            if owners:
                return f" Use '... on {owners[0]} {{ {name} }}': it is a field of {_listed(owners)}."
        elif isinstance(parent, GraphQLObjectType):
            siblings = {sibling.name: sibling for of in parent.interfaces for sibling in schema.get_possible_types(of)}
            owners = _owners(list(siblings.values()), name) if _is_kind(parent) else []
            if owners:
                return f" It is a field of {_listed(owners)}."
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        return did_you_mean(suggestion_list(name, list(fields)))


class LiteralRule(ValuesOfCorrectTypeRule):
    """Refuse literals of another type, with their location and the argument they are in."""

    _place = ""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """Remember which argument the values are of."""
        self._place = node.name.value

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        """Remember of which variable a value is the default."""
        self._place = f"${node.variable.name.value}"

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Check the value of an argument, or of a variable that is not given."""

        def note(error: GraphQLError, path: Sequence[str | int]) -> None:
            extensions = {**(error.extensions or {}), "argumentPath": [self._place, *map(str, path)]}
            nodes = error.nodes or [_value_at(node, path)]
            self.report_error(GraphQLError(error.message, nodes, extensions=extensions))

        if input_type:
            validate_input_literal(node, input_type, note, None, None, self.context.hide_suggestions)
        return SKIP


_OWN: Final[dict[type[ASTValidationRule], type[ASTValidationRule]]] = {
    FieldsOnCorrectTypeRule: FieldRule,
    ValuesOfCorrectTypeRule: LiteralRule,
}
RULES: Final = tuple(_OWN.get(rule, rule) for rule in specified_rules)


def _owners(types: Sequence[GraphQLObjectType], name: str) -> list[str]:
    return sorted(type_.name for type_ in types if name in type_.fields)


def _is_kind(type_: GraphQLObjectType) -> bool:
    """Return whether a type is one of several that a list of all can hold, as the kinds of entities are."""
    return any(interface.name == "Entity" for interface in type_.interfaces)


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:_OWNERS_MAX])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _value_at(node: ValueNode, path: Sequence[str | int]) -> ValueNode:
    """Return the part of a value that a path leads to, as far as it is written there."""
    for key in path:
        if isinstance(node, ListValueNode) and isinstance(key, int):
            node = node.values[key]
        elif isinstance(node, ObjectValueNode):
            node = next((field.value for field in node.fields if field.name.value == key), node)
    return node
