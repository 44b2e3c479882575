"""A small organization to try the graph on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from testing.world import World, world_create


@pytest.fixture
def worlds(engine: Callable[[str], Engine]) -> Callable[[str], World]:
    """`worlds(slug)`: a new organization with the built-in relationships and nothing else."""

    def create(slug: str) -> World:
        return world_create(owner=engine("owner"), api=engine("api"), slug=slug)

    return create


@pytest.fixture
def world(worlds: Callable[[str], World]) -> World:
    """An organization with the built-in relationships and nothing else."""
    return worlds("plant")
