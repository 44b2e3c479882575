"""Relay connections over keyset pages: one mechanism for every list."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter
from typing import Any, Final, Generic, TypeVar

import orjson
import strawberry
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from sqlalchemy.orm import Session

from gql.base.batched import ManyResolver, batched, many_of
from gql.base.context import Info
from graph.errors import BadInputError
from graph.paging import CursorKey, Page, PageRequest

T = TypeVar("T")
U = TypeVar("U")
CURSOR_LENGTH_MAX: Final = 4096
_PAGE_ARGUMENTS: Final[dict[str, tuple[Any, Any]]] = {
    "first": (int, 50),
    "after": (str | None, None),
    "last": (int | None, None),
    "before": (str | None, None),
}


@strawberry.type
class PageInfo:
    """Where a page lies in its list, as Relay defines it.

    Attributes:
        has_next_page: True where more items follow this page. Where `before` is given, the item there counts as one.
        has_previous_page: True where items lie before this page. Where `after` is given, the item there counts as one.
        start_cursor: Cursor of the first item of the page, to be given as `before`; null where the page is empty.
        end_cursor: Cursor of the last item of the page, to be given as `after`; null where the page is empty.
    """

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """A page after its transaction: items with their sort keys, the total where it was asked for.

    A cursor is made of a key only where it is selected: many pages are of one item, and few are paged on.
    """

    items: Sequence[T]
    keys: Sequence[CursorKey]
    has_next: bool
    has_previous: bool
    total: int | None

    def of(self, items: Sequence[U]) -> Rows[U]:
        """Return the same page with other items, one for each."""
        return Rows(items, self.keys, self.has_next, self.has_previous, self.total)


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
        pairs = zip(self.rows.items, self.rows.keys, strict=True)
        return [ListItem(cursor=cursor_encode(key), node=self.show(row)) for row, key in pairs]

    @strawberry.field
    def page_info(self) -> PageInfo:
        """Where the page lies in the list, for paging."""
        keys = self.rows.keys
        return PageInfo(
            has_next_page=self.rows.has_next,
            has_previous_page=self.rows.has_previous,
            start_cursor=cursor_encode(keys[0]) if keys else None,
            end_cursor=cursor_encode(keys[-1]) if keys else None,
        )

    @strawberry.field
    def total_count(self) -> int:
        """Number of items on all pages. It is counted only where it is selected."""
        return self.rows.total or 0


def paged(
    *, first: int = 50, returns: Any = None
) -> Callable[[Callable[..., Awaitable[T]]], Callable[..., Awaitable[T]]]:
    """Give a resolver the arguments of a page: `first`, `after`, `last`, `before`. A decorator, innermost.

    The resolver takes them as one keyword argument, `page: PageRequest`. first: the default. returns: the type of the
    connection, where the resolver's annotation does not name it.
    """

    def decorate(resolver: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        @wraps(resolver)
        async def resolve(
            *positional: Any,
            first: int,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            **arguments: Any,
        ) -> T:
            return await resolver(*positional, page=_page_requested(first, after, last, before), **arguments)

        if (of_many := many_of(resolver)) is not None:
            batched(_paged_many(of_many))(resolve)
        own = inspect.signature(resolver)
        parameters = [parameter for name, parameter in own.parameters.items() if name != "page"]
        for name, (type_, default) in _PAGE_ARGUMENTS.items():
            value = first if name == "first" else default
            parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=value, annotation=type_))
        resolve.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=parameters, return_annotation=own.return_annotation if returns is None else returns
        )
        return resolve

    return decorate


def _paged_many(of_many: ManyResolver) -> ManyResolver:
    async def resolve(
        *positional: Any,
        first: int,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **arguments: Any,
    ) -> Sequence[Any]:
        return await of_many(*positional, page=_page_requested(first, after, last, before), **arguments)

    return resolve


def _page_requested(first: int, after: str | None, last: int | None, before: str | None) -> PageRequest:
    return PageRequest(first, _cursor("after", after), last, _cursor("before", before))


async def page_read(info: Info, work: Callable[..., Page[Any]], page: PageRequest, **arguments: Any) -> Rows[Any]:
    """Return one page of what a function of the core lists, in a separate transaction. Raises BadInputError.

    work: takes the session, `organization_id`, `page` and the further arguments.
    """
    count = wants_total(info)

    def read(session: Session, *, organization_id: int) -> Rows[Any]:
        return rows_of(work(session, organization_id=organization_id, page=page, **arguments), count=count)

    return await info.context.read(read)


def rows_of(page: Page[T], *, count: bool) -> Rows[T]:
    """Take a page out of its transaction. count: ask for the total, too."""
    total = page.total() if count and page.total is not None else None
    return Rows(page.items, page.keys, page.has_next, page.has_previous, total)


def cursor_encode(key: CursorKey) -> str:
    """Return a sort key as the opaque text clients hand back."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def cursor_decode(cursor: str, *, path: str) -> CursorKey:
    """Return the sort key of a cursor. path: the argument that gives it. Raises BadInputError for what is none."""
    try:
        if len(cursor) > CURSOR_LENGTH_MAX:
            raise ValueError
        key = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except ValueError:
        key = None
    if not isinstance(key, list) or not all(part is None or isinstance(part, str | int | float) for part in key):
        raise BadInputError("This is not a cursor of a page.", path=(path,))
    return tuple(key)


def _cursor(path: str, text: str | None) -> CursorKey | None:
    return None if text is None else cursor_decode(text, path=path)


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
