"""Organizations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from domain.plant.organizations.model import Organization, slug_of
from domain.plant.organizations.operations import organization_create
from domain.plant.organizations.queries import organization_by_slug, organization_get, organization_list
from graph.change import graph_change_begin
from graph.errors import BadInputError, NotFoundError
from graph.relationships.queries import relationship_list
from graph.tenancy import organization_set
from testing.faults import fault_of
from testing.world import EPOCH, new_id

Engines = Callable[[str], Engine]


def create(engine: Engines, name: str, slug: str | None = None) -> Organization:
    with Session(engine("owner")) as session, session.begin():
        return organization_create(session, name=name, slug=slug, public_id=new_id(), now=EPOCH)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("North Works", "north-works"),
        ("  Çelik & Söhne, Werk 2! ", "celik-sohne-werk-2"),
        ("Straße", "strasse"),
        ("x" * 100, "x" * 63),
        ("a" * 62 + " b", "a" * 62),
        ("--7--", "7"),
    ],
)
def test_a_slug_is_made_of_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_name_of_symbols_needs_a_slug(engine: Engines) -> None:
    with pytest.raises(BadInputError, match="give one"):
        slug_of("工場")
    assert create(engine, "工場", slug="factory").slug == "factory"


def test_an_organization_can_work_at_once(engine: Engines) -> None:
    made = create(engine, "North Works")
    assert (made.slug, made.name) == ("north-works", "North Works")
    with Session(engine("api")) as session, session.begin():
        assert organization_by_slug(session, slug="north-works") == made
        for slug in ("North Works", "", "\0", "north"):
            assert organization_by_slug(session, slug=slug) is None
    with Session(engine("api")) as session, session.begin():
        organization_set(session, organization_id=made.id)
        assert organization_get(session, organization_id=made.id) == made
        names = {relationship.name for relationship in relationship_list(session, organization_id=made.id)}
        assert {"CONTAINS", "HAS_PART", "LOCATED_IN", "MONITORED_BY", "CONTROLLED_BY", "FEEDS"} <= names
        assert graph_change_begin(session, organization_id=made.id, actor="a", new_id=new_id).revision == 1


def test_a_taken_slug_makes_nothing(engine: Engines) -> None:
    create(engine, "North Works")
    assert fault_of(lambda: create(engine, "North, works")) == ("CONFLICT", ("name",))
    assert fault_of(lambda: create(engine, "Other", slug="north-works")) == ("CONFLICT", ("slug",))
    for slug in ("", "-a", "A", "a b", "a" * 64, "a\n"):
        assert fault_of(lambda slug=slug: create(engine, "Other", slug=slug)) == ("BAD_USER_INPUT", ("slug",))  # type: ignore[misc]
    for name in ("", " ", "x" * 201, "a\0"):
        assert fault_of(lambda name=name: create(engine, name, slug="a")) == ("BAD_USER_INPUT", ("name",))  # type: ignore[misc]
    with Session(engine("owner")) as session:
        assert [organization.slug for organization in organization_list(session)] == ["north-works"]


def test_each_role_sees_what_it_needs(engine: Engines) -> None:
    first, second = create(engine, "First"), create(engine, "Second")
    for role in ("owner", "pipeline"):
        with Session(engine(role)) as session:
            assert organization_list(session) == [first, second]
    with Session(engine("api")) as session, session.begin():
        assert organization_list(session) == []
        organization_set(session, organization_id=first.id)
        assert organization_list(session) == [first]
        with pytest.raises(NotFoundError):
            organization_get(session, organization_id=second.id)
    with Session(engine("api")) as session, session.begin():
        organization_set(session, organization_id=first.id)
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text("UPDATE organizations SET name = 'x'"))
