"""Coerce long lists of input objects by column, as `completion.py` completes long lists of objects.

The core coerces a variable value by value: a call and some tests of its type for each. A list of input objects that
have scalars and enums alone is coerced here field by field for all of them. What is unusual takes the core's way, which
also says what is wrong with it: a value that is not of its type, a field that is missing or unknown. The result is the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_, itemgetter
from typing import Any, Final
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    type_from_ast,
)
from graphql.pyutils import UndefinedType
from graphql.utilities.coerce_input_value import coerce_default_value

# Shorter lists are not worth it.
ITEMS_MIN: Final = 16
# Input objects of so many different sets of fields in one list: more are coerced one by one.
SHAPES_MAX: Final = 16
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
_NULL: Final = type(None)
# Values of these types are coerced to themselves.
_UNCHANGED: Final = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}

Coerce = Callable[[Sequence[Any]], Sequence[Any]]


class _UnusualError(Exception):
    """A value that the core is to coerce."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Input objects that have the same fields: how those are coerced, and what the absent ones are.

    is_named_alike: coerced, their fields have the same names.
    """

    read: Callable[[Any], tuple[Any, ...]]
    names: Sequence[str]
    columns: Sequence[Coerce]
    defaults: dict[str, Any]
    is_named_alike: bool


class FlatInput:
    """An input type whose fields are all scalars and enums."""

    def __init__(self, input_type: GraphQLInputObjectType) -> None:
        self._type = input_type
        self._shapes: dict[frozenset[str], _Shape] = {}

    def coerced(self, items: Sequence[Any]) -> list[Any] | None:
        """Return the coerced input objects; None where the core is to coerce them."""
        try:
            return self._coerced(items)
        except Exception:  # noqa: BLE001  (whatever is wrong, the core says it)
            return None

    def _coerced(self, items: Sequence[Any]) -> list[Any]:
        places: dict[frozenset[str], list[int]] = {}
        if set(map(type, items)) != {dict}:
            raise _UnusualError
        for place, item in enumerate(items):
            places.setdefault(frozenset(item), []).append(place)
            if len(places) > SHAPES_MAX:
                raise _UnusualError
        coerced: list[Any] = [None] * len(items)
        for names, of_shape in places.items():
            shape = self._shapes.get(names)
            if shape is None:
                shape = self._shape(names)
                if len(self._shapes) < SHAPES_MAX:
                    self._shapes[names] = shape
            columns = list(zip(*[shape.read(items[place]) for place in of_shape], strict=True))
            values = [coerce(column) for coerce, column in zip(shape.columns, columns, strict=True)]
            rows: Iterable[dict[str, Any]]
            if shape.is_named_alike and all(map(_is_unchanged, values, columns)):
                rows = [items[place] for place in of_shape]
            else:
                rows = (dict(zip(shape.names, row, strict=True)) for row in zip(*values, strict=True))
            for place, row in zip(of_shape, rows, strict=True):
                coerced[place] = self._type.out_type(shape.defaults | row)
        return coerced

    def _shape(self, present: frozenset[str]) -> _Shape:
        fields = self._type.fields
        if not present or not present <= fields.keys():
            raise _UnusualError
        names = [name for name in fields if name in present]
        defaults: dict[str, Any] = {}
        for name, field in fields.items():
            if name not in present:
                if is_required_input_field(field):
                    raise _UnusualError
                if (default := coerce_default_value(field)) is not Undefined:
                    defaults[field.out_name or name] = default
        one = itemgetter(names[0])
        read = itemgetter(*names) if len(names) > 1 else lambda item: (one(item),)
        outer = [fields[name].out_name or name for name in names]
        return _Shape(read, outer, [_column(fields[name]) for name in names], defaults, outer == names)


class BulkInputs:
    """Finds the variables of an operation that are long lists of flat input objects, and coerces them."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._flat: WeakKeyDictionary[GraphQLInputObjectType, FlatInput | None] = WeakKeyDictionary()

    def coerced(
        self, operation: OperationDefinitionNode | None, variables: Mapping[str, Any] | None
    ) -> dict[str, list[Any]]:
        """Return what could be coerced by column of an operation's variables, by their names."""
        coerced: dict[str, list[Any]] = {}
        for definition in (operation and operation.variable_definitions) or ():
            name = definition.variable.name.value
            items = (variables or {}).get(name)
            if not isinstance(items, list) or len(items) < ITEMS_MIN:
                continue
            declared: Any = type_from_ast(self._schema, definition.type)
            flat = self._flat_of(_nullable(declared))
            done = None if flat is None else flat.coerced(items)
            if done is not None:
                coerced[name] = done
        return coerced

    def _flat_of(self, declared: Any) -> FlatInput | None:
        item = _nullable(declared.of_type) if is_list_type(declared) else None
        if not is_input_object_type(item) or item.is_one_of:
            return None
        if item not in self._flat:
            is_flat = all(is_leaf_type(_nullable(field.type)) for field in item.fields.values())
            self._flat[item] = FlatInput(item) if is_flat else None
        return self._flat[item]


def _nullable(declared: Any) -> Any:
    return declared.of_type if is_non_null_type(declared) else declared


def _is_unchanged(values: Sequence[Any], column: Sequence[Any]) -> bool:
    return values is column or all(map(is_, values, column))


def _column(field: GraphQLInputField) -> Coerce:
    leaf_type: Any = _nullable(field.type)
    is_required = is_non_null_type(field.type)
    unchanged = _UNCHANGED.get(leaf_type)
    coerce_one = leaf_type.coerce_input_value

    def coerce(values: Sequence[Any]) -> Sequence[Any]:
        types = set(map(type, values))
        if _NULL in types and is_required:
            raise _UnusualError
        types.discard(_NULL)
        if types == {unchanged} or not types:
            return values
        if leaf_type is GraphQLInt and types == {int}:
            known = [value for value in values if value is not None]
            if min(known) >= _INT_MIN and max(known) <= _INT_MAX:
                return values
        coerced = [None if value is None else coerce_one(value) for value in values]
        if UndefinedType in set(map(type, coerced)):
            raise _UnusualError
        return coerced

    return coerce
