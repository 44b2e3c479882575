"""Relay's compiler takes every list of the schema as a connection, read from both directions and again by its object."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    parse,
    print_schema,
    validate,
)

from gql.schema import core_schema
from gql.server.trusted import trusted_documents_load
from testing.clients import front_end_copy, node_needed
from testing.waits import patient

_LITERALS = {"DateTime": '"2026-01-01T00:00:00Z"', "Float": "1", "GeoJSON": "{}"}


def connections() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    """Yield the fields that are connections, of objects that can be read again."""
    for of in core_schema().type_map.values():
        if isinstance(of, GraphQLObjectType):
            for name, field in of.fields.items():
                if get_named_type(field.type).name.endswith("Connection"):
                    assert of.name == "Query" or "Node" in {interface.name for interface in of.interfaces}
                    yield of, name, field


def literal(argument: GraphQLArgument) -> str:
    kind = argument.type.of_type if isinstance(argument.type, GraphQLNonNull) else argument.type
    named = get_named_type(kind)
    value = next(iter(named.values)) if isinstance(named, GraphQLEnumType) else _LITERALS.get(named.name, '"x"')
    return f"[{value}]" if isinstance(kind, GraphQLList) else value


def fragment(of: GraphQLObjectType, name: str, field: GraphQLField, *, count: str, cursor: str) -> str:
    required = [
        f"{argument}: {literal(declared)}"
        for argument, declared in field.args.items()
        if isinstance(declared.type, GraphQLNonNull) and declared.default_value is Undefined
    ]
    arguments = ", ".join([*required, f"{count}: $count", f"{cursor}: $cursor"])
    named = f"{of.name}_{name}_{count}"
    return f"""graphql`
      fragment All_{named} on {of.name}
      @argumentDefinitions(count: {{ type: "Int", defaultValue: 2 }}, cursor: {{ type: "String" }})
      @refetchable(queryName: "All{named}Query") {{
        {name}({arguments}) @connection(key: "All_{of.name}_{count}_{name}") {{ edges {{ node {{ __typename }} }} }}
      }}`;"""


@node_needed("relay-compiler")
def test_every_list_is_a_connection_to_relays_compiler(tmp_path: Path) -> None:
    front_end = front_end_copy("relay", tmp_path)
    (front_end / "src" / "Building.js").unlink()
    fragments = [
        fragment(of, name, field, count=count, cursor=cursor)
        for of, name, field in connections()
        for count, cursor in (("first", "after"), ("last", "before"))
    ]
    assert len(fragments) > 80
    (front_end / "src" / "All.js").write_text("\n".join(fragments))
    (front_end / "schema.graphql").write_text(print_schema(core_schema()))
    settings = json.loads((front_end / "relay.config.json").read_text())
    settings["persistConfig"] = {"file": "./persisted.json", "algorithm": "SHA256"}
    (front_end / "persisted.json").write_text("{}")
    (front_end / "relay.config.json").write_text(json.dumps(settings))
    done = subprocess.run(
        ["node_modules/.bin/relay-compiler"],
        cwd=front_end,
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    # What it writes for trusted documents is read, and is valid here too.
    written = json.loads((front_end / "persisted.json").read_text())
    documents = trusted_documents_load(front_end / "persisted.json")
    assert len(written) == len(fragments)
    for hashed, text in written.items():
        assert documents.get(hashed) == text
        assert validate(core_schema(), parse(text)) == []
