"""Plans of selections: how the fields that are selected of a type are resolved, worked out once per document."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import UndefinedType
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from gql.base.batched import ManyResolver, many_of
from gql.base.scalars import as_is, date_time_print, date_times_print

PLANS_MAX: Final = 4_096
CONVERSIONS_MAX: Final = 64
_BACKREF: Final = "strawberry-definition"
_NULL: Final = type(None)
# Values of these types are answered unchanged.
_UNCHANGED: Final[dict[GraphQLOutputType, type]] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}

Convert = Callable[[Any], Any]


class UnusualError(Exception):
    """A leaf that is to be completed the ordinary way: null where it must not be, or of no value of its type."""


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A field that is selected under a response name.

    resolver: what returns its value, None for an attribute. of_many: what returns the values of many objects.
    has_source: whether the resolver takes the object.
    arguments: those of the resolver, once they are known to be the same in each operation of the document.
    """

    name: str
    attribute: str | None
    definition: GraphQLField
    details: FieldDetailsList
    resolver: StrawberryResolver[Any] | None = None
    field: StrawberryField | None = None
    of_many: ManyResolver | None = None
    has_source: bool = True
    arguments: dict[str, Any] = dataclass_field(default_factory=dict)

    @property
    def has_variables(self) -> bool:
        """Whether a variable is among its arguments."""
        return any(_has_variable(argument.value) for argument in self.details[0].node.arguments or ())


@dataclass(slots=True)
class Plan:
    """The fields that are selected of an object type, in their order.

    leaves: attributes that are scalars or enums. valued: those that resolvers return, and attributes that are objects
    or lists. ordinary: those that only the core can resolve.
    """

    names: Sequence[str]
    leaves: Sequence[PlannedField]
    valued: Sequence[PlannedField]
    ordinary: Sequence[PlannedField]
    _read: Callable[[Any], tuple[Any, ...]]
    _columns: Sequence[Column]
    _leaf_names: Sequence[str]
    _is_leaves_alone: bool

    def rows(self, sources: Sequence[Any]) -> list[Any]:
        """Return the answer's object for each source, with its leaves, and null for all else. Hot path: by column.

        Raises UnusualError where a leaf of any of them is; any other error is that of a leaf.
        """
        if not sources or not self._leaf_names:
            return [dict.fromkeys(self.names) for _ in sources]
        read = zip(*map(self._read, sources), strict=True)
        columns = [column.converted(values) for column, values in zip(self._columns, read, strict=True)]
        names = self._leaf_names
        if self._is_leaves_alone:
            return [dict(zip(names, values, strict=False)) for values in zip(*columns, strict=True)]
        rows = [dict.fromkeys(self.names) for _ in sources]
        for row, values in zip(rows, zip(*columns, strict=True), strict=False):
            row.update(zip(names, values, strict=False))
        return rows


class Column:
    """What converts the values of a leaf to what is answered, many at once."""

    def __init__(self, return_type: GraphQLOutputType) -> None:
        inner = _inner(return_type)
        self._is_required = is_non_null_type(return_type)
        self._unchanged = _UNCHANGED.get(inner)
        self._is_float = inner is GraphQLFloat
        self._convert = converter(inner)
        self._is_date_time = getattr(inner, "coerce_output_value", None) is date_time_print
        self._is_identity = getattr(inner, "coerce_output_value", None) is as_is

    def converted(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return the converted values. Raises UnusualError; any other error is that of a value."""
        types = set(map(type, values))
        has_null = _NULL in types
        if has_null:
            if self._is_required:
                raise UnusualError
            types.discard(_NULL)
        if types == {self._unchanged} or not types:
            return values
        if types == {float} and self._is_float and not has_null and all(map(math.isfinite, values)):
            return values
        if any(issubclass(of_value, Exception) for of_value in types):
            raise UnusualError
        if self._is_identity and UndefinedType not in types:
            return values
        if types == {datetime} and not has_null and self._is_date_time:
            return date_times_print(values)
        convert = self._convert
        converted = [None if value is None else convert(value) for value in values]
        if converted.count(None) != values.count(None) or UndefinedType in set(map(type, converted)):
            raise UnusualError
        return converted


class Plans:
    """The plans of one schema's selections, and which object type values of a class are of."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self.types: dict[type, GraphQLObjectType] = {}
        for of_name in schema.type_map.values():
            made = of_name.extensions.get(_BACKREF)
            if (
                isinstance(of_name, GraphQLObjectType)
                and isinstance(made, StrawberryObjectDefinition)
                and not made.is_graphql_generic
                and not made.concrete_of
            ):
                self.types[made.origin] = of_name

    def get(self, object_type: GraphQLObjectType, grouped: GroupedFieldSet) -> Plan:
        """Return the plan of the fields that are selected of a type. The same nodes have the same plan."""
        key = (object_type, *((name, *(id(detail.node) for detail in details)) for name, details in grouped.items()))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = _plan(object_type, grouped)
            # A plan holds the nodes, so that their ids are theirs as long as it is here.
            while len(self._plans) > PLANS_MAX:
                self._plans.popitem(last=False)
        return plan


def converter(leaf_type: GraphQLOutputType) -> Convert:
    """Return what converts a value of a leaf type to what is answered."""
    if not isinstance(leaf_type, GraphQLEnumType):
        convert: Convert = leaf_type.coerce_output_value  # type: ignore[union-attr]
        return convert
    names: dict[Any, Any] = {}

    def enum_name(value: Any) -> Any:
        try:
            return names[value]
        except (KeyError, TypeError):
            name = leaf_type.coerce_output_value(value)
            if len(names) < CONVERSIONS_MAX:
                names[value] = name
            return name

    return enum_name


def _plan(object_type: GraphQLObjectType, grouped: GroupedFieldSet) -> Plan:
    leaves: list[PlannedField] = []
    valued: list[PlannedField] = []
    ordinary: list[PlannedField] = []
    for name, details in grouped.items():
        planned = _planned(object_type, name, details)
        if planned.attribute is not None and is_leaf_type(_inner(planned.definition.type)):
            leaves.append(planned)
        elif planned.attribute is not None or planned.resolver is not None:
            valued.append(planned)
        else:
            ordinary.append(planned)
    return Plan(
        tuple(grouped),
        leaves,
        valued,
        ordinary,
        _reader([leaf.attribute or "" for leaf in leaves]),
        [Column(leaf.definition.type) for leaf in leaves],
        [leaf.name for leaf in leaves],
        not valued and not ordinary,
    )


def _planned(object_type: GraphQLObjectType, name: str, details: FieldDetailsList) -> PlannedField:
    definition = object_type.fields.get(details[0].node.name.value)
    if definition is None:
        # __typename, which is no field of the type.
        return PlannedField(name, None, GraphQLField(GraphQLString), details)
    made = definition.extensions.get(_BACKREF)
    if isinstance(made, StrawberryField) and not made.extensions:
        if made.base_resolver is None:
            return PlannedField(name, made.python_name, definition, details)
        resolver = made.base_resolver
        if not (resolver.parent_parameter or resolver.root_parameter):
            has_source = resolver.self_parameter is not None
            of_many = many_of(resolver.wrapped_func) if has_source else None
            return PlannedField(name, None, definition, details, resolver, made, of_many, has_source)
    return PlannedField(name, None, definition, details)


def _has_variable(node: ValueNode) -> bool:
    match node:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variable, node.values))
        case ObjectValueNode():
            return any(_has_variable(of_field.value) for of_field in node.fields)
    return False


def _reader(attributes: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(attributes) > 1:
        read: Callable[[Any], tuple[Any, ...]] = attrgetter(*attributes)
        return read
    if not attributes:
        return lambda _: ()
    [attribute] = attributes
    return lambda source: (getattr(source, attribute),)


def _inner(return_type: GraphQLOutputType) -> GraphQLOutputType:
    return return_type.of_type if is_non_null_type(return_type) else return_type
