"""Relay connections over keyset pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
import strawberry
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from sqlalchemy.orm import Session

from gql.base.context import Info
from graph.errors import BadInputError
from graph.paging import CursorKey, Page, PageRequest

T = TypeVar("T")
U = TypeVar("U")
CURSOR_LENGTH_MAX = 4096


@strawberry.type
class PageInfo:
    """Where a page lies in its list, as Relay defines it.

    Attributes:
        has_next_page: True where more items follow this page.
        has_previous_page: True where items lie before this page.
        start_cursor: Cursor of the first item of the page; null where the page is empty.
        end_cursor: Cursor of the last item of the page, to be given as `after`; null where the page is empty.
    """

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """A page after its transaction: items with their cursors, the total where it was asked for."""

    items: Sequence[T]
    cursors: Sequence[str]
    page_info: PageInfo
    total: int | None

    def map(self, make: Callable[[T], U]) -> Rows[U]:
        """Return the same page of other things."""
        return Rows([make(item) for item in self.items], self.cursors, self.page_info, self.total)


@strawberry.type(name="Edge")
class ListItem(Generic[T]):
    """An item of a list.

    Attributes:
        node: The item itself.
    """

    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    """A page of a list."""

    # What the core found, and what makes an object of the schema of one of them.
    rows: strawberry.Private[Rows[Any]]
    show: strawberry.Private[Callable[[Any], Any]]

    @strawberry.field
    def nodes(self) -> list[T]:
        """The items on this page."""
        return [self.show(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[ListItem[T]]:
        """The items on this page, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [ListItem(cursor=cursor, node=self.show(row)) for row, cursor in pairs]

    @strawberry.field
    def page_info(self) -> PageInfo:
        """Where the page lies in the list, for paging."""
        return self.rows.page_info

    @strawberry.field
    def total_count(self) -> int:
        """Number of items on all pages. It is counted only where it is selected."""
        return self.rows.total or 0


async def page_read(
    info: Info, work: Callable[..., Page[Any]], first: int, after: str | None, **arguments: Any
) -> Rows[Any]:
    """Return one page of what a function of the core lists, in a separate transaction. Raises BadInputError.

    work: takes the session, `organization_id`, `page` and the further arguments.
    """
    request, count = page_request(first, after), wants_total(info)

    def read(session: Session, *, organization_id: int) -> Rows[Any]:
        return rows_of(work(session, organization_id=organization_id, page=request, **arguments), count=count)

    return await info.context.read(read)


def page_request(first: int, after: str | None) -> PageRequest:
    """Return the page asked for. Raises BadInputError."""
    return PageRequest(first, None if after is None else cursor_decode(after))


def rows_of(page: Page[T], *, count: bool) -> Rows[T]:
    """Take a page out of its transaction. count: ask for the total, too."""
    cursors = [cursor_encode(key) for key in page.keys]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    return Rows(page.items, cursors, info, page.total() if count and page.total is not None else None)


def cursor_encode(key: CursorKey) -> str:
    """Return a sort key as the opaque text clients hand back."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def cursor_decode(cursor: str) -> CursorKey:
    """Return the sort key of a cursor. Raises BadInputError for what is none."""
    try:
        if len(cursor) > CURSOR_LENGTH_MAX:
            raise ValueError
        key = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except ValueError:
        key = None
    if not isinstance(key, list) or not all(part is None or isinstance(part, str | int | float) for part in key):
        raise BadInputError("This is no cursor of a page.", path=("after",))
    return tuple(key)


def wants_total(info: Info) -> bool:
    """Whether the field's selection asks for totalCount, so that only then it is counted."""
    raw = info._raw_info  # noqa: SLF001  (strawberry's own selections are built again at each look)
    waiting: list[SelectionSetNode] = [node.selection_set for node in raw.field_nodes if node.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                if node.name.value == "totalCount":
                    return True
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = raw.fragments[node.name.value]
                waiting.append(getattr(fragment, "definition", fragment).selection_set)
    return False
