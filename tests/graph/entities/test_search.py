"""Search: ranks, ties, folding, bounds, and what the caller may see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from graph.entities.search import entities_search
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.tables import entities
from graph.walk.scopes import scope_bind
from testing.faults import fault_of
from testing.world import EPOCH, World, day, new_id

ASSET, DEVICE, SPACE = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE


def made(world: World, *names: str | tuple[str, str], kind: EntityKind = ASSET) -> list[EntityId]:
    """Insert entities of these names, some with an external id."""
    pairs = [(name, None) if isinstance(name, str) else name for name in names]
    rows = [
        {"organization_id": world.organization_id, "id": new_id(), "kind": kind, "name": name, "external_id": external,
         "status": "active", "created_at": EPOCH, "updated_at": EPOCH}
        for name, external in pairs
    ]  # fmt: skip
    with world.session() as session:
        session.execute(insert(entities), rows)
    return [EntityId(row["id"]) for row in rows]  # type: ignore[arg-type]


def searched(
    world: World,
    search: str,
    *,
    kinds: Collection[EntityKind] | None = None,
    first: int = 10,
    under: Sequence[UUID] | None = None,
) -> list[str]:
    with world.session() as session:
        if under is not None:
            scope_bind(session, organization_id=world.organization_id, under=under)
        rows = entities_search(session, organization_id=world.organization_id, search=search, kinds=kinds, first=first)
        return [row.name for row in rows]


def test_the_best_come_first_and_equally_good_ones_by_name(worlds: Callable[[str], World]) -> None:
    world, other = worlds("plant"), worlds("other")
    made(world, "a subpump", "old pump", "old-pump", "Pumphouse", "Pump 2", "Pump 1", "PUMP", ("valve", "pump"),
         ("fan", "pump-7"), ("lamp", "x/pump"), "unrelated")  # fmt: skip
    made(other, "pump")
    everything = ["valve", "PUMP", "fan", "Pump 1", "Pump 2", "Pumphouse", "lamp", "old pump", "old-pump", "a subpump"]
    with world.session() as session:
        # In the order of names of the database's own collation.
        collated = session.scalars(
            text("SELECT n FROM unnest(CAST(:names AS text[])) n ORDER BY n"), {"names": everything}
        ).all()
    ranks = [everything[:1], everything[1:2], everything[2:6], everything[6:9], everything[9:]]
    expected = [name for rank in ranks for name in sorted(rank, key=collated.index)]
    assert searched(world, "pump") == expected
    for first in (0, 1, 4):
        assert searched(world, "pump", first=first) == expected[:first]
    assert searched(world, "nothing of the kind") == []


def test_of_the_same_name_the_first_made_comes_first(world: World) -> None:
    ids = made(world, *["twin"] * 5)
    with world.session() as session:
        rows = entities_search(session, organization_id=world.organization_id, search="twin", first=3)
        assert [row.id for row in rows] == ids[:3]


def test_case_accents_form_and_blanks_around_it_make_no_difference(world: World) -> None:
    made(world, "K\u00fcche", "Stra\u00dfe", "a b")
    for search in ("k\u00fcche", "KUCHE", "ku\u0308che", "  kuche "):
        assert searched(world, search) == ["K\u00fcche"]
    assert searched(world, "STRASSE") == ["Stra\u00dfe"]
    assert searched(world, "a b") == ["a b"]


@pytest.mark.parametrize(
    "search", ["%", "_", "\\", "a.c", "(", "[x", "*", "^", "$", "a|b", "\\m", "{2}", "#1", "'", "?"]
)
def test_signs_mean_themselves(world: World, search: str) -> None:
    made(world, f"x {search} y", "abc 12 m xx")
    assert searched(world, search) == [f"x {search} y"]


def test_kinds_deleted_ones_and_a_blank_text(world: World) -> None:
    made(world, "hall", kind=SPACE)
    [gone, _] = made(world, "hall fan", "hall pump")
    made(world, "hall probe", kind=DEVICE)
    with world.session() as session:
        world.delete(session, gone, day(1))
    assert searched(world, "hall") == ["hall", "hall probe", "hall pump"]
    assert searched(world, "hall", kinds=[DEVICE, ASSET]) == ["hall probe", "hall pump"]
    assert searched(world, "hall", kinds=[]) == []
    for blank in ("", "  "):
        assert searched(world, blank, first=2) == ["hall", "hall probe"]
        assert searched(world, blank, kinds=[ASSET]) == ["hall pump"]
        assert searched(world, blank, kinds=[]) == []


def test_what_is_named_exactly_so_is_among_very_many(world: World) -> None:
    with world.session() as session:
        session.execute(
            text(
                "INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)"
                " SELECT :o, gen_random_uuid(), 'ASSET', 'part of a meter', 'active', now(), now()"
                " FROM generate_series(1, 20100)"
            ),
            {"o": world.organization_id},
        )
    made(world, "meter", ("clock", "part"))
    assert searched(world, "meter", first=1) == ["meter"]
    assert searched(world, "part", first=1) == ["clock"]
    assert searched(world, "a", first=500) == ["part of a meter"] * 500


def test_a_confined_caller_finds_its_own(world: World) -> None:
    ours, theirs = made(world, "pump ours", "pump theirs")
    assert searched(world, "pump", under=[ours]) == ["pump ours"]
    assert searched(world, "pump theirs", under=[ours]) == []
    assert searched(world, "pump", under=[]) == []
    assert searched(world, "", under=[theirs]) == ["pump theirs"]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"search": "x" * 501}, ("text",)),
        ({"search": "\x00"}, ("text",)),
        ({"search": "x", "first": 501}, ("first",)),
        ({"search": "x", "first": -1}, ("first",)),
    ],
)
def test_what_is_beyond_a_bound_is_refused(world: World, arguments: dict[str, Any], path: tuple[str, ...]) -> None:
    assert fault_of(lambda: searched(world, **arguments)) == ("BAD_USER_INPUT", path)
    assert searched(world, "x" * 500) == []


def rank(name: str, external_id: str | None, sought: str) -> int | None:
    """The rank by the words of the description; of lower-case letters, digits and blanks."""
    texts = [name, external_id or ""]
    if external_id == sought:
        return 1
    if name == sought:
        return 2
    if any(one.startswith(sought) for one in texts):
        return 3
    if any(f" {sought}" in one or f"-{sought}" in one for one in texts):
        return 4
    return 5 if any(sought in one for one in texts) else None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(st.text("ab -", min_size=1, max_size=5), st.none() | st.text("ab -", min_size=1, max_size=4)),
        max_size=8,
    ),
    sought=st.text("ab -", min_size=1, max_size=3).filter(lambda drawn: drawn.strip() == drawn),
)
def test_ranks_are_those_of_a_plain_search(world: World, rows: list[tuple[str, str | None]], sought: str) -> None:
    externals: set[str] = set()
    unique = []
    for name, external in rows:
        unique.append((name, None if external in externals else external))
        externals |= {external} if external else set()
    with world.session() as session:
        session.execute(text("UPDATE entities SET deleted_at = now()"))
    if unique:
        made(world, *((name, external) if external else name for name, external in unique))
    ranks = [(rank(name, external, sought), name) for name, external in unique]
    wanted = sorted(number for number, _ in ranks if number is not None)
    by_name: dict[str, set[int | None]] = {}
    for number, name in ranks:
        by_name.setdefault(name, set()).add(number)
    result = searched(world, sought, first=50)
    assert len(result) == len(wanted)
    for place, name in enumerate(result):
        assert wanted[place] in by_name[name]
