"""Plans of selections: how the fields that are selected of a type are resolved, worked out once per document."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

PLANS_MAX: Final = 4_096
CONVERSIONS_MAX: Final = 64
_BACKREF: Final = "strawberry-definition"
# Values of these types are answered unchanged.
_UNCHANGED: Final[dict[GraphQLOutputType, type]] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}

Convert = Callable[[Any], Any]


class UnusualError(Exception):
    """A leaf that is to be completed the ordinary way: null where it must not be, or of no value of its type."""


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A field that is selected under a response name. resolver: what returns its value, None for an attribute."""

    name: str
    attribute: str | None
    definition: GraphQLField
    details: FieldDetailsList
    resolver: StrawberryResolver[Any] | None = None
    field: StrawberryField | None = None


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
    _leaf_names: Sequence[str]
    _is_leaves_alone: bool
    # By the types of the values: which of them are converted, and how; None where one is unusual.
    _conversions: dict[tuple[type, ...], Sequence[tuple[str, int, Convert]] | None] = field(default_factory=dict)

    def row(self, source: Any) -> dict[str, Any]:
        """Return the answer's object with the leaves of a source, and null for all else. Hot path.

        Raises UnusualError; any other error is that of a leaf.
        """
        values = self._read(source)
        types = tuple(map(type, values))
        try:
            converted = self._conversions[types]
        except KeyError:
            converted = self._conversion(types)
        if converted is None:
            raise UnusualError
        row: dict[str, Any]
        if self._is_leaves_alone:
            row = dict(zip(self._leaf_names, values, strict=False))
        else:
            row = dict.fromkeys(self.names)
            row.update(zip(self._leaf_names, values, strict=False))
        for name, place, convert in converted:
            value = row[name] = convert(values[place])
            if value is None or value is Undefined:
                raise UnusualError
        return row

    def _conversion(self, types: tuple[type, ...]) -> Sequence[tuple[str, int, Convert]] | None:
        converted = self._converted(types)
        if len(self._conversions) < CONVERSIONS_MAX:
            self._conversions[types] = converted
        return converted

    def _converted(self, types: tuple[type, ...]) -> Sequence[tuple[str, int, Convert]] | None:
        converted: list[tuple[str, int, Convert]] = []
        for place, (leaf, of_value) in enumerate(zip(self.leaves, types, strict=True)):
            return_type = leaf.definition.type
            if of_value is type(None):
                if is_non_null_type(return_type):
                    return None
            elif issubclass(of_value, Exception):
                return None
            elif _UNCHANGED.get(_inner(return_type)) is not of_value:
                converted.append((leaf.name, place, converter(_inner(return_type))))
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
        if resolver.self_parameter and not (resolver.parent_parameter or resolver.root_parameter):
            return PlannedField(name, None, definition, details, resolver, made)
    return PlannedField(name, None, definition, details)


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
