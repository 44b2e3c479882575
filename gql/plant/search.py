"""Search: entities by a text, ranked, with where each is."""

from __future__ import annotations

import strawberry

from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.entities import Entity, EntityKindEnum, to_entity
from gql.base.loaders import load
from gql.base.roots import queries, query
from graph.entities.search import entities_search
from graph.walk.above import paths_above


@strawberry.type
class SearchHit:
    """An entity that a search finds.

    Attributes:
        entity: The entity itself.
    """

    entity: Entity

    @strawberry.field
    async def path(self, info: Info) -> list[str]:
        """Names of what the entity is in now, the outermost first; of a device through the asset that it monitors."""
        return await load(info.context, paths_above, self.entity.row.id) or []


@queries
class SearchQuery:
    """Search."""

    @query(VIEWERS, scoped=True)
    async def search(
        self,
        info: Info,
        text: str,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
        first: int = 10,
    ) -> list[SearchHit]:
        """Entities whose name or external id contains a text, the best first: for a palette or a picker.

        First whose external id it is, then whose name, then those that begin with it, in which a word begins with it,
        and others; equally good ones by name. Of a text that more than 20,000 contain, those named exactly so and
        20,000 others are ranked.

        Args:
            text: The text, at most 500 characters, without regard to case, accents and Unicode form. A blank one is
                contained in all.
            first: Most entities that are returned, 0 to 500.
        """
        rows = await info.context.read(entities_search, search=text, kinds=kinds, first=first)
        return [SearchHit(entity=to_entity(row)) for row in rows]
