"""Strategies of calls: a document of one operation, and its variables.

hypothesis-graphql draws a document that is valid by the schema. So that a good share of the calls means something too,
optional arguments are left out at random, and ids, names, cursors and JSON are replaced by such as the organization has
or as have the right form. Half of the calls have their arguments in variables, the others in the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import graphql
from graphql import GraphQLInputObjectType, GraphQLSchema, TypeInfo, Visitor, get_named_type, visit
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from testing.fuzz.known import Known, example_of, words_for
from testing.fuzz.values import scalar_strategies, value_node

# How often: an optional argument is left out, a value is one that means something, the first of a page is small.
LEFT_OUT: Final = 0.6
MEANT: Final = 0.8
HALF: Final = 0.5
# What deletes names something that exists more rarely, or soon nothing would be left.
DELETED: Final = 0.3
PAGE_MAX: Final = 10
LIST_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One call. operation: the name of its only top-level field."""

    operation: str
    document: str
    variables: Mapping[str, Any]

    @property
    def body(self) -> str:
        """The call as it is sent."""
        return json.dumps({"query": self.document, "variables": self.variables})


def operation_names(schema: GraphQLSchema) -> list[str]:
    """Return all fields of queries and of mutations."""
    roots = (schema.query_type, schema.mutation_type)
    return [name for root in roots if root is not None for name in root.fields]


def calls(schema: GraphQLSchema, operation: str, known: Known) -> st.SearchStrategy[Call]:
    """Return the strategy of calls of one operation."""
    assert schema.query_type is not None
    of = queries if operation in schema.query_type.fields else mutations
    documents = of(schema, fields=[operation], custom_scalars=scalar_strategies(), print_ast=lambda node: node)

    def call(document: graphql.DocumentNode, entropy: int) -> Call:
        random = Random(entropy)  # noqa: S311
        type_info = TypeInfo(schema)
        visitor = _Meaning(type_info, known, operation, random)
        document = visit(document, graphql.TypeInfoVisitor(type_info, visitor))
        variables: dict[str, Any] = {}
        if random.random() < HALF:
            document, variables = _lifted(schema, document)
        return Call(operation, graphql.print_ast(document), variables)

    return st.builds(call, documents, st.integers(0, 2**32))


class _Meaning(Visitor):
    """Makes a document mean something in an organization."""

    def __init__(self, type_info: TypeInfo, known: Known, operation: str, random: Random) -> None:
        super().__init__()
        self._types, self._known, self._operation, self._random = type_info, known, operation, random
        self._names: list[str] = []

    def enter_field(self, node: graphql.FieldNode, *_: Any) -> graphql.FieldNode | None:
        """Leave out optional arguments; select what an answer is recognised by."""
        field = self._types.get_field_def()
        if field is None:
            return None
        arguments = tuple(
            argument
            for argument in node.arguments or ()
            if graphql.is_required_argument(field.args[argument.name.value]) or self._random.random() > LEFT_OUT
        )
        selections = node.selection_set
        type_ = get_named_type(field.type)
        if selections is not None and isinstance(type_, graphql.GraphQLObjectType):
            added = _recognised(type_)
            selections = graphql.SelectionSetNode(selections=(*selections.selections, *added))
        return graphql.FieldNode(
            name=node.name, alias=node.alias, arguments=arguments, directives=(), selection_set=selections
        )

    def enter_argument(self, node: graphql.ArgumentNode, *_: Any) -> graphql.ArgumentNode | None:
        """Replace the whole value of an argument of JSON; go into others."""
        self._names.append(node.name.value)
        value = self._whole(node.name.value, node.value)
        return None if value is None else graphql.ArgumentNode(name=node.name, value=value)

    def leave_argument(self, *_: Any) -> None:
        """Forget the name again."""
        self._names.pop()

    def enter_object_field(self, node: graphql.ObjectFieldNode, *_: Any) -> graphql.ObjectFieldNode | None:
        """Replace the whole value of a field of JSON; go into others."""
        self._names.append(node.name.value)
        value = self._whole(node.name.value, node.value)
        return None if value is None else graphql.ObjectFieldNode(name=node.name, value=value)

    def leave_object_field(self, *_: Any) -> None:
        """Forget the name again."""
        self._names.pop()

    def enter_object_value(self, node: graphql.ObjectValueNode, *_: Any) -> graphql.ObjectValueNode | None:
        """Leave one field of an input that takes exactly one."""
        type_ = get_named_type(self._types.get_input_type())
        if not isinstance(type_, GraphQLInputObjectType) or not type_.is_one_of:
            return None
        given = [field for field in node.fields if not isinstance(field.value, graphql.NullValueNode)]
        return nodes.Object([self._random.choice(given)]) if given else None

    def enter_list_value(self, node: graphql.ListValueNode, *_: Any) -> graphql.ListValueNode | None:
        """Shorten a list, for one value that is wrong refuses them all; put something into an empty one."""
        if self._random.random() > MEANT:
            return None
        type_ = get_named_type(self._types.get_input_type())
        if len(node.values) > LIST_MAX:
            return nodes.List(list(node.values[:LIST_MAX]))
        if node.values or getattr(type_, "name", "") not in {"ID", "String"}:
            return None
        return nodes.List([value for _ in range(2) if (value := self._meant(getattr(type_, "name", ""))) is not None])

    def enter_string_value(self, *_: Any) -> graphql.ValueNode | None:
        """Replace a text by an id or a name that suits its place."""
        type_ = get_named_type(self._types.get_input_type())
        share = DELETED if self._operation.startswith(("delete", "revoke")) else MEANT
        type_name = getattr(type_, "name", "")
        return self._meant(type_name) if self._random.random() < share else None

    def enter_int_value(self, *_: Any) -> graphql.ValueNode | None:
        """Keep pages small, so that operations are not refused for their cost alone."""
        name = self._names[-1] if self._names else ""
        if self._random.random() > MEANT:
            return None
        if name in {"first", "last", "depth", "maxDepth", "limit", "port", "version", "maxEvents"}:
            return nodes.Int(self._random.randint(1, PAGE_MAX))
        return None

    def _whole(self, name: str, value: graphql.ValueNode) -> graphql.ValueNode | None:
        type_ = get_named_type(self._types.get_input_type())
        type_name = getattr(type_, "name", "")
        if isinstance(value, graphql.NullValueNode) and type_name in {"ID", "String"} and self._random.random() < HALF:
            return self._meant(type_name)
        if type_name != "JSON" or self._random.random() > MEANT:
            return None
        if isinstance(value, graphql.ListValueNode) and name.endswith("s") and name == "records":
            return nodes.List([value_node(example_of(name, self._random)) for _ in range(self._random.randint(1, 3))])
        example = example_of(name, self._random)
        return None if example is None else value_node(self._damaged(example))

    def _damaged(self, value: Any) -> Any:
        """Return a well-formed value, now and then with one part of it gone or another."""
        if self._random.random() < MEANT or not value:
            return value
        if isinstance(value, dict):
            name = self._random.choice(list(value))
            rest = {other: item for other, item in value.items() if other != name}
            return rest if self._random.random() < HALF else {**rest, name: self._damaged(value[name])}
        if isinstance(value, list):
            return [self._damaged(item) for item in value]
        return self._random.choice([None, -1, 1e300, "", "x" * 300, [], {}, True, [[]], {"a": 1}])

    def _meant(self, type_name: str) -> graphql.ValueNode | None:
        name = self._names[-1] if self._names else ""
        if type_name == "ID":
            identity = self._known.id_for(self._random, operation=self._operation, argument=name)
            return None if identity is None else nodes.String(identity)
        if type_name == "DateTime":
            return nodes.String(self._known.instant_for(self._random, argument=name))
        if type_name != "String":
            return None
        if name in {"after", "before"}:
            return nodes.String(self._random.choice(self._known.cursors)) if self._known.cursors else None
        words = words_for(self._operation, name)
        return nodes.String(self._random.choice(words)) if words else None


def _recognised(type_: graphql.GraphQLObjectType) -> list[graphql.FieldNode]:
    """Return selections that tell what came of a mutation: its errors, and the id of what it made."""
    if "errors" not in type_.fields:
        return []
    added = []
    for name, field in type_.fields.items():
        of = get_named_type(field.type)
        if field.args or not isinstance(of, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType):
            continue
        wanted = [leaf for leaf in ("id", "code", "message", "path") if leaf in of.fields and not of.fields[leaf].args]
        if wanted:
            added.append(_selection(name, [_selection(leaf) for leaf in wanted]))
    return added


def _selection(name: str, inner: list[graphql.FieldNode] | None = None) -> graphql.FieldNode:
    selections = None if inner is None else graphql.SelectionSetNode(selections=tuple(inner))
    return graphql.FieldNode(
        name=graphql.NameNode(value=name), arguments=(), directives=(), selection_set=selections
    )  # fmt: skip


def _lifted(schema: GraphQLSchema, document: graphql.DocumentNode) -> tuple[graphql.DocumentNode, dict[str, Any]]:
    """Return the document with the arguments of its top-level field as variables, and these."""
    [operation] = document.definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    [field] = operation.selection_set.selections
    assert isinstance(field, graphql.FieldNode)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    arguments, definitions, variables = [], [], {}
    for argument in field.arguments or ():
        name = argument.name.value
        variable = graphql.VariableNode(name=graphql.NameNode(value=name))
        type_ = root.fields[field.name.value].args[name].type
        definitions.append(
            graphql.VariableDefinitionNode(variable=variable, type=graphql.parse_type(str(type_)), directives=())
        )
        variables[name] = graphql.value_from_ast_untyped(argument.value)
        arguments.append(graphql.ArgumentNode(name=argument.name, value=variable))
    lifted = graphql.FieldNode(
        name=field.name, alias=None, arguments=tuple(arguments), directives=(), selection_set=field.selection_set
    )
    whole = graphql.OperationDefinitionNode(
        operation=operation.operation,
        name=None,
        variable_definitions=tuple(definitions),
        directives=(),
        selection_set=graphql.SelectionSetNode(selections=(lifted,)),
    )
    return graphql.DocumentNode(definitions=(whole,)), variables
