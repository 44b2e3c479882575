"""Shapes (JSON Schema) of what the schema's types take, and of what is selected of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    is_composite_type,
)

_SCALARS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Int": {"type": "integer", "format": "int32"},
    "Float": {"type": "number"},
    "String": {"type": "string"},
    "ID": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "format": "duration"},
    "JSON": {},
    "GeoJSON": {"type": "object"},
}


class Shapes:
    """Shapes of types; those with a name are components, to which others refer."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self.components: dict[str, Any] = {}

    def named(self, shape: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the component that a shape refers to, or the shape."""
        component: Mapping[str, Any] = self.components.get(shape.get("$ref", "").rpartition("/")[2], shape)
        return component

    def selected(self, of: Any, selection: SelectionSetNode) -> dict[str, Any]:
        """Return the shape of what is selected of a type. One fragment alone is a component of its name."""
        if len(selection.selections) == 1 and isinstance(selection.selections[0], FragmentSpreadNode):
            return self._fragment(selection.selections[0].name.value)
        properties: dict[str, Any] = {}
        for field, parent in self._fields(of, selection):
            declared = parent.fields[field.name.value]
            name = field.alias.value if field.alias else field.name.value
            properties[name] = self._output(declared.type, field.selection_set)
            if declared.description and "$ref" not in properties[name]:
                properties[name] = {**properties[name], "description": declared.description}
        return {"type": "object", "required": list(properties), "properties": properties}

    def _fields(self, of: Any, selection: SelectionSetNode) -> Iterator[tuple[FieldNode, Any]]:
        for item in selection.selections:
            if isinstance(item, FieldNode):
                yield item, of
            elif isinstance(item, InlineFragmentNode):
                condition = item.type_condition
                inner = of if condition is None else self._schema.type_map[condition.name.value]
                yield from self._fields(inner, item.selection_set)
            elif isinstance(item, FragmentSpreadNode):
                fragment: FragmentDefinitionNode = self._fragments[item.name.value]
                inner = self._schema.type_map[fragment.type_condition.name.value]
                yield from self._fields(inner, fragment.selection_set)

    def _fragment(self, name: str) -> dict[str, Any]:
        if name not in self.components:
            fragment = self._fragments[name]
            of = self._schema.type_map[fragment.type_condition.name.value]
            # Noted first: it may lead back here.
            self.components[name] = {}
            self.components[name] = {**self.selected(of, fragment.selection_set), "description": of.description or ""}
        return {"$ref": f"#/components/schemas/{name}"}

    def _output(self, declared: Any, selection: SelectionSetNode | None) -> dict[str, Any]:
        if isinstance(declared, GraphQLNonNull):
            return self._output_inner(declared.of_type, selection)
        return _or_null(self._output_inner(declared, selection))

    def _output_inner(self, declared: Any, selection: SelectionSetNode | None) -> dict[str, Any]:
        if isinstance(declared, GraphQLList):
            return {"type": "array", "items": self._output(declared.of_type, selection)}
        if is_composite_type(declared) and selection is not None:
            inner = self._only_inline(selection)
            return self.selected(declared, selection if inner is None else inner)
        return self._leaf(declared)

    def _only_inline(self, selection: SelectionSetNode) -> SelectionSetNode | None:
        """Return the selection of an inline fragment that is all there is."""
        only = selection.selections[0]
        if len(selection.selections) == 1 and isinstance(only, InlineFragmentNode):
            [inner] = only.selection_set.selections[:1]
            return only.selection_set if isinstance(inner, FragmentSpreadNode) else None
        return None

    def input(self, declared: Any, *, is_parameter: bool = False) -> dict[str, Any]:
        """Return the shape of what an argument takes. is_parameter: it is left out instead of null."""
        if isinstance(declared, GraphQLNonNull):
            return self._input_inner(declared.of_type)
        shape = self._input_inner(declared)
        return shape if is_parameter else _or_null(shape)

    def _input_inner(self, declared: Any) -> dict[str, Any]:
        if isinstance(declared, GraphQLList):
            return {"type": "array", "items": self.input(declared.of_type)}
        if not isinstance(declared, GraphQLInputObjectType):
            return self._leaf(declared)
        name = declared.name
        if name not in self.components:
            self.components[name] = {}
            properties = {}
            for member, field in declared.fields.items():
                shape = self.input(field.type)
                if field.description:
                    shape = {**shape, "description": field.description}
                properties[member] = shape
            self.components[name] = {
                "type": "object",
                "description": declared.description or "",
                "additionalProperties": False,
                "properties": properties,
                "required": [
                    member
                    for member, field in declared.fields.items()
                    if isinstance(field.type, GraphQLNonNull) and field.default_value is None
                ],
            }
        return {"$ref": f"#/components/schemas/{name}"}

    def _leaf(self, declared: Any) -> dict[str, Any]:
        if isinstance(declared, GraphQLEnumType):
            self.components.setdefault(
                declared.name,
                {"type": "string", "enum": list(declared.values), "description": declared.description or ""},
            )
            return {"$ref": f"#/components/schemas/{declared.name}"}
        return dict(_SCALARS[declared.name])


def _or_null(shape: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of what may be null."""
    if not shape:
        return shape
    if isinstance(shape.get("type"), str):
        return {**shape, "type": [shape["type"], "null"]}
    return {"anyOf": [shape, {"type": "null"}]}


def plain(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a shape without null: what a route answers is there, or refused."""
    if isinstance(shape.get("type"), list):
        return {**shape, "type": shape["type"][0]}
    return shape["anyOf"][0] if "anyOf" in shape else shape
