"""The audit trail in pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from graph.change import change_record, graph_change_begin
from graph.changes import Change, ChangeFilter, changes_get, changes_page
from graph.errors import BadInputError
from graph.paging import CursorKey, Page, PageRequest
from testing.world import EPOCH, World, new_id

SUBJECTS = [new_id(), new_id()]
EPOCH_NAIVE = EPOCH.replace(tzinfo=None)


def record(world: World, actor: str, action: str, subject_id: UUID, number: int = 1) -> None:
    """Write so many entries in one change."""
    with Session(world.api) as session, session.begin():
        change = graph_change_begin(session, organization_id=world.organization_id, actor=actor, new_id=new_id)
        for step in range(number):
            change_record(
                session,
                change=change,
                action=action,
                subject_type="entity",
                subject_id=subject_id,
                before=None,
                after={"step": step},
            )


def page_of(world: World, first: int = 500, after: CursorKey | None = None, **where: Any) -> Page[Change]:
    with world.session() as session:
        page = changes_page(
            session,
            organization_id=world.organization_id,
            where=ChangeFilter(**where),
            page=PageRequest(first, after),
        )
        assert page.total is not None
        assert page.total() >= len(page.items)
        return page


@pytest.fixture
def filled(world: World) -> World:
    record(world, "ada", "created", SUBJECTS[0], 3)
    record(world, "bob", "updated", SUBJECTS[0])
    record(world, "ada", "created", SUBJECTS[1])
    record(world, "ada", "deleted", SUBJECTS[1])
    return world


def summaries(page: Page[Change]) -> list[tuple[str, str, int]]:
    return [(change.actor, change.action, (change.after or {})["step"]) for change in page.items]


WHOLE = [("ada", "deleted", 0), ("ada", "created", 0), ("bob", "updated", 0)] + [
    ("ada", "created", step) for step in (2, 1, 0)
]


@pytest.mark.parametrize("first", [1, 2, 4, 500])
def test_newest_first_page_by_page(filled: World, first: int) -> None:
    pages = [page_of(filled, first)]
    while pages[-1].has_next:
        # What is recorded meanwhile comes before the list and shifts nothing.
        record(filled, "eve", "updated", SUBJECTS[0])
        pages.append(page_of(filled, first, pages[-1].keys[-1]))
    assert [change for page in pages for change in summaries(page)] == WHOLE


def test_filters(filled: World) -> None:
    assert summaries(page_of(filled, subject_ids=SUBJECTS[1:])) == WHOLE[:2]
    assert summaries(page_of(filled, subject_ids=[])) == []
    assert summaries(page_of(filled, actors=["bob", "\0"])) == WHOLE[2:3]
    assert summaries(page_of(filled, actions=["deleted", "updated"])) == [WHOLE[0], WHOLE[2]]
    assert summaries(page_of(filled, actors=["ada"], subject_ids=SUBJECTS[:1])) == WHOLE[3:]
    at = page_of(filled, actors=["bob"]).items[0].recorded_at
    assert summaries(page_of(filled, begins=at)) == WHOLE[:3]
    assert summaries(page_of(filled, ends=at)) == WHOLE[3:]
    assert summaries(page_of(filled, begins=at, ends=at + timedelta(microseconds=1))) == WHOLE[2:3]
    naive: list[tuple[dict[str, Any], str]] = [({"begins": EPOCH_NAIVE}, "from"), ({"ends": EPOCH_NAIVE}, "to")]
    for where, path in naive:
        with pytest.raises(BadInputError) as fault:
            page_of(filled, **where)
        assert fault.value.path == (path,)


@pytest.mark.parametrize(
    "key",
    [
        (),
        ("CHANGES", "2020-01-01T00:00:00+00:00"),
        ("NAME_ASC", "2020-01-01T00:00:00+00:00", str(SUBJECTS[0])),
        ("CHANGES", "2020-01-01", str(SUBJECTS[0])),
        ("CHANGES", "x", str(SUBJECTS[0])),
        ("CHANGES", "2020-01-01T00:00:00+00:00", 5),
    ],
)
def test_a_cursor_of_another_list_is_refused(world: World, key: CursorKey) -> None:
    with pytest.raises(BadInputError) as fault:
        page_of(world, 5, key)
    assert fault.value.path == ("after",)


def test_another_organization_reads_none(filled: World, worlds: Callable[[str], World]) -> None:
    ids = [change.id for change in page_of(filled).items]
    other = worlds("other")
    assert summaries(page_of(other)) == []
    with other.session() as session:
        for organization_id in (filled.organization_id, other.organization_id):
            assert changes_get(session, organization_id=organization_id, ids=ids) == {}
    with filled.session() as session:
        assert list(changes_get(session, organization_id=filled.organization_id, ids=ids[:1])) == ids[:1]
