"""The description of the REST routes (OpenAPI 3.1), generated from their documents and the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    value_from_ast_untyped,
    visit,
)
from graphql.language import Visitor

from gql.server.rest.answers import LIST, RESULT, VALUE
from gql.server.rest.documents import definitions
from gql.server.rest.routes import BASE, ROUTES, Route
from gql.server.rest.shapes import Shapes, plain
from gql.server.rest.variables import INPUT, is_json_parameter, variable_types

_ERROR: Final = {
    "type": "object",
    "required": ["code", "message", "path"],
    "properties": {
        "code": {"type": "string", "description": "One of the codes of docs/reference/errors.md."},
        "message": {"type": "string", "description": "One sentence, for a person."},
        "path": {"type": "array", "items": {"type": "string"}, "description": "Where in the request the fault lies."},
        "traceId": {"type": "string", "description": "Of a fault inside Argus: leads to it in the log."},
    },
}
_ERRORS: Final = {
    "type": "object",
    "required": ["errors"],
    "properties": {"errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Error"}}},
}
# Where the head cannot be read, nobody knows that it was meant for one of these routes.
_HEAD_ERRORS: Final = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message", "extensions"],
                "properties": {
                    "message": {"type": "string", "description": "One sentence, for a person."},
                    "extensions": {
                        "type": "object",
                        "required": ["code"],
                        "properties": {"code": {"type": "string"}},
                    },
                },
            },
        }
    },
}
_REFUSALS: Final = {
    "400": "What was sent cannot be used.",
    "401": "No token, or one that is not valid.",
    "403": "The token may not do this.",
    "404": "There is nothing with this id.",
    "409": "It contradicts what is recorded.",
    "412": "It was changed since the entity tag of If-Match.",
    "413": "It is too large.",
    "415": "The body is no JSON.",
    "431": "The head of the request is too long; the error is as over GraphQL.",
    "429": "Too many requests; Retry-After says when to try again.",
    "503": "A part of Argus is unavailable; Retry-After says when to try again.",
    "504": "It took too long.",
}
_ETAG: Final = {"ETag": {"description": "Its version, for If-Match.", "schema": {"type": "string"}}}
_LINK: Final = {"Link": {"description": 'The next page, with rel="next".', "schema": {"type": "string"}}}
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def openapi(schema: GraphQLSchema) -> dict[str, Any]:
    """Return the description of all routes."""
    writer = _Writer(schema)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(f"{BASE}/{route.path}", {})[route.method.lower()] = writer.operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Argus",
            "version": "1",
            "description": "Routes for what GraphQL does at /graphql, each a document of it.",
        },
        "servers": [{"url": "."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, "Errors": _ERRORS, "HeadErrors": _HEAD_ERRORS, **writer.components},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                status: {
                    "description": meaning,
                    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_shape_of(status)}"}}},
                }
                for status, meaning in _REFUSALS.items()
            },
        },
    }


def _shape_of(status: str) -> str:
    return "HeadErrors" if status == "431" else "Errors"


class _Writer:
    """Writes operations, and the components that they refer to."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._operations, fragments = definitions()
        self._shapes = Shapes(schema, fragments)

    @property
    def components(self) -> dict[str, Any]:
        """The components that operations refer to."""
        return self._shapes.components

    def operation(self, route: Route) -> dict[str, Any]:
        """Return the description of a route."""
        node = self._operations[route.operation]
        types = variable_types(self._schema, node)
        defaults = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in node.variable_definitions or ()
            if definition.default_value is not None
        }
        meanings = self._meanings(node)
        of_path = set(re.findall(r"{(\w+)}", route.path))
        described: dict[str, Any] = {
            "operationId": route.operation[0].lower() + route.operation[1:],
            "tags": [route.tag],
            "summary": _WORDS.sub(" ", route.operation).capitalize(),
            "description": self._description(node),
            "parameters": [
                self._parameter(name, declared, meanings, defaults, in_path=name in of_path)
                for name, declared in types.items()
                if name in of_path or not route.has_body
            ],
            "responses": self._responses(route, node),
        }
        members = {name: declared for name, declared in types.items() if name not in of_path}
        if route.has_body:
            described["requestBody"] = self._body(route, members, meanings, defaults)
        if self._is_conditional(members):
            described["parameters"].append(
                {
                    "name": "If-Match",
                    "in": "header",
                    "description": "The ETag of what was read: 412 where it was changed since.",
                    "schema": {"type": "string", "pattern": '^"[^",]+"$'},
                }
            )
        return described

    def _is_conditional(self, members: Mapping[str, Any]) -> bool:
        declared = members.get(INPUT)
        return "ifUpdatedAt" in getattr(getattr(declared, "of_type", declared), "fields", {})

    def _parameter(
        self,
        name: str,
        declared: Any,
        meanings: Mapping[str, str],
        defaults: Mapping[str, Any],
        *,
        in_path: bool,
    ) -> dict[str, Any]:
        described: dict[str, Any] = {"name": name, "in": "path" if in_path else "query"}
        if meanings.get(name):
            described["description"] = meanings[name]
        is_needed = in_path or (isinstance(declared, GraphQLNonNull) and name not in defaults)
        if is_needed:
            described["required"] = True
        shape = self._shapes.input(declared, is_parameter=True)
        if name in defaults and not is_json_parameter(declared):
            shape = {**shape, "default": defaults[name]}
        if is_json_parameter(declared):
            described["content"] = {"application/json": {"schema": shape}}
        else:
            described["schema"] = shape
        return described

    def _body(
        self, route: Route, members: Mapping[str, Any], meanings: Mapping[str, str], defaults: Mapping[str, Any]
    ) -> dict[str, Any]:
        required = [
            name for name, declared in members.items() if isinstance(declared, GraphQLNonNull) and name not in defaults
        ]
        if INPUT in members:
            shape = self._shapes.input(members[INPUT])
            if route.completed:
                name = shape["$ref"].rpartition("/")[2]
                whole = self.components[name]
                part = {**whole, "required": [member for member in whole["required"] if member not in route.completed]}
                self.components[f"{name}Patch"] = part
                shape = {"$ref": f"#/components/schemas/{name}Patch"}
        else:
            shape = {"type": "object", "additionalProperties": False, "properties": {}}
            for name, declared in members.items():
                shape["properties"][name] = {**self._shapes.input(declared), "description": meanings.get(name, "")}
            if required:
                shape["required"] = required
        types = (
            ("application/json", "application/merge-patch+json") if route.method == "PATCH" else ("application/json",)
        )
        return {
            "required": INPUT in members or bool(required),
            "content": {media_type: {"schema": shape} for media_type in types},
        }

    def _responses(self, route: Route, node: OperationDefinitionNode) -> dict[str, Any]:
        refusals = {code: {"$ref": f"#/components/responses/{code}"} for code in _REFUSALS}
        shape = self._answer(node)
        if route.method == "DELETE" and set(shape.get("properties", {})) == {"id"}:
            return {"204": {"description": "It is deleted."}, **refusals}
        members = self._shapes.named(shape).get("properties", {})
        headers: dict[str, Any] = {}
        if route.created_at is not None:
            headers["Location"] = {"description": "Where it is.", "schema": {"type": "string"}}
        if "updatedAt" in members:
            headers |= _ETAG
        if "pageInfo" in members:
            headers |= _LINK
        answer: dict[str, Any] = {"description": "Done.", "content": {"application/json": {"schema": shape}}}
        if headers:
            answer["headers"] = headers
        responses = {"200" if route.created_at is None else "201": answer, **refusals}
        if "updatedAt" in members and route.method == "GET":
            responses["304"] = {"description": "It is as If-None-Match has it."}
        return responses

    def _answer(self, node: OperationDefinitionNode) -> dict[str, Any]:
        """Return the shape of what a route answers."""
        data = self._shapes.selected(self._root(node), node.selection_set)
        if RESULT not in data["properties"]:
            return data
        shape = plain(data["properties"][RESULT])
        members = shape.get("properties", {})
        if set(members) == {LIST}:
            return plain(members[LIST])
        if VALUE in members:
            return plain(members[VALUE])
        if node.operation is OperationType.MUTATION:
            counts = {name: inner for name, inner in members.items() if name != "errors"}
            return {**shape, "properties": counts, "required": list(counts)}
        return shape

    def _root(self, node: OperationDefinitionNode) -> GraphQLObjectType:
        root = self._schema.get_root_type(node.operation)
        assert root is not None  # noqa: S101  (the schema has both)
        return root

    def _meanings(self, node: OperationDefinitionNode) -> dict[str, str]:
        """Return what the schema says of the arguments in which the variables of an operation stand."""
        info = TypeInfo(self._schema)
        meanings: dict[str, str] = {}

        class Uses(Visitor):
            def enter_variable(self, variable: VariableNode, _key: Any, parent: Any, *_: Any) -> None:
                of: Any = info.get_argument()
                holder = info.get_parent_input_type()
                if isinstance(holder, GraphQLInputObjectType):
                    of = holder.fields.get(getattr(getattr(parent, "name", None), "value", ""), of)
                if of is not None and of.description:
                    meanings.setdefault(variable.name.value, of.description)

        visit(node, TypeInfoVisitor(info, Uses()))
        return meanings

    def _description(self, node: OperationDefinitionNode) -> str:
        """Return what the schema says of the first field of an operation."""
        first = node.selection_set.selections[0]
        assert isinstance(first, FieldNode)  # noqa: S101  (documents of our own)
        return self._root(node).fields[first.name.value].description or ""
