"""Lists in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, insert

from graph.entities.model import Entity, EntityFilter, EntityOrder
from graph.entities.pages import entities_page
from graph.entities.queries import entities_get
from graph.errors import BadInputError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import CursorKey, Page, PageRequest
from graph.tables import entities
from testing.world import EPOCH, World, day, new_id

ASSET, DEVICE, SPACE = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE


def fill(world: World, names: Sequence[str], kind: EntityKind = ASSET, **columns: Any) -> list[EntityId]:
    ids = [EntityId(new_id()) for _ in names]
    common = {
        "organization_id": world.organization_id,
        "kind": kind,
        "status": "active",
        "attributes": {},
        "created_at": EPOCH,
        "updated_at": EPOCH,
        **columns,
    }
    with world.session() as session:
        session.execute(insert(entities), [{**common, "id": i, "name": n} for i, n in zip(ids, names, strict=True)])
    return ids


def page_of(
    world: World,
    where: EntityFilter,
    first: int = 500,
    after: CursorKey | None = None,
    order: EntityOrder = EntityOrder.NAME_ASC,
) -> Page[Entity]:
    with world.session() as session:
        page = entities_page(
            session,
            organization_id=world.organization_id,
            where=where,
            page=PageRequest(first, after),
            order=order,
        )
        assert page.total is not None
        page.total()
        return page


def names(world: World, **where: Any) -> list[str]:
    return [entity.name for entity in page_of(world, EntityFilter(**where)).items]


def test_filters(world: World) -> None:
    [pump] = fill(world, ["Pump 100%"], external_id="urn:x_1")
    fill(world, ["Pump 1000"], external_id="urn:xa1", status="spare")
    fill(world, ["Übergabe"], DEVICE)
    fill(world, ["Gone"], deleted_at=day(1))
    fill(world, ["Hall"], SPACE)
    world.entity(SPACE, "Room")
    room = names(world, types=["Room"])
    assert len(room) == 1
    everything = ["Hall", "Pump 100%", "Pump 1000", *room, "Übergabe"]
    assert names(world) == everything
    assert names(world, kinds=[ASSET]) == ["Pump 100%", "Pump 1000"]
    assert names(world, kinds=[ASSET, DEVICE]) == ["Pump 100%", "Pump 1000", "Übergabe"]
    assert names(world, kinds=[]) == []
    assert names(world, types=["Room", "Pump"]) == room
    assert names(world, types=["\0"]) == []
    assert names(world, statuses=["spare"]) == ["Pump 1000"]
    assert names(world, search="") == everything
    assert names(world, search="PUMP") == ["Pump 100%", "Pump 1000"]
    assert names(world, search="100%") == ["Pump 100%"]
    assert names(world, search="URN:X_") == ["Pump 100%"]
    assert names(world, search="\\") == []
    assert names(world, search="/") == []
    assert names(world, among=[pump, EntityId(new_id())]) == ["Pump 100%"]
    assert names(world, among=[]) == []
    assert (
        names(world, is_deleted=True) == names(world, is_deleted=True, search="goN", kinds=[ASSET, SPACE]) == ["Gone"]
    )
    assert names(world, is_deleted=True, kinds=[SPACE]) == names(world, is_deleted=True, search="Pump") == []
    assert names(world, also=entities.c.name > "Q", kinds=[ASSET, DEVICE]) == ["Übergabe"]
    for search in ("a\0b", "x" * 501):
        with pytest.raises(BadInputError) as fault:
            names(world, search=search)
        assert fault.value.path == ("filter", "search")


@pytest.mark.parametrize(
    ("name", "found_by"),
    [
        ("Übergabe", ["übergabe", "UBERGABE", "u\u0308berg", "U\u0308BERG"]),
        ("u\u0308bergabe", ["Über", "uber"]),
        ("Straße 7", ["strasse", "STRASSE", "straße", "STRAẞE 7"]),
        ("Étage Ørsted Łódź", ["etage orsted lodz", "ÉTAGE ØRSTED ŁÓDŹ"]),
        ("ﬁlter Ａ１", ["FILTER A1", "ﬁlter", "ａ１"]),  # noqa: RUF001
        ("100％ \\ _", ["100%", "\\ _", "％"]),  # noqa: RUF001
        ("Насос Αντλίας", ["НАСОС", "αντλιας", "ΑΝΤΛΊΑΣ"]),  # noqa: RUF001
    ],
)  # fmt: skip
def test_a_search_regards_neither_case_nor_accents_nor_form(world: World, name: str, found_by: list[str]) -> None:
    fill(world, [name, "other"])
    fill(world, ["by its external id"], external_id=name)
    fill(world, [name], deleted_at=day(1))
    for search in found_by:
        assert names(world, search=search) == sorted([name, "by its external id"])
        assert names(world, search=search, is_deleted=True) == [name]
    assert names(world, search="100_") == []


@pytest.mark.parametrize("order", EntityOrder)
@pytest.mark.parametrize("first", [1, 2, 7, 500])
def test_pages_together_are_the_list(world: World, order: EntityOrder, first: int) -> None:
    for number, kind in enumerate(EntityKind):
        dates = {"created_at": day(number % 2), "updated_at": day(-number)}
        fill(world, ["same", "same", f"of {kind}"], kind, status=f"s{number % 2}", **dates)
    world.entity(ASSET, "Pump")
    fill(world, ["known"], external_id="x")
    whole = page_of(world, EntityFilter(), order=order)
    assert len(whole.items) == 17
    values: dict[str, Callable[[Entity], Any]] = {
        "NAME": lambda e: e.name,
        "CREATED": lambda e: e.created_at,
        "UPDATED": lambda e: e.updated_at,
        "TYPE": lambda e: e.type or "",
        "STATUS": lambda e: e.status,
        "EXTERNAL_ID": lambda e: e.external_id or "",
    }
    value = values[order.value.rpartition("_")[0]]

    def key(entity: Entity) -> tuple[Any, ...]:
        return value(entity), entity.id

    assert list(whole.items) == sorted(whole.items, key=key, reverse=order.endswith("DESC"))
    listed: list[Entity] = []
    after: CursorKey | None = None
    while True:
        page = page_of(world, EntityFilter(), first, after, order)
        assert page.has_previous == (after is not None)
        assert len(page.items) == len(page.keys) <= first
        listed += page.items
        if not page.has_next:
            break
        after = page.keys[-1]
    assert listed == whole.items
    backward: list[Entity] = []
    before: CursorKey | None = None
    while True:
        with world.session() as session:
            request = PageRequest(1, last=first, before=before)
            page = entities_page(
                session, organization_id=world.organization_id, where=EntityFilter(), page=request, order=order
            )
        assert page.has_next == (before is not None)
        backward = [*page.items, *backward]
        if not page.has_previous:
            break
        before = page.keys[0]
    assert backward == whole.items


def test_the_total_counts_the_whole_list(world: World, worlds: Callable[[str], World]) -> None:
    fill(world, list("abcde"))
    fill(worlds("other"), list("xyz"))
    with world.session() as session:
        page = entities_page(
            session,
            organization_id=world.organization_id,
            where=EntityFilter(kinds=[ASSET]),
            page=PageRequest(2, ("NAME_ASC", "b", str(new_id()))),
        )
        assert [entity.name for entity in page.items] == ["c", "d"]
        assert page.total is not None
        assert page.total() == 5


GOOD: CursorKey = ("NAME_ASC", "a", "0190a3c4-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (EntityOrder.NAME_DESC, GOOD),
        (EntityOrder.CREATED_ASC, GOOD),
        (EntityOrder.NAME_ASC, ()),
        (EntityOrder.NAME_ASC, GOOD[:2]),
        (EntityOrder.NAME_ASC, (*GOOD, 1)),
        (EntityOrder.NAME_ASC, ("NAME_ASC", 1, GOOD[2])),
        (EntityOrder.NAME_ASC, ("NAME_ASC", "a", "no id")),
        (EntityOrder.NAME_ASC, ("NAME_ASC", "a", None)),
        (EntityOrder.NAME_ASC, ("NAME_ASC", "\0", GOOD[2])),
        (EntityOrder.CREATED_ASC, ("CREATED_ASC", "yesterday", GOOD[2])),
        (EntityOrder.CREATED_ASC, ("CREATED_ASC", "2020-01-01T00:00:00", GOOD[2])),
    ],
)
def test_a_cursor_of_another_list_is_refused(world: World, order: EntityOrder, key: CursorKey) -> None:
    with pytest.raises(BadInputError) as fault:
        page_of(world, EntityFilter(), 5, key, order)
    assert fault.value.path == ("after",)


@pytest.mark.parametrize("first", [-1, 501])
def test_the_size_of_a_page_is_bounded(first: int) -> None:
    with pytest.raises(BadInputError) as fault:
        PageRequest(first)
    assert fault.value.path == ("first",)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(1, 4),
    start=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8),
    between=st.lists(st.lists(st.sampled_from("abcdef"), max_size=2), max_size=4),
    order=st.sampled_from([EntityOrder.NAME_ASC, EntityOrder.NAME_DESC]),
)
def test_inserts_between_pages_repeat_and_lose_nothing(
    worlds: Callable[[str], World], first: int, start: list[str], between: list[list[str]], order: EntityOrder
) -> None:
    world = worlds(f"w{new_id().hex}")
    there = set(fill(world, start))
    seen: list[EntityId] = []
    after: CursorKey | None = None
    for inserted in [*between, *[[]] * 20]:
        page = page_of(world, EntityFilter(kinds=[ASSET, SPACE]), first, after, order)
        seen += [entity.id for entity in page.items]
        if not page.has_next:
            break
        after = page.keys[-1]
        if inserted:
            fill(world, inserted)
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


@contextmanager
def watching(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(world: World) -> None:
    ids = fill(world, [str(number) for number in range(100)])
    with world.session() as session:
        for number in (1, 100):
            of: dict[str, Any] = {"organization_id": world.organization_id}
            with watching(world.api) as seen:
                assert len(entities_get(session, **of, ids=ids[:number])) == number
            assert len(seen) == 1
            with watching(world.api) as seen:
                page = entities_page(session, **of, where=EntityFilter(), page=PageRequest(number))
                assert len(page.items) == number
            assert len(seen) == 1
            with watching(world.api) as seen:
                assert page.total is not None
                assert page.total() == 100
            assert len(seen) == 1


def test_another_organization_lists_nothing(world: World, worlds: Callable[[str], World]) -> None:
    fill(world, ["mine"])
    other = worlds("other")
    with other.session() as session:
        for organization_id in (world.organization_id, other.organization_id):
            page = entities_page(session, organization_id=organization_id, where=EntityFilter(), page=PageRequest(5))
            assert page.total is not None
            assert (list(page.items), page.total()) == ([], 0)
