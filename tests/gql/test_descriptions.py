from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLEnumType, is_introspection_type, is_specified_scalar_type

from gql.base import descriptions
from gql.schema import core_schema


def described() -> Iterator[tuple[str, str | None]]:
    """Yield whatever of the schema is ours, by its coordinate, with its description."""
    for type_ in core_schema().type_map.values():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield type_.name, type_.description
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())
        for name, field in getattr(type_, "fields", {}).items():
            yield f"{type_.name}.{name}", field.description
            for key, argument in getattr(field, "args", {}).items():
                yield f"{type_.name}.{name}({key}:)", argument.description


ALL = dict(described())
WORDS = re.compile(r"[A-Za-z0-9']+")


def words(text: str) -> list[str]:
    """Return the words of a description or of a name in camelCase or CAPITALS, in small letters."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text).replace("_", " ")
    return [word.lower() for word in WORDS.findall(spaced)]


def name_of(coordinate: str) -> str:
    """Return the last name of a coordinate such as `Query.node(id:)`."""
    return coordinate.rstrip(":)").replace("(", ".").split(".")[-1]


def test_everything_in_the_schema_is_described() -> None:
    assert [name for name, text in ALL.items() if not text] == []


def test_a_description_is_sentences_of_some_words() -> None:
    assert {name: text for name, text in ALL.items() if not (text or "").endswith(".")} == {}
    assert {name: text for name, text in ALL.items() if len(words(text or "")) < 3} == {}


def test_a_description_says_more_than_the_name() -> None:
    repeated = {
        name: text
        for name, text in ALL.items()
        if [word for word in words(text or "") if word not in {"a", "an", "the"}] == words(name_of(name))
    }
    assert repeated == {}


def test_sections_of_a_docstring_describe_their_entries_and_are_not_part_of_the_description() -> None:
    assert {
        name: text for name, text in ALL.items() if re.search(r"^(Args|Attributes):", text or "", re.MULTILINE)
    } == {}
    assert ALL["Query.near(radiusM:)"] == "Greatest distance in metres, above 0 and at most 1,000,000."
    assert ALL["Edge.id"] == "Id of this version of the edge."


def test_every_entry_of_a_section_names_something_of_the_schema() -> None:
    wrong = []
    for type_ in core_schema().type_map.values():
        definition = descriptions.definition_of(type_)
        if definition is None or isinstance(type_, GraphQLEnumType) or not hasattr(type_, "fields"):
            continue
        fields = {descriptions.definition_of(field).python_name: field for field in type_.fields.values()}
        if type_.name not in {"Query", "Mutation", "Subscription"}:
            entries = descriptions.described(definition.origin)[1]
            wrong += [f"{type_.name}.{name}" for name in entries if name not in fields]
        for name, field in fields.items():
            resolver = getattr(descriptions.definition_of(field), "base_resolver", None)
            if resolver is not None:
                known = {
                    descriptions.definition_of(argument).python_name for argument in getattr(field, "args", {}).values()
                }
                entries = descriptions.described(resolver.wrapped_func)[1]
                wrong += [f"{type_.name}.{name}({key})" for key in entries if key not in known]
    assert wrong == []


@pytest.mark.parametrize("table", [descriptions.ARGUMENTS, descriptions.FIELDS])
def test_shared_descriptions_are_used_more_than_once(table: dict[str, str]) -> None:
    used = [name for name, text in ALL.items() if text in table.values()]
    counts = {key: sum(ALL[name] == text for name in used) for key, text in table.items()}
    assert {key: count for key, count in counts.items() if count < 2} == {}
