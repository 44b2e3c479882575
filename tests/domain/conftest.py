"""Organizations as the domain makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from domain.plant.organizations.operations import organization_create
from testing.deriving_plant import DerivingPlant
from testing.line import Line
from testing.world import EPOCH, World, new_id, world_create


@pytest.fixture
def worlds(engine: Callable[[str], Engine]) -> Callable[[str], World]:
    """`worlds(name)`: a new organization."""

    def create(name: str) -> World:
        with Session(engine("owner")) as session, session.begin():
            made = organization_create(session, name=name, public_id=new_id(), now=EPOCH)
        return World(made.id, engine("api"))

    return create


@pytest.fixture
def world(worlds: Callable[[str], World]) -> World:
    """An organization with nothing in it."""
    return worlds("Plant")


@pytest.fixture
def other(worlds: Callable[[str], World]) -> World:
    """Another organization of the same installation, with nothing in it."""
    return worlds("Other")


@pytest.fixture
def plant(engine: Callable[[str], Engine]) -> DerivingPlant:
    """An organization whose pumps derive."""
    return DerivingPlant(Line(world_create(owner=engine("owner"), api=engine("api"), slug="pumps"), engine))


@pytest.fixture
def statements() -> Callable[[Engine], AbstractContextManager[list[str]]]:
    """`with statements(engine) as seen`: the statements sent within the block."""

    @contextmanager
    def watch(engine: Engine) -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return watch
