"""The health of assets, explained."""

from __future__ import annotations

import strawberry

from domain.base.packed import instant_of
from domain.derivation.health.current import BucketHealth
from domain.derivation.health.operations import health_explain
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.entities import clock
from gql.base.ids import uuid_named
from gql.base.roots import queries, query
from gql.base.scalars import DateTime


@strawberry.type
class HealthPart:
    """One deduction from the 100 points of health.

    Attributes:
        part: THRESHOLD, FRESHNESS, EVENT or CHILDREN.
        subject: Name of the metric, or id of the event or of the worst child; null for FRESHNESS.
        cost: Points that it costs.
        weight: Most points that it can cost.
        detail: Why, in words.
    """

    part: str
    subject: str | None
    cost: float
    weight: float
    detail: str


@strawberry.type
class HealthExplanation:
    """The health of an asset in one bucket of event time, as of its end: 100 points less what its parts cost.

    Attributes:
        from_: Start of the bucket, inclusive.
        to: End of the bucket, exclusive.
        score: Health, 0 to 100; null where nothing recent is known.
        parts: What was taken into account, including what costs nothing.
    """

    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    score: float | None
    parts: list[HealthPart]


@queries
class HealthQuery:
    """The health of assets."""

    @query(VIEWERS, scoped=True)
    async def health_explanation(
        self, info: Info, asset_id: strawberry.ID, at: DateTime | None = None
    ) -> HealthExplanation | None:
        """What the health of an asset at an instant is made of; null where no profile applies then.

        Args:
            at: Instant of event time; the bucket that holds it is explained. Default: now.
        """
        now = clock(info)
        health = await info.context.read(
            health_explain, asset_id=uuid_named(asset_id, "assetId"), at=now if at is None else at, now=now
        )
        return None if health is None else _to_explanation(health)


def _to_explanation(bucket: BucketHealth) -> HealthExplanation:
    return HealthExplanation(
        from_=DateTime(instant_of(bucket.begins_us)),
        to=DateTime(instant_of(bucket.ends_us)),
        score=bucket.health.score,
        parts=[
            HealthPart(part=p.part, subject=p.subject, cost=p.cost, weight=p.weight, detail=p.detail)
            for p in bucket.health.parts
        ],
    )
