"""Pages of a list in SQL and of one in memory, in both directions, against plain Python."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, MetaData, Table, Text, Uuid, delete, insert, select, text
from sqlalchemy.orm import Session

from graph.errors import BadInputError
from graph.keyset import Keyset
from graph.paging import CursorKey, Page, PageRequest, page_of_sorted
from graph.tables import INSTANT

_TABLE = Table("paged", MetaData(), Column("at", INSTANT), Column("name", Text), Column("id", Uuid))
_COLUMNS = {name: _TABLE.c[name] for name in ("at", "name", "id")}
Key = tuple[datetime, str, UUID]
Fetch = Callable[[PageRequest], Page[Any]]

# Few different values, so that the columns before the last are often equal.
INSTANTS = st.integers(0, 2).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n))
KEYS = st.tuples(INSTANTS, st.sampled_from(["a", "b", "ab"]), st.uuids(version=4))
SIZES = st.integers(1, 5)


@pytest.fixture
def session(engine: Callable[[str], Engine]) -> Iterator[Session]:
    """A transaction with a table of its own."""
    with Session(engine("owner")) as opened:
        # Texts in the order of Python.
        opened.execute(text('CREATE TEMPORARY TABLE paged (at timestamptz, name text COLLATE "C", id uuid)'))
        yield opened


def fill(session: Session, keys: Sequence[Key], *, is_new: bool = True) -> None:
    """Insert rows, without those of the example before."""
    if is_new:
        session.execute(delete(_TABLE))
    if keys:
        session.execute(insert(_TABLE), [dict(zip(_COLUMNS, key, strict=True)) for key in keys])


def plain(listed: Sequence[Key], of: tuple[int, int | None, Key | None, Key | None]) -> list[Key]:
    """Return a page of a list that is in order."""
    first, last, after, before = of
    begin = 0 if after is None else listed.index(after) + 1
    end = len(listed) if before is None else listed.index(before)
    between = listed[begin:end]
    return list(between[:first] if last is None else between[max(0, len(between) - last) :])


def fetches(session: Session, *, is_descending: bool) -> list[Fetch]:
    """Return what reads a page: by SQLAlchemy's statement, and by one that is text."""
    keyset = Keyset("a list", _COLUMNS, is_descending=is_descending)

    def by_statement(request: PageRequest) -> Page[Any]:
        page = keyset.page(session, select(_TABLE), request)
        return page.of([tuple(row) for row in page.items])

    def by_text(request: PageRequest) -> Page[Any]:
        seek = keyset.seek(request)
        sql = f"SELECT at, name, id FROM paged WHERE {seek.condition} ORDER BY {seek.order} LIMIT :n"  # noqa: S608
        rows = session.execute(text(sql), {**seek.values, "n": request.size}).all()
        keys = [keyset.key(row) for row in rows]
        items = [(row.at, row.name, row.id) for row in rows]
        if request.is_backward:
            keys, items = keys[::-1], items[::-1]
        return Page(items, keys, has_next=False)

    return [by_statement, by_text]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), keys=st.lists(KEYS, max_size=9, unique_by=lambda key: key[2]), is_descending=st.booleans())
def test_a_page_in_sql_is_that_of_the_list(
    session: Session, data: st.DataObject, keys: list[Key], is_descending: bool
) -> None:
    fill(session, keys)
    listed = sorted(keys, reverse=is_descending)
    bound = st.none() | st.sampled_from(listed) if listed else st.none()
    after, before = data.draw(bound), data.draw(bound)
    first, last = data.draw(SIZES), data.draw(st.none() | SIZES)
    keyset = Keyset("a list", _COLUMNS, is_descending=is_descending)
    request = PageRequest(first, key_of(keyset, after), last, key_of(keyset, before))
    expected = plain(listed, (first, last, after, before))
    by_statement, by_text = fetches(session, is_descending=is_descending)
    page = by_statement(request)
    assert list(page.items) == list(by_text(request).items) == expected
    assert list(page.keys) == list(by_text(request).keys) == [key_of(keyset, key) for key in expected]
    assert page.total is not None
    assert page.total() == len(keys)
    if expected:
        assert page.has_previous == (expected[0] != listed[0])
        assert page.has_next == (expected[-1] != listed[-1])


@settings(max_examples=100)
@given(data=st.data(), keys=st.lists(st.tuples(st.integers(0, 2), st.uuids().map(str)), max_size=9, unique=True))
def test_a_page_in_memory_is_that_of_the_list(data: st.DataObject, keys: list[Any]) -> None:
    listed = sorted(keys)
    bound = st.none() | st.sampled_from(listed) if listed else st.none()
    after, before = data.draw(bound), data.draw(bound)
    first, last = data.draw(SIZES), data.draw(st.none() | SIZES)
    cursors = [None if key is None else cursor_of(key) for key in (after, before)]
    page = in_memory(listed, PageRequest(first, cursors[0], last, cursors[1]))
    expected = plain(listed, (first, last, after, before))
    assert list(page.items) == expected
    assert list(page.keys) == [cursor_of(key) for key in expected]
    assert page.total is not None
    assert page.total() == len(keys)
    if expected:
        assert page.has_previous == (expected[0] != listed[0])
        assert page.has_next == (expected[-1] != listed[-1])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.lists(KEYS, min_size=1, max_size=8, unique_by=lambda key: key[2]),
    between=st.lists(st.lists(KEYS, max_size=2), max_size=4),
    size=SIZES,
    is_descending=st.booleans(),
    is_backward=st.booleans(),
)
def test_inserts_between_pages_repeat_and_lose_nothing(
    session: Session,
    start: list[Key],
    between: list[list[Key]],
    size: int,
    is_descending: bool,
    is_backward: bool,
) -> None:
    fill(session, start)
    by_statement, _ = fetches(session, is_descending=is_descending)
    seen: list[Key] = []
    end: CursorKey | None = None
    for inserted in [*between, *[[]] * 20]:
        page = by_statement(PageRequest(1, None, size, end) if is_backward else PageRequest(size, end))
        seen = [*page.items, *seen] if is_backward else [*seen, *page.items]
        if not (page.has_previous if is_backward else page.has_next):
            break
        end = page.keys[0 if is_backward else -1]
        if inserted:
            fill(session, inserted, is_new=False)
    assert seen == sorted(set(seen), reverse=is_descending)
    assert set(start) <= set(seen)


@given(
    start=st.lists(st.tuples(st.integers(0, 9), st.uuids().map(str)), min_size=1, max_size=8, unique=True),
    between=st.lists(st.tuples(st.integers(0, 9), st.uuids().map(str)), max_size=6),
    size=SIZES,
    is_backward=st.booleans(),
)
def test_inserts_in_memory_repeat_and_lose_nothing(
    start: list[Any], between: list[Any], size: int, is_backward: bool
) -> None:
    listed, seen, end = sorted(start), list[Any](), None
    for inserted in [*between, *[None] * 20]:
        page = in_memory(listed, PageRequest(1, None, size, end) if is_backward else PageRequest(size, end))
        seen = [*page.items, *seen] if is_backward else [*seen, *page.items]
        if not (page.has_previous if is_backward else page.has_next):
            break
        end = page.keys[0 if is_backward else -1]
        if inserted is not None:
            insort(listed, inserted)
    assert seen == sorted(set(seen))
    assert set(start) <= set(seen)


GOOD = ("a list", "2026-01-01T00:00:00+00:00", "a", "0190a3c4-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    "key",
    [
        (),
        ("another list", *GOOD[1:]),
        GOOD[:3],
        (*GOOD, "a"),
        (GOOD[0], "yesterday", *GOOD[2:]),
        (GOOD[0], "2026-01-01T00:00:00", *GOOD[2:]),
        (GOOD[0], "0001-01-01T00:00:00+14:00", *GOOD[2:]),
        (*GOOD[:2], "\0", GOOD[3]),
        (*GOOD[:2], None, GOOD[3]),
        (*GOOD[:2], 1, GOOD[3]),
        (*GOOD[:3], "not an id"),
    ],
)
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_of_another_list_is_refused(name: str, key: CursorKey) -> None:
    keyset = Keyset("a list", _COLUMNS)
    assert len(keyset.conditions(page_at(name, GOOD))) == 1
    reads: list[Callable[[PageRequest], object]] = [keyset.conditions, keyset.seek]
    for read in reads:
        with pytest.raises(BadInputError) as fault:
            read(page_at(name, key))
        assert fault.value.path == (name,)


@pytest.mark.parametrize("key", [(), ("another", 1, "a"), ("a list", 1), ("a list", "1", "a"), ("a list", True, "a")])
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_of_another_list_in_memory_is_refused(name: str, key: CursorKey) -> None:
    with pytest.raises(BadInputError) as fault:
        in_memory([(1, "a")], page_at(name, key))
    assert fault.value.path == (name,)


@pytest.mark.parametrize("size", [-1, 501])
@pytest.mark.parametrize("name", ["first", "last"])
def test_the_size_of_a_page_is_bounded(name: str, size: int) -> None:
    with pytest.raises(BadInputError) as fault:
        PageRequest(size if name == "first" else 1, last=size if name == "last" else None)
    assert fault.value.path == (name,)


def test_a_key_is_the_same_whatever_time_zone_the_instant_is_in() -> None:
    keyset = Keyset("a list", {"at": _TABLE.c.at})
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    there = at.astimezone(timezone(timedelta(hours=5)))
    assert [keyset.key(_Row(instant)) for instant in (at, there)] == [("a list", "2026-01-01T12:00:00+00:00")] * 2


def page_at(name: str, key: CursorKey) -> PageRequest:
    return PageRequest(1, after=key) if name == "after" else PageRequest(1, before=key)


class _Row:
    def __init__(self, at: datetime) -> None:
        self.at = at


def in_memory(listed: Sequence[Any], request: PageRequest) -> Page[Any]:
    return page_of_sorted(listed, request, name="a list", types=(int, str), key=lambda item: item)


def key_of(keyset: Keyset, key: Key | None) -> CursorKey | None:
    if key is None:
        return None
    at, name, identity = key
    return (keyset.name, at.isoformat(), name, str(identity))


def cursor_of(key: Sequence[Any]) -> CursorKey:
    return ("a list", *key)
