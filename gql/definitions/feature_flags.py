"""Feature flags: what an organization may switch while everything runs."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.definitions.feature_flags.model import FeatureFlag as FeatureFlagRow
from domain.definitions.feature_flags.operations import feature_flag_set
from domain.definitions.feature_flags.queries import feature_flags_list
from gql.base.context import Info
from gql.base.mutations import payload_of
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError
from graph.change import GraphChange


@strawberry.type
class FeatureFlag:
    """A flag, as the organization has it."""

    name: str
    description: str
    allowed: JSON = strawberry.field(description="The values it can have.")
    default: JSON | None = strawberry.field(description="Its value where it was never set.")
    value: JSON | None
    updated_at: DateTime | None = strawberry.field(description="Null: it was never set.")
    updated_by: str | None


@strawberry.type
class FeatureFlagPayload:
    """The flag as it now stands; null if refused."""

    feature_flag: FeatureFlag | None
    errors: list[UserError]


@strawberry.type
class FeatureFlagQuery:
    """Feature flags."""

    @strawberry.field
    async def feature_flags(self, info: Info) -> list[FeatureFlag]:
        """All flags there are, those that were never set too."""
        return [_shown(row) for row in await info.context.read(feature_flags_list)]


@strawberry.type
class FeatureFlagMutation:
    """Mutations of feature flags."""

    @strawberry.mutation
    async def set_feature_flag(self, info: Info, name: str, value: JSON | None = None) -> FeatureFlagPayload:
        """Give a flag a value, for the caller's organization. It holds for whatever is processed from then on."""

        def work(session: Session, change: GraphChange) -> FeatureFlagRow:
            return feature_flag_set(session, change=change, name=name, value=value)

        return await payload_of(info, _payload, work, under=())


def _payload(row: FeatureFlagRow | None, errors: list[UserError]) -> FeatureFlagPayload:
    return FeatureFlagPayload(feature_flag=None if row is None else _shown(row), errors=errors)


def _shown(row: FeatureFlagRow) -> FeatureFlag:
    return FeatureFlag(
        name=row.kind.name,
        description=row.kind.description,
        allowed=JSON(list(row.kind.allowed)),
        default=row.kind.default,
        value=row.value,
        updated_at=None if row.updated_at is None else DateTime(row.updated_at),
        updated_by=row.updated_by,
    )
