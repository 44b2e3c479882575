"""Search entities by a text, the best first: for a palette or a picker."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy.orm import Session

from graph.entities.model import Entity, EntityFilter
from graph.entities.pages import SEARCH_MAX_CHARS, entities_page
from graph.entities.queries import entities_get
from graph.json_bounds import text_check
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.sql import rows_read

_SEARCHED: Final = (
    "SELECT s.id FROM entities_searched(%(organization_id)s, %(search)s, %(kinds)s::text[], %(most)s)"
    " WITH ORDINALITY AS s (id, place) ORDER BY s.place"
)


def entities_search(
    session: Session,
    *,
    organization_id: int,
    search: str,
    kinds: Collection[EntityKind] | None = None,
    first: int = 10,
) -> list[Entity]:
    """Return at most `first` entities whose name or external id contains a text, the best first. Two statements.

    First whose external id it is, then whose name, then those that begin with it, in which a word begins with it, and
    others; equally good ones by name, then id. Case, accents and Unicode form make no difference. Of a text that more
    than 20,000 contain, those named exactly so and 20,000 others are ranked. A blank one is contained in all: the first
    by name are returned. Raises BadInputError for more than SEARCH_MAX_CHARS, or another `first` than 0 to 500.
    """
    page = PageRequest(first)
    sought = text_check(search, path=("text",), max_chars=SEARCH_MAX_CHARS).strip()
    if not sought:
        where = EntityFilter(kinds=kinds)
        return list(entities_page(session, organization_id=organization_id, where=where, page=page).items)
    rows = rows_read(
        session,
        _SEARCHED,
        organization_id=organization_id,
        search=sought,
        kinds=[kind.value for kind in (EntityKind if kinds is None else kinds)],
        most=page.size,
    )
    ids = [row[0] for row in rows]
    by_id = entities_get(session, organization_id=organization_id, ids=ids)
    return [by_id[entity_id] for entity_id in ids]
