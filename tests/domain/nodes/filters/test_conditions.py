"""Filters of entities: what SQL selects equals a plain oracle, for conditions joined by and, or and not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.nodes.filters.model import AttributeCondition, AttributeOperator, LatestCondition, ListFilter
from domain.plant.devices.model import Connectivity
from graph.kinds import EntityKind
from graph.walk.snapshot.cache import Snapshots
from testing.world import World, day, new_id
from tests.domain.nodes.filters.population import VALUES, Op, Population, fits

ASSET, DEVICE, SPACE, PERSON = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE, EntityKind.PERSON


def subset(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), max_size=3)


PATHS = ["a", "motor", "motor.kW", "a.0", "a.1", "K\u00fc", "Ku\u0308", "none.there"]
NUMBERS = [0.0, 1.0, 2.5, -3.0, 1e300, 9.3e18]
TEXTS = ["one", "O", "\u00fc", "K\u00fc", "%", "_b", ""]


def attributes() -> st.SearchStrategy[AttributeCondition]:
    paths, numbers, texts = st.sampled_from(PATHS), st.sampled_from(NUMBERS), st.sampled_from(TEXTS)
    operands: dict[AttributeOperator, st.SearchStrategy[Any]] = {
        Op.EXISTS: st.booleans(), Op.EQ: st.sampled_from(VALUES), Op.NE: st.sampled_from(VALUES), Op.IN: subset(VALUES),
        Op.CONTAINS: texts, Op.STARTS_WITH: texts, Op.GT: numbers, Op.GTE: numbers, Op.LT: numbers, Op.LTE: numbers,
    }  # fmt: skip
    return st.sampled_from(list(operands)).flatmap(
        lambda operator: st.builds(partial(AttributeCondition, operator=operator), path=paths, value=operands[operator])
    )


def latest() -> st.SearchStrategy[LatestCondition]:
    bounds = st.none() | st.sampled_from([0.0, 1.0, 2.0, 2.5])
    values = st.builds(LatestCondition, metric=st.just("t"), gt=bounds, gte=bounds, lt=bounds, lte=bounds, eq=bounds)
    texts = st.builds(LatestCondition, metric=st.just("t"), text=st.sampled_from(["on", "Ku\u0308che", "x"]))
    older = st.builds(
        LatestCondition, metric=st.sampled_from(["t", "none"]), older_than=st.sampled_from([timedelta(minutes=m) for m in (0, 700, 800, 900)]),
    )  # fmt: skip
    return (
        values.filter(lambda c: any(getattr(c, n) is not None for n in ("eq", "gt", "gte", "lt", "lte")))
        | texts
        | older
    )


def filters(population: Population) -> st.SearchStrategy[ListFilter]:
    days = st.sampled_from([day(n) for n in range(9)])
    ids = [item.id for item in population.items[:12]]
    one: list[st.SearchStrategy[ListFilter]] = [
        st.builds(ListFilter, kinds=subset(list(EntityKind))),
        st.builds(ListFilter, types=subset(["T1", "T2", "T3"]), statuses=subset(["active", "spare"])),
        st.builds(ListFilter, types=subset(["T1", "T2"])),
        st.builds(ListFilter, search=st.sampled_from(["pump", "2", "zz", ""])),
        st.just(ListFilter(under_id=population.root)),
        st.builds(ListFilter, connectivity=st.sampled_from(Connectivity)),
        st.builds(ListFilter, ids=subset([*ids, new_id()])),
        st.builds(ListFilter, external_ids=subset([*(f"x{n}" for n in range(9)), "a\0b"])),
        st.builds(ListFilter, profile_id=st.sampled_from(population.profiles)),
        st.builds(ListFilter, is_linked=st.booleans()),
        st.builds(ListFilter, has_open_events=st.booleans()),
        st.builds(ListFilter, created_from=days),
        st.builds(ListFilter, created_to=days, updated_from=days),
        st.builds(ListFilter, updated_to=days),
        st.builds(ListFilter, attributes=st.lists(attributes(), max_size=2)),
        st.builds(ListFilter, latest=st.lists(latest(), max_size=2)),
    ]
    return st.recursive(
        st.one_of(one),
        lambda inner: st.one_of(
            st.builds(ListFilter, every=st.lists(inner, max_size=3)),
            st.builds(ListFilter, any_of=st.lists(inner, max_size=3)),
            st.builds(ListFilter, none_of=inner),
            st.builds(
                lambda base, every, any_of, none_of: replace(base, every=every, any_of=any_of, none_of=none_of),
                st.one_of(one), st.none() | st.lists(inner, max_size=2), st.none() | st.lists(inner, max_size=2),
                st.none() | inner,
            ),
        ),
        max_leaves=6,
    )  # fmt: skip


@pytest.fixture
def population(world: World, engine: Callable[[str], Engine]) -> Population:
    return Population(world, engine("owner"))


def test_every_composition_selects_what_the_oracle_does(population: Population) -> None:
    snapshots = Snapshots()

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(where=filters(population), is_deleted=st.booleans(), is_walked=st.booleans())
    def check(where: ListFilter, is_deleted: bool, is_walked: bool) -> None:
        where = replace(where, is_deleted=is_deleted)
        if sum(len(part.latest or ()) for part in parts_of(where)) > 10:
            return
        expected = {i.id for i in population.items if i.deleted is is_deleted and fits(population, where, i)}
        assert set(population.listed(where, snapshots=snapshots if is_walked else None)) == expected

    check()


def parts_of(where: ListFilter) -> list[ListFilter]:
    return [where, *(inner for _, part in where.parts for inner in parts_of(part))]


def check(population: Population, where: ListFilter) -> None:
    expected = {item.id for item in population.items if not item.deleted and fits(population, where, item)}
    assert set(population.listed(where)) == expected, where


def test_each_condition_on_an_attribute(population: Population) -> None:
    operands: dict[AttributeOperator, Any] = {
        Op.EXISTS: [True, False], Op.EQ: VALUES, Op.NE: VALUES[:4], Op.IN: [VALUES[:3], VALUES[9:12], []],
        Op.CONTAINS: TEXTS, Op.STARTS_WITH: TEXTS, **dict.fromkeys((Op.GT, Op.GTE, Op.LT, Op.LTE), NUMBERS),
    }  # fmt: skip
    for path in PATHS:
        for operator, values in operands.items():
            for value in values:
                condition = AttributeCondition(path=path, operator=operator, value=value)
                check(population, ListFilter(attributes=[condition]))


@pytest.mark.parametrize("seed", range(8))
def test_each_condition_on_the_latest_point(world: World, engine: Callable[[str], Engine], seed: int) -> None:
    """By value, so that each point that SQL takes for the latest is compared with the oracle's."""
    population = Population(world, engine("owner"), seed=seed, number=40)
    read = {value for item in population.items for _, value in item.latest if not isinstance(value, str)}
    conditions = [
        *(LatestCondition(metric="t", eq=float(value)) for value in sorted(read)),
        *(LatestCondition(metric="t", text=text) for text in ("on", "K\u00fcche", "Ku\u0308che", "none")),
        *(LatestCondition(metric="t", older_than=timedelta(minutes=m)) for m in range(600, 1050, 50)),
        LatestCondition(metric="t", gte=1, lt=2.5),
    ]
    for condition in conditions:
        check(population, ListFilter(latest=[condition]))
