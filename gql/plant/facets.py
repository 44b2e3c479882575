"""Facets: how many entities have which value, to choose a filter by."""

from __future__ import annotations

import strawberry

from domain.nodes.facets import FacetBy, facets_read
from domain.nodes.names import NameKind
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.descriptions import enum_described
from gql.base.entities import clock
from gql.base.entity_lists import EntityFilter, list_filter_of
from gql.base.roots import queries, query

FacetByEnum = enum_described(
    FacetBy,
    "What entities are counted by.",
    KIND="By kind, as of EntityKind.",
    TYPE="By the name of the type; null: entities without one.",
    STATUS="By status, as text.",
    CONNECTIVITY="By connectivity, as of Connectivity; null: entities that are no devices.",
    PROFILE="By the id of the asset profile; null: entities that use none.",
    OPEN_SEVERITY="By the severity of the worst open event, acknowledged or not, as of Severity; null: entities "
    "without an open event.",
)


@strawberry.type
class FacetValue:
    """A value, and how many entities have it.

    Attributes:
        value: The value, as a filter takes it; null: entities that have none.
        label: Name of the value for people: of a profile its name, else the value itself.
        count: Number of entities that have it.
    """

    value: str | None
    label: str | None
    count: int


@strawberry.type
class Facet:
    """How many of the entities of a filter have which value.

    Attributes:
        by: What they are counted by.
        values: The most frequent values, most first; where two are as frequent, in the order of the values.
        truncated: True where there are more values than `first`.
    """

    by: FacetByEnum  # type: ignore[valid-type]
    values: list[FacetValue]
    truncated: bool


@queries
class FacetQuery:
    """Facets."""

    @query(VIEWERS, scoped=True)
    async def facets(
        self,
        info: Info,
        by: list[FacetByEnum],  # type: ignore[valid-type]
        filter: EntityFilter | None = None,
        first: int = 20,
    ) -> list[Facet]:
        """How many entities have which value, most first, in the order of `by`. Each facet counts all of the filter.

        Args:
            by: What the entities are counted by; nothing twice.
            filter: Conditions that an entity must meet. Default: all that are not deleted.
            first: Most values of each facet, 0 to 500.
        """
        context = info.context
        facets = await context.read(
            facets_read,
            where=list_filter_of(filter),
            by=by,
            first=first,
            now=clock(info),
            offline_after=context.services.offline_after,
        )
        if filter is not None and first and facets and not any(facet.values for facet in facets):
            context.unmatched_add_all(NameKind.TYPE, filter.types, "filter", "types")
            context.unmatched_add_all(NameKind.STATUS, filter.statuses, "filter", "statuses")
        return [
            Facet(
                by=facet.by,
                values=[FacetValue(value=item.value, label=item.label, count=item.count) for item in facet.values],
                truncated=facet.is_truncated,
            )
            for facet in facets
        ]
